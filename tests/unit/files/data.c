/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read is held against what mkfs.btrfs was given; damage is done in the image itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <zlib.h>

#include "files/data.h"
#include "mkfs_image.h"

#define SECTOR 4096u
#define BIG (5u * 1024 * 1024 + 1234)
#define PLAIN 100000u

struct fixture {
	struct image image;
	struct data_reader *d;
	u8 *big;           /* what the file "big" holds */
	u8 plain[PLAIN];   /* what the file "packed" holds, in a zlib stream */
	size_t packed_len; /* rounded up to sectors */
	u8 *buf;
};

static int setup(void **state, const char *options)
{
	struct fixture *f = calloc(1, sizeof(*f));
	u8 packed[2 * PLAIN] = {0};
	uLongf len = sizeof(packed);

	if (!have_mkfs()) {
		print_message("mkfs.btrfs is not installed\n");
		return 0;
	}
	f->big = malloc(BIG);
	f->buf = malloc(BIG + SECTOR);
	srand(4);
	for (size_t i = 0; i < BIG; i++)
		f->big[i] = (u8)rand();
	for (size_t i = 0; i < PLAIN; i++)
		f->plain[i] = (u8)(rand() % 8);
	compress2(packed, &len, f->plain, PLAIN, 6);
	f->packed_len = align_up(len, SECTOR);
	image_new(&f->image);
	image_put(&f->image, "big", f->big, BIG);
	image_put(&f->image, "packed", packed, f->packed_len);
	image_put(&f->image, "small", "hello", 5);
	image_make(&f->image, options);
	assert_int_equal(data_reader_new(f->image.fs, &f->d), 0);
	*state = f;
	return 0;
}

static int setup_single(void **state) { return setup(state, "-d single"); }
static int setup_dup(void **state) { return setup(state, "-d dup"); }

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	data_reader_free(f->d);
	image_release(&f->image);
	free(f->big);
	free(f->buf);
	free(f);
	return 0;
}

static struct fixture *fixture(void **state)
{
	if (!*state)
		skip();
	return *state;
}

/* The extent of @name that holds @at; its inline data lies in @item. */
static struct file_range range_of(struct fixture *f, const char *name, u64 at, u8 *item)
{
	struct location where;
	struct file_range r;
	struct cursor c;

	assert_int_equal(location_find(f->image.fs, name, &where), 0);

	struct key key = key_of(where.ino, KEY_EXTENT_DATA, at);

	cursor_init(&c, &where.subvolume.tree);
	assert_true(cursor_seek_before(&c, &key) >= 0);
	key = cursor_key(&c);
	memcpy(item, cursor_data(&c), cursor_size(&c));
	assert_int_equal(file_range_decode(&key, item, cursor_size(&c), SECTOR, &r), 0);
	cursor_release(&c);
	return r;
}

static u64 physical(struct fixture *f, u64 logical, unsigned copy)
{
	struct mapping m;

	assert_int_equal(volume_map(f->image.fs->volume, logical, &m), 0);
	assert_true(copy < m.copies);
	return m.copy[copy].physical;
}

static void flip(struct fixture *f, u64 logical, unsigned copy)
{
	u64 at = physical(f, logical, copy);
	u8 byte;

	assert_int_equal(pread(f->image.fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(f->image.fd, &byte, 1, (off_t)at), 1);
}

static void expect_error(int ret, int err, const char *says)
{
	assert_int_equal(ret, -err);
	if (!strstr(error_message(), says))
		fail_msg("'%s' does not say '%s'", error_message(), says);
}

/* The whole file in steps of @step, across its extents. */
static void read_big(struct fixture *f, size_t step)
{
	u8 item[SECTOR];
	u64 pos = 0;

	while (pos < BIG) {
		struct file_range r = range_of(f, "big", pos, item);
		u64 start = pos - r.file_offset;
		u64 n = min_u64(min_u64(step, r.num_bytes - start), BIG - pos);

		if (data_read(f->d, &r, start, f->buf + pos, n, true))
			fail_msg("%s", error_message());
		pos += n;
	}
	assert_memory_equal(f->buf, f->big, BIG);
	memset(f->buf, 0xee, BIG);
}

static void test_steps(void **state)
{
	struct fixture *f = fixture(state);

	read_big(f, BIG);
	read_big(f, 49152);
	read_big(f, 4096);
	read_big(f, 100001);
	read_big(f, 333333);
}

static void test_all_checksum_types(void **state)
{
	static const char *const options[] = {"--csum crc32c", "--csum xxhash", "--csum sha256",
					      "--csum blake2"};

	if (!have_mkfs())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		void *own = NULL;
		u8 item[SECTOR];

		setup(&own, options[i]);

		struct fixture *f = own;
		struct file_range r = range_of(f, "big", 0, item);

		assert_int_equal(f->image.fs->facts->csum_type, i);
		read_big(f, 49152);
		flip(f, r.disk_bytenr + 8192, 0);
		expect_error(data_read(f->d, &r, 0, f->buf, 16384, true), EIO, "checksum mismatch");
		teardown(&own);
	}
}

