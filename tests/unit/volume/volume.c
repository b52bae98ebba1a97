/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "support/image.h"
#include "volume/volume.h"

#define K64 65536u
#define MIB (1u << 20)
#define SIZE (4u * MIB)
#define LOGICAL (16ull * MIB)

static const u64 dup[][2] = {{1, 1 * MIB}, {1, 2 * MIB}};
static const u64 on_two[][2] = {{1, 1 * MIB}, {2, 2 * MIB}};

/* Two devices of a filesystem of two; each byte of device n is n, but for the superblock. */
struct pair {
	struct image im[2];
	struct device *d[2];
};

static void pair_init(struct pair *p, u64 type, const u64 (*where)[2])
{
	for (int i = 0; i < 2; i++) {
		image_init(&p->im[i], SIZE, (u64)i + 1, 2);
		memset(p->im[i].bytes, i + 1, SIZE);
		image_add_system_chunk(&p->im[i], LOGICAL, MIB, BLOCK_GROUP_SYSTEM | type, 2, where);
		image_write_super(&p->im[i], 0);
	}
	p->d[0] = image_open(&p->im[0], "one");
	p->d[1] = image_open(&p->im[1], "two");
}

static void pair_release(struct pair *p)
{
	image_release(&p->im[0]);
	image_release(&p->im[1]);
}

static int open_image(struct image *im, struct volume **v)
{
	struct device *d;
	int ret;

	image_write_super(im, 0);
	d = image_open(im, "img");
	ret = volume_open(&d, 1, v);
	if (ret)
		device_close(d);
	return ret;
}

static void test_facts(void **state)
{
	const struct volume_facts *f;
	struct volume *v;
	struct image im;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	im.super.root = le64_of(8192);
	im.super.chunk_root = le64_of(12288);
	im.super.log_root = le64_of(16384);
	im.super.root_level = 1;
	im.super.chunk_root_level = 2;
	im.super.log_root_level = 3;
	memset(im.super.label, 'x', LABEL_SIZE);
	assert_ok(open_image(&im, &v));
	f = volume_facts(v);
	assert_int_equal(f->sectorsize, 4096);
	assert_int_equal(f->nodesize, 4096);
	assert_int_equal(f->csum_size, 4);
	assert_int_equal(f->generation, IMAGE_GENERATION);
	assert_int_equal(f->root, 8192);
	assert_int_equal(f->chunk_root, 12288);
	assert_int_equal(f->log_root, 16384);
	assert_int_equal(f->root_level, 1);
	assert_int_equal(f->chunk_root_level, 2);
	assert_int_equal(f->log_root_level, 3);
	assert_int_equal(strlen(f->label), LABEL_SIZE);
	assert_memory_equal(f->metadata_uuid, f->fsid, UUID_SIZE);
	volume_free(v);
	image_release(&im);
}

static void test_no_device(void **state)
{
	struct volume *v;

	assert_error(volume_open(NULL, 0, &v), EINVAL, "no device was given");
	volume_free(NULL);
}

static void test_map_and_read_copies(void **state)
{
	struct mapping m;
	struct volume *v;
	struct image im;
	u8 buf[4];

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	memcpy(im.bytes + MIB + 4096, "one.", 4);
	memcpy(im.bytes + 2 * MIB + 4096, "two.", 4);
	assert_ok(open_image(&im, &v));
	assert_ok(volume_map(v, LOGICAL + 4096, &m));
	assert_int_equal(m.length, MIB - 4096);
	assert_int_equal(m.type, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP);
	assert_int_equal(m.copies, 2);
	assert_int_equal(m.copy[0].physical, MIB + 4096);
	assert_int_equal(m.copy[1].physical, 2 * MIB + 4096);
	assert_int_equal(m.copy[1].devid, 1);
	assert_int_equal(volume_copies(v, LOGICAL), 2);
	assert_ok(volume_read(v, LOGICAL + 4096, buf, 4, 0));
	assert_memory_equal(buf, "one.", 4);
	assert_ok(volume_read(v, LOGICAL + 4096, buf, 4, 1));
	assert_memory_equal(buf, "two.", 4);
	assert_error(volume_read(v, LOGICAL, buf, 4, 2), EIO, "logical 16777216 has no copy 2");
	volume_free(v);
	image_release(&im);
}

