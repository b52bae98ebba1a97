/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "support/faulty.h"
#include "support/image.h"
#include "volume/superblock.h"

#define SIZE (1u << 20)
#define SIZE_OF_TWO_COPIES ((64u << 20) + SUPER_SIZE)

static const u64 one_stripe[][2] = {{1, 1 << 19}};

static void init(struct image *im, size_t size)
{
	image_init(im, size, 1, 1);
	image_add_system_chunk(im, 1 << 20, 1 << 18, BLOCK_GROUP_SYSTEM, 1, one_stripe);
}

static int read_image(struct image *im, struct super_block *out)
{
	struct device *d = image_open(im, "img");
	int ret = superblock_read(d, out);

	device_close(d);
	return ret;
}

static void test_good(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE);
	image_write_super(&im, 0);
	assert_ok(read_image(&im, &sb));
	assert_int_equal(le64_get(sb.generation), IMAGE_GENERATION);
	assert_string_equal(sb.label, "by hand");
	image_release(&im);
}

static void test_none(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE);
	assert_error(read_image(&im, &sb), EINVAL, "no btrfs superblock on img");
	im.size = SUPER_OFFSET + SUPER_SIZE - 1;
	assert_error(read_image(&im, &sb), EINVAL, "no btrfs superblock on img");
	im.size = 0;
	assert_error(read_image(&im, &sb), EINVAL, "no btrfs superblock on img");
	image_release(&im);
}

static void test_checksum_mismatch(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE);
	image_write_super(&im, 0);
	im.bytes[SUPER_OFFSET + 300] ^= 1;
	assert_error(read_image(&im, &sb), EIO, "img: superblock at 65536: checksum mismatch");
	image_release(&im);
}

static void test_other_place(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE_OF_TWO_COPIES);
	image_write_super(&im, 1);
	memcpy(im.bytes + SUPER_OFFSET, im.bytes + super_offset(1), SUPER_SIZE);
	memset(im.bytes + super_offset(1), 0, SUPER_SIZE);
	assert_error(read_image(&im, &sb), EIO,
		     "img: superblock at 65536: it was written for 67108864");
	image_release(&im);
}

static void test_read_error(void **state)
{
	struct super_block sb;
	struct faulty *f;
	struct image im;

	init(&im, SIZE);
	image_write_super(&im, 0);
	f = faulty_new(image_open(&im, "img"));
	faulty_set(f, FAULT_FAIL, SUPER_OFFSET, 1);
	assert_error(superblock_read(&f->device, &sb), EIO,
		     "superblock at 65536: read of img fails on purpose");
	device_close(&f->device);
	image_release(&im);
}

static void test_second_copy_where_first_is_damaged(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE_OF_TWO_COPIES);
	image_write_super(&im, 0);
	image_write_super(&im, 1);
	im.bytes[SUPER_OFFSET + 300] ^= 1;
	assert_ok(read_image(&im, &sb));
	assert_int_equal(le64_get(sb.bytenr), 64 << 20);
	image_release(&im);
}

static void test_newest_copy(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE_OF_TWO_COPIES);
	image_write_super(&im, 0);
	im.super.generation = le64_of(IMAGE_GENERATION + 1);
	image_write_super(&im, 1);
	assert_ok(read_image(&im, &sb));
	assert_int_equal(le64_get(sb.generation), IMAGE_GENERATION + 1);
	image_release(&im);
}

static void test_copy_of_an_older_filesystem(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE_OF_TWO_COPIES);
	image_write_super(&im, 0);
	im.super.generation = le64_of(IMAGE_GENERATION + 1);
	im.super.fsid[0] ^= 1;
	image_write_super(&im, 1);
	assert_ok(read_image(&im, &sb));
	assert_int_equal(le64_get(sb.generation), IMAGE_GENERATION);
	image_release(&im);
}

/* One wrong field each, under a right checksum. */
struct wrong {
	const char *name;
	size_t offset; /* of the field in the superblock */
	u64 value;
	size_t width;
	int err;
	const char *sentence;
};

#define FIELD(f) offsetof(struct super_block, f)
#define AT "img: superblock at 65536: "