static void test_random_places(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	for (int i = 0; i < 300; i++) {
		u64 start = (u64)rand() % r.num_bytes;
		u64 len = (u64)rand() % (rand() % 2 ? 10000 : 600000);

		len = min_u64(len, r.num_bytes - start);
		memset(f->buf, 0xee, len + 1);
		assert_int_equal(data_read(f->d, &r, start, f->buf, len, true), 0);
		len = min_u64(len, BIG - start);
		assert_memory_equal(f->buf, f->big + r.file_offset + start, len);
		assert_true(f->buf[len] == 0xee || start + len == BIG);
	}
}

/* As the table of the device sees it. */
static const struct device_ops *real_ops;
static unsigned reads;
static u64 broken_from, broken_to; /* physical */

static int counting_read(struct device *d, u64 offset, void *buf, size_t len)
{
	reads++;
	if (offset < broken_to && broken_from < offset + len)
		return error_set(EIO, "read %s at %llu: broken on purpose", d->name,
				 (unsigned long long)offset);
	return real_ops->read(d, offset, buf, len);
}

/* The device keeps the table until it is closed, which is after the test. */
static void count_reads(struct fixture *f)
{
	static struct device_ops ops;
	struct device *device = volume_device(f->image.fs->volume, 0, NULL);

	real_ops = device->ops;
	ops = *real_ops;
	ops.read = counting_read;
	device->ops = &ops;
	broken_from = broken_to = 0;
	reads = 0;
}

static void test_one_read_a_range(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	assert_int_equal(data_read(f->d, &r, 0, f->buf, SECTOR, true), 0); /* the csum tree is read now */
	count_reads(f);
	assert_int_equal(data_read(f->d, &r, 4096, f->buf, 49152, true), 0);
	assert_int_equal(reads, 1);
	assert_int_equal(data_read(f->d, &r, 5000, f->buf, 40000, true), 0);
	assert_int_equal(reads, 2);
	assert_true(r.num_bytes >= 1u << 20);
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 1u << 20, true), 0);
	assert_int_equal(reads, 3);
}

static void test_damage_without_other_copy(void **state)
{
	struct fixture *f = fixture(state);
	char wanted[600];
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	flip(f, r.disk_bytenr + 2 * SECTOR + 17, 0);
	expect_error(data_read(f->d, &r, 0, f->buf, 49152, true), EIO, ", no other copy");
	snprintf(wanted, sizeof(wanted), "data at logical %llu on %s at %llu: checksum mismatch (found ",
		 (unsigned long long)r.disk_bytenr + 2 * SECTOR, f->image.path,
		 (unsigned long long)physical(f, r.disk_bytenr + 2 * SECTOR, 0));
	assert_memory_equal(error_message(), wanted, strlen(wanted));
	/* A part of the sector needs the whole of it. */
	expect_error(data_read(f->d, &r, 2 * SECTOR + 4000, f->buf, 10, true), EIO, "checksum mismatch");
	/* What is around it is as good as ever. */
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 2 * SECTOR, true), 0);
	assert_int_equal(data_read(f->d, &r, 3 * SECTOR, f->buf, 40000, true), 0);
	assert_memory_equal(f->buf, f->big + 3 * SECTOR, 40000);
	/* Nobody has asked for verification. */
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, false), 0);
	assert_int_equal(f->buf[2 * SECTOR + 17], f->big[2 * SECTOR + 17] ^ 0x10);
}

static void test_damage_with_other_copy(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	flip(f, r.disk_bytenr + 2 * SECTOR, 0);
	flip(f, r.disk_bytenr + 3 * SECTOR, 1);
	flip(f, r.disk_bytenr + 300 * SECTOR, 0);
	read_big(f, 49152);
	read_big(f, BIG);
	flip(f, r.disk_bytenr + 3 * SECTOR, 0);
	expect_error(data_read(f->d, &r, 0, f->buf, 49152, true), EIO,
		     "nor is one of the other copies good (2 tried)");
}

static void test_copy_that_cannot_be_read(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	count_reads(f);
	broken_from = physical(f, r.disk_bytenr, 0) + SECTOR;
	broken_to = broken_from + SECTOR;
	read_big(f, 49152);
	/* Neither copy can be read as a whole, but each sector can from one of them. */
	flip(f, r.disk_bytenr + 2 * SECTOR, 1);
	read_big(f, 49152);
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, false), 0);
	flip(f, r.disk_bytenr + SECTOR, 1);
	expect_error(data_read(f->d, &r, 0, f->buf, 49152, true), EIO, "broken on purpose, nor is one");
}