static void test_no_chunk(void **state)
{
	char where[VOLUME_WHERE_MAX];
	struct mapping m;
	struct volume *v;
	struct image im;
	u8 buf[8];

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	assert_ok(open_image(&im, &v));
	assert_error(volume_map(v, LOGICAL - 1, &m), EIO, "logical 16777215 lies in no chunk");
	assert_error(volume_copies(v, LOGICAL + MIB), EIO, "logical 17825792 lies in no chunk");
	assert_error(volume_read(v, LOGICAL + MIB - 4, buf, 8, 0), EIO,
		     "logical 17825792 lies in no chunk");
	assert_string_equal(volume_where(v, 99, 0, where), "logical 99");
	assert_string_equal(volume_where(v, LOGICAL + 1, 1, where),
			    "logical 16777217 on img at 2097153");
	volume_free(v);
	image_release(&im);
}

static void test_read_across_stripes(void **state)
{
	struct volume *v;
	struct pair p;
	u8 buf[8];

	pair_init(&p, BLOCK_GROUP_RAID0, on_two);
	assert_ok(volume_open(p.d, 2, &v));
	assert_ok(volume_read(v, LOGICAL + K64 - 4, buf, 8, 0));
	assert_memory_equal(buf, "\1\1\1\1\2\2\2\2", 8);
	assert_ok(volume_read(v, LOGICAL + 2 * K64 - 4, buf, 8, 0));
	assert_memory_equal(buf, "\2\2\2\2\1\1\1\1", 8);
	volume_free(v);
	pair_release(&p);
}

static void test_devices_in_any_order(void **state)
{
	struct dev_item item;
	struct volume *v;
	struct pair p;

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	assert_ok(volume_open((struct device *[]){p.d[1], p.d[0]}, 2, &v));
	assert_int_equal(volume_device_count(v), 2);
	assert_int_equal(volume_missing_count(v), 0);
	assert_ptr_equal(volume_device(v, 0, &item), p.d[0]);
	assert_int_equal(le64_get(item.devid), 1);
	assert_ptr_equal(volume_device(v, 1, NULL), p.d[1]);
	volume_free(v);
	pair_release(&p);
}

static void test_newest_superblock_of_several_devices(void **state)
{
	struct volume *v;
	struct pair p;

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	p.im[1].super.generation = le64_of(IMAGE_GENERATION + 1);
	image_write_super(&p.im[1], 0);
	assert_ok(volume_open(p.d, 2, &v));
	assert_int_equal(volume_facts(v)->generation, IMAGE_GENERATION + 1);
	volume_free(v);
	pair_release(&p);
}

static void test_missing_device(void **state)
{
	struct dev_item item = image_dev_item(2, SIZE);
	char where[VOLUME_WHERE_MAX];
	struct mapping m;
	struct volume *v;
	struct pair p;
	u8 buf[4];

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	assert_ok(volume_open(p.d, 1, &v));
	assert_ok(volume_add_device(v, &item, sizeof(item)));
	assert_int_equal(volume_missing_count(v), 1);
	assert_null(volume_device(v, 1, &item));
	assert_int_equal(le64_get(item.devid), 2);
	assert_ok(volume_map(v, LOGICAL, &m));
	assert_ptr_equal(m.copy[0].device, p.d[0]);
	assert_null(m.copy[1].device);
	assert_int_equal(m.copy[1].devid, 2);
	assert_ok(volume_read(v, LOGICAL, buf, 4, 0));
	assert_error(volume_read(v, LOGICAL, buf, 4, 1), EIO,
		     "device 2 of the filesystem was not given");
	assert_string_equal(volume_where(v, LOGICAL, 1, where),
			    "logical 16777216 on device 2");
	volume_free(v);
	device_close(p.d[1]);
	pair_release(&p);
}

/* A device that lies where the chunk says, but is another one with the same number. */
static void test_stripe_of_another_device(void **state)
{
	struct mapping m;
	struct volume *v;
	struct pair p;

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	p.im[1].super.dev_item.uuid[0] ^= 1;
	image_write_super(&p.im[1], 0);
	assert_ok(volume_open(p.d, 2, &v));
	assert_ok(volume_map(v, LOGICAL, &m));
	assert_null(m.copy[1].device);
	volume_free(v);
	pair_release(&p);
}

static void close_pair(struct pair *p)
{
	device_close(p->d[0]);
	device_close(p->d[1]);
	pair_release(p);
}