static struct wrong wrongs[] = {
	{"sectorsize 0", FIELD(sectorsize), 0, 4, EIO, AT "bad sectorsize 0"},
	{"sectorsize 2048", FIELD(sectorsize), 2048, 4, EIO, AT "bad sectorsize 2048"},
	{"sectorsize 5000", FIELD(sectorsize), 5000, 4, EIO, AT "bad sectorsize 5000"},
	{"sectorsize 131072", FIELD(sectorsize), 131072, 4, EIO, AT "bad sectorsize 131072"},
	{"nodesize below sectorsize", FIELD(nodesize), 2048, 4, EIO,
	 AT "bad nodesize 2048 (sectorsize 4096)"},
	{"nodesize 12288", FIELD(nodesize), 12288, 4, EIO, AT "bad nodesize 12288 (sectorsize 4096)"},
	{"nodesize 131072", FIELD(nodesize), 131072, 4, EIO,
	 AT "bad nodesize 131072 (sectorsize 4096)"},
	{"system chunk array too long", FIELD(sys_chunk_array_size), 2049, 4, EIO,
	 AT "system chunk array has 2049 bytes, at most 2048 fit"},
	{"system chunk array too short", FIELD(sys_chunk_array_size), 96, 4, EIO,
	 AT "system chunk array has only 96 bytes"},
	{"no devices", FIELD(num_devices), 0, 8, EIO, AT "number of devices is 0"},
	{"root level", FIELD(root_level), 8, 1, EIO, AT "tree root has level 8"},
	{"chunk root level", FIELD(chunk_root_level), 8, 1, EIO, AT "chunk tree root has level 8"},
	{"log root level", FIELD(log_root_level), 200, 1, EIO, AT "log tree root has level 200"},
	{"root alignment", FIELD(root), 4097, 8, EIO, AT "tree root at logical 4097 is not aligned"},
	{"chunk root alignment", FIELD(chunk_root), 512, 8, EIO,
	 AT "chunk tree root at logical 512 is not aligned"},
	{"log root alignment", FIELD(log_root), 512, 8, EIO,
	 AT "log tree root at logical 512 is not aligned"},
	{"checksum type", FIELD(csum_type), 4, 2, EOPNOTSUPP, AT "unknown checksum type 4"},
	{"zoned", FIELD(incompat_flags), 1 << 12, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature zoned"},
	{"extent-tree-v2", FIELD(incompat_flags), 1 << 13, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature extent-tree-v2"},
	{"raid-stripe-tree", FIELD(incompat_flags), 1 << 14, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature raid-stripe-tree"},
	{"remap-tree", FIELD(incompat_flags), 1 << 17, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature remap-tree"},
	{"feature bit 15", FIELD(incompat_flags), 1 << 15, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature bit 15"},
	{"feature bit 63", FIELD(incompat_flags), 1ull << 63, 8, EOPNOTSUPP,
	 AT "unsupported incompat feature bit 63"},
	{"all other features", FIELD(incompat_flags), 0x10bff & ~(u64)INCOMPAT_METADATA_UUID, 8, 0,
	 NULL},
	{"conversion", FIELD(flags), 1ull << 38, 8, EOPNOTSUPP,
	 AT "an offline conversion by btrfstune is unfinished (flags 0x4000000000), run it again to "
	    "complete it"},
	{"seed device", FIELD(flags), 1ull << 32, 8, 0, NULL},
	{"truncated", FIELD(dev_item.total_bytes), SIZE + 1, 8, EIO,
	 "img: truncated: the filesystem uses 1048577 bytes of it, it has 1048576"},
	{"device of another filesystem", FIELD(dev_item.fsid), 0, 8, EIO,
	 "img: its device item belongs to another filesystem"},
	{"metadata uuid that is not the device's", FIELD(incompat_flags), INCOMPAT_METADATA_UUID, 8,
	 EIO, "img: its device item belongs to another filesystem"},
};

static void test_wrong_field(void **state)
{
	const struct wrong *w = *state;
	u8 value[8];
	struct super_block sb;
	struct image im;

	init(&im, SIZE);
	put_le64(value, w->value);
	memcpy((u8 *)&im.super + w->offset, value, w->width);
	image_write_super(&im, 0);
	if (w->err)
		assert_error(read_image(&im, &sb), w->err, w->sentence);
	else
		assert_ok(read_image(&im, &sb));
	image_release(&im);
}

static void test_metadata_uuid(void **state)
{
	struct super_block sb;
	struct image im;

	init(&im, SIZE);
	memcpy(im.super.metadata_uuid, im.super.fsid, UUID_SIZE);
	im.super.fsid[0] ^= 1;
	im.super.incompat_flags = le64_of(INCOMPAT_METADATA_UUID);
	image_write_super(&im, 0);
	assert_ok(read_image(&im, &sb));
	assert_memory_equal(superblock_metadata_uuid(&sb), im.super.metadata_uuid, UUID_SIZE);
	image_release(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_checksum_mismatch),
		cmocka_unit_test(test_other_place),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_second_copy_where_first_is_damaged),
		cmocka_unit_test(test_newest_copy),
		cmocka_unit_test(test_copy_of_an_older_filesystem),
		cmocka_unit_test(test_metadata_uuid),
	};
	struct CMUnitTest fields[ARRAY_SIZE(wrongs)];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++)
		fields[i] = (struct CMUnitTest){wrongs[i].name, test_wrong_field, NULL, NULL,
						&wrongs[i]};
	return failed + cmocka_run_group_tests(fields, NULL, NULL);
}