static void test_no_copy_can_be_read(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	assert_int_equal(data_read(f->d, &r, 0, f->buf, SECTOR, true), 0);
	count_reads(f);
	broken_to = (u64)-1;
	expect_error(data_read(f->d, &r, 0, f->buf, 49152, true), EIO, "broken on purpose");
	expect_error(data_read(f->d, &r, 0, f->buf, 49152, false), EIO, "broken on purpose");
}

static void test_missing_checksum(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item), none = r;

	/* The free space behind the last extent of the block group has no sums. */
	none.disk_bytenr = r.disk_bytenr + 16 * 1024 * 1024;
	expect_error(data_read(f->d, &none, 0, f->buf, SECTOR, true), EIO, "no checksum in the csum tree");
	assert_int_equal(data_read(f->d, &none, 0, f->buf, SECTOR, false), 0);
	/* The reader is none the worse for it. */
	read_big(f, 49152);
	f->image.fs->csum_tree.logical = 0;
	expect_error(data_read(f->d, &r, 0, f->buf, SECTOR, true), EIO, "has no csum tree");
}

static void test_outside_of_every_chunk(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	r.disk_bytenr = 1ull << 60;
	assert_int_equal(data_read(f->d, &r, 0, f->buf, SECTOR, true), -EIO);
	assert_int_equal(data_read(f->d, &r, 0, f->buf, SECTOR, false), -EIO);
	assert_non_null(strstr(error_message(), "1152921504606846976"));
}

static void test_holes_and_preallocation(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	memset(f->buf, 0xee, 100);
	r.type = FILE_EXTENT_PREALLOC;
	assert_int_equal(data_read(f->d, &r, 50, f->buf, 99, true), 0);
	for (int i = 0; i < 99; i++)
		assert_int_equal(f->buf[i], 0);
	assert_int_equal(f->buf[99], 0xee);
	memset(f->buf, 0xee, 100);
	r.type = FILE_EXTENT_REG;
	r.disk_bytenr = 0;
	assert_int_equal(data_read(f->d, &r, 50, f->buf, 99, true), 0);
	for (int i = 0; i < 99; i++)
		assert_int_equal(f->buf[i], 0);
	expect_error(data_read(f->d, &r, r.num_bytes - 10, f->buf, 11, true), EINVAL, "in a file extent of");
}

static void test_inline_data(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR], packed[100];
	uLongf len = sizeof(packed);
	struct file_range r = range_of(f, "small", 0, item);

	assert_int_equal(r.type, FILE_EXTENT_INLINE);
	memset(f->buf, 0xee, 20);
	assert_int_equal(data_read(f->d, &r, 1, f->buf, 10, true), 0);
	assert_memory_equal(f->buf, "ello\0\0\0\0\0\0\xee", 11);
	assert_int_equal(data_read(f->d, &r, 5, f->buf, 3, true), 0);
	assert_memory_equal(f->buf, "\0\0\0", 3);
	assert_int_equal(data_read(f->d, &r, (u64)-1, f->buf, 3, true), 0);

	compress2(packed, &len, (const u8 *)"hello hello hello", 17, 6);
	r.compression = COMPRESSION_ZLIB;
	r.inline_data = packed;
	r.inline_len = (u32)len;
	r.num_bytes = r.ram_bytes = 17;
	assert_int_equal(data_read(f->d, &r, 6, f->buf, 13, true), 0);
	assert_memory_equal(f->buf, "hello hello\0\0", 13);
	packed[0]++;
	expect_error(data_read(f->d, &r, 0, f->buf, 17, true), EIO, "inline data: zlib: ");
}

/* The file "packed" as if its extent had been compressed by the filesystem. */
static struct file_range compressed(struct fixture *f)
{
	u8 item[SECTOR];
	struct file_range r = range_of(f, "packed", 0, item);

	r.disk_num_bytes = f->packed_len;
	r.compression = COMPRESSION_ZLIB;
	r.offset = 0;
	r.ram_bytes = r.num_bytes = align_up(PLAIN, SECTOR);
	return r;
}

static void test_compressed(void **state)
{
	struct fixture *f = fixture(state);
	struct file_range r = compressed(f);

	assert_int_equal(data_read(f->d, &r, 0, f->buf, r.num_bytes, true), 0);
	assert_memory_equal(f->buf, f->plain, PLAIN);
	for (size_t i = PLAIN; i < r.num_bytes; i++)
		assert_int_equal(f->buf[i], 0);
	/* A file that uses the middle of the extent. */
	r.offset = 2 * SECTOR;
	r.num_bytes = 4 * SECTOR;
	assert_int_equal(data_read(f->d, &r, 100, f->buf, 4 * SECTOR - 100, true), 0);
	assert_memory_equal(f->buf, f->plain + 2 * SECTOR + 100, 4 * SECTOR - 100);
	/* The same as it lies on disk. */
	assert_int_equal(data_read_raw(f->d, r.disk_bytenr, f->buf, r.disk_num_bytes, true), 0);

	uLongf len = sizeof(f->plain);
	u8 *again = malloc(PLAIN);

	assert_int_equal(uncompress(again, &len, f->buf, r.disk_num_bytes), Z_OK);
	assert_memory_equal(again, f->plain, PLAIN);
	free(again);
}