static void test_two_filesystems(void **state)
{
	struct volume *v;
	struct pair p;

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	memset(p.im[1].super.fsid, 0xab, UUID_SIZE);
	memset(p.im[1].super.dev_item.fsid, 0xab, UUID_SIZE);
	image_write_super(&p.im[1], 0);
	assert_error(volume_open(p.d, 2, &v), EINVAL,
		     "two belongs to filesystem abababab-abab-abab-abab-abababababab, "
		     "one to 66696c65-7379-7374-656d-207575696400");
	close_pair(&p);
}

static void test_device_given_twice(void **state)
{
	struct volume *v;
	struct pair p;

	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	assert_error(volume_open((struct device *[]){p.d[0], p.d[0]}, 2, &v), EINVAL,
		     "one and one are both device 1 of one filesystem");
	close_pair(&p);
}

static void test_device_items(void **state)
{
	struct dev_item one = image_dev_item(1, SIZE), other = one;
	struct volume *v;
	struct pair p;

	other.uuid[0] ^= 1;
	pair_init(&p, BLOCK_GROUP_RAID1, on_two);
	assert_ok(volume_open(p.d, 2, &v));
	assert_error(volume_add_device(v, &one, sizeof(one) - 1), EIO,
		     "device item has 97 bytes instead of 98");
	assert_error(volume_add_device(v, &other, sizeof(other)), EIO,
		     "one is not the device 1 that the filesystem knows, their uuids differ");
	assert_ok(volume_add_device(v, &one, sizeof(one)));
	assert_error(volume_add_device(v, &one, sizeof(one)), EIO,
		     "device 1 has two device items");
	assert_error(volume_complete(v), EINVAL,
		     "two (device 2) is no longer part of its filesystem");
	one = image_dev_item(2, SIZE);
	assert_ok(volume_add_device(v, &one, sizeof(one)));
	assert_ok(volume_complete(v));
	volume_free(v);
	pair_release(&p);
}

static void test_chunk_beyond_the_device(void **state)
{
	static const u64 where[][2] = {{1, SIZE - MIB + 4096}};
	u8 item[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(MIB, BLOCK_GROUP_DATA, 1, where, item);
	struct volume *v;
	struct image im;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	assert_ok(open_image(&im, &v));
	assert_error(volume_add_chunk(v, 0, item, size), EIO,
		     "chunk at logical 0: 1048576 bytes at 3149824 lie beyond the end of img "
		     "(4194304 bytes)");
	volume_free(v);
	image_release(&im);
}

/* The array holds one chunk of two stripes: 17 + 48 + 64 bytes. */
static void test_system_chunk_array_cut_short(void **state)
{
	struct volume *v;
	struct image im;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	im.super.sys_chunk_array_size = le32_of(128);
	assert_error(open_image(&im, &v), EIO,
		     "img: system chunk array: 2 stripes do not fit 128 bytes");
	im.super.sys_chunk_array_size = le32_of(129 + 64);
	assert_error(open_image(&im, &v), EIO,
		     "img: system chunk array: 64 bytes are left, too few");
	image_release(&im);
}

static void test_system_chunk_array_with_another_key(void **state)
{
	struct volume *v;
	struct image im;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, dup);
	im.super.sys_chunk_array[8] = KEY_DEV_ITEM;
	assert_error(open_image(&im, &v), EIO,
		     "img: system chunk array: key type 216 is no chunk's");
	image_release(&im);
}

static void test_system_chunk_array_with_a_bad_chunk(void **state)
{
	struct volume *v;
	struct image im;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, MIB, BLOCK_GROUP_SYSTEM, 2, dup);
	assert_error(open_image(&im, &v), EIO,
		     "img: system chunk array: chunk at logical 16777216: 2 stripes do not fit "
		     "profile single");
	image_release(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_map_and_read_copies),
		cmocka_unit_test(test_no_chunk),
		cmocka_unit_test(test_read_across_stripes),
		cmocka_unit_test(test_devices_in_any_order),
		cmocka_unit_test(test_newest_superblock_of_several_devices),
		cmocka_unit_test(test_missing_device),
		cmocka_unit_test(test_stripe_of_another_device),
		cmocka_unit_test(test_two_filesystems),
		cmocka_unit_test(test_device_given_twice),
		cmocka_unit_test(test_device_items),
		cmocka_unit_test(test_chunk_beyond_the_device),
		cmocka_unit_test(test_system_chunk_array_cut_short),
		cmocka_unit_test(test_system_chunk_array_with_another_key),
		cmocka_unit_test(test_system_chunk_array_with_a_bad_chunk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