static void test_last_extent_is_kept(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = compressed(f), other = range_of(f, "packed", 0, item);

	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, true), 0);
	count_reads(f);
	assert_int_equal(data_read(f->d, &r, 49152, f->buf, 49152, true), 0);
	assert_memory_equal(f->buf, f->plain + 49152, 49152);
	assert_int_equal(reads, 0);
	/* Not for an extent that differs in anything. */
	r.ram_bytes += SECTOR;
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, true), 0);
	assert_int_equal(reads, 1);
	r.compression = COMPRESSION_ZSTD;
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, true), -EIO);
	/* Nor does a failure leave anything behind. */
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 49152, true), -EIO);
	assert_int_equal(data_read(f->d, &other, 0, f->buf, SECTOR, true), 0);
	assert_int_equal(f->buf[0], 0x78);
	/* What was read unverified does not pass for verified. */
	r = compressed(f);
	assert_int_equal(data_read(f->d, &r, 0, f->buf, 100, false), 0);
	flip(f, r.disk_bytenr + r.disk_num_bytes - 1, 0);
	expect_error(data_read(f->d, &r, 0, f->buf, 100, true), EIO, "checksum mismatch");
}

/* The checksums are right, and what they are sums of is no zstd frame. */
static void test_compressed_nonsense(void **state)
{
	struct fixture *f = fixture(state);
	struct file_range r = compressed(f);
	char wanted[64];

	r.compression = COMPRESSION_ZSTD;
	snprintf(wanted, sizeof(wanted), "data at logical %llu: zstd: ", (unsigned long long)r.disk_bytenr);
	expect_error(data_read(f->d, &r, 0, f->buf, 100, true), EIO, wanted);
}

#define THREADS 4

/* Its own reader, the filesystem shared. */
static void *read_in_thread(void *arg)
{
	struct fixture *f = arg;
	u8 item[SECTOR], *buf = malloc(BIG);
	struct data_reader *d;
	u64 pos = 0;

	if (data_reader_new(f->image.fs, &d))
		return buf;
	while (pos < BIG) {
		struct file_range r = range_of(f, "big", pos, item);
		u64 n = min_u64(min_u64(49152, r.num_bytes - (pos - r.file_offset)), BIG - pos);

		if (data_read(d, &r, pos - r.file_offset, buf + pos, n, true))
			break;
		pos += n;
	}
	data_reader_free(d);
	return buf;
}

static void test_readers_in_threads(void **state)
{
	struct fixture *f = fixture(state);
	pthread_t threads[THREADS];
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);
	void *buf;

	flip(f, r.disk_bytenr + 5 * SECTOR, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_in_thread, f), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &buf), 0);
		assert_memory_equal(buf, f->big, BIG);
		free(buf);
	}
}

static void test_raw_wants_whole_sectors(void **state)
{
	struct fixture *f = fixture(state);
	u8 item[SECTOR];
	struct file_range r = range_of(f, "big", 0, item);

	expect_error(data_read_raw(f->d, r.disk_bytenr + 1, f->buf, SECTOR, true), EINVAL, "whole sectors");
	expect_error(data_read_raw(f->d, r.disk_bytenr, f->buf, 100, true), EINVAL, "whole sectors");
	assert_int_equal(data_read_raw(f->d, r.disk_bytenr, f->buf, min_u64(r.num_bytes, BIG / SECTOR * SECTOR),
				       true), 0);
	assert_memory_equal(f->buf, f->big, min_u64(r.num_bytes, BIG / SECTOR * SECTOR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steps, setup_single, teardown),
		cmocka_unit_test(test_all_checksum_types),
		cmocka_unit_test_setup_teardown(test_random_places, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_one_read_a_range, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_damage_without_other_copy, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_damage_with_other_copy, setup_dup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_that_cannot_be_read, setup_dup, teardown),
		cmocka_unit_test_setup_teardown(test_no_copy_can_be_read, setup_dup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_checksum, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_outside_of_every_chunk, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_holes_and_preallocation, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_inline_data, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_compressed, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_last_extent_is_kept, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_compressed_nonsense, setup_single, teardown),
		cmocka_unit_test_setup_teardown(test_readers_in_threads, setup_dup, teardown),
		cmocka_unit_test_setup_teardown(test_raw_wants_whole_sectors, setup_single, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
