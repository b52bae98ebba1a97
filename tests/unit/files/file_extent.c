/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "files/file_extent.h"

#define SECTOR 4096u

/* An extent of 64 KiB on disk, of which a file uses 16 KiB from the 8 KiB on. */
static const struct file_extent regular = {
	.generation = {{9}},
	.ram_bytes = {{0, 0, 1}},
	.type = FILE_EXTENT_REG,
	.disk_bytenr = {{0, 0, 0x50}},
	.disk_num_bytes = {{0, 0, 1}},
	.offset = {{0, 0x20}},
	.num_bytes = {{0, 0x40}},
};

static int decode(const struct file_extent *e, u32 size, u64 at, struct file_range *r)
{
	struct key key = key_of(257, KEY_EXTENT_DATA, at);

	return file_range_decode(&key, e, size, SECTOR, r);
}

static void expect_refused(struct file_extent e, int err, const char *says)
{
	struct file_range r;

	assert_int_equal(decode(&e, sizeof(e), 0, &r), -err);
	if (!strstr(error_message(), says))
		fail_msg("'%s' does not say '%s'", error_message(), says);
}

static void test_regular(void **state)
{
	struct file_range r;

	assert_int_equal(decode(&regular, sizeof(regular), 12288, &r), 0);
	assert_int_equal(r.file_offset, 12288);
	assert_int_equal(r.num_bytes, 16384);
	assert_int_equal(r.generation, 9);
	assert_int_equal(r.ram_bytes, 65536);
	assert_int_equal(r.disk_bytenr, 0x500000);
	assert_int_equal(r.disk_num_bytes, 65536);
	assert_int_equal(r.offset, 8192);
	assert_null(r.inline_data);
	assert_int_equal(r.type, FILE_EXTENT_REG);
	assert_int_equal(r.compression, COMPRESSION_NONE);
}

static void test_prealloc_and_hole(void **state)
{
	struct file_extent e = regular;
	struct file_range r;

	e.type = FILE_EXTENT_PREALLOC;
	assert_int_equal(decode(&e, sizeof(e), 0, &r), 0);
	assert_int_equal(r.type, FILE_EXTENT_PREALLOC);

	e.type = FILE_EXTENT_REG;
	e.disk_bytenr = e.disk_num_bytes = e.offset = le64_of(0);
	e.num_bytes = e.ram_bytes = le64_of(1ull << 40);
	assert_int_equal(decode(&e, sizeof(e), 0, &r), 0);
	assert_int_equal(r.disk_bytenr, 0);
	assert_true(r.num_bytes == 1ull << 40);
}

static void test_inline(void **state)
{
	const u32 size = FILE_EXTENT_INLINE_OFFSET + 5;
	struct file_extent whole = {0}, *e = &whole;
	struct file_range r;

	memcpy((u8 *)e + FILE_EXTENT_INLINE_OFFSET, "hello", 5);
	e->ram_bytes = le64_of(5);
	assert_int_equal(decode(e, size, 0, &r), 0);
	assert_int_equal(r.num_bytes, 5);
	assert_int_equal(r.inline_len, 5);
	assert_memory_equal(r.inline_data, "hello", 5);

	assert_int_equal(decode(e, size, SECTOR, &r), -EIO);
	e->ram_bytes = le64_of(6);
	assert_int_equal(decode(e, size, 0, &r), -EIO);
	e->compression = COMPRESSION_ZSTD;
	assert_int_equal(decode(e, size, 0, &r), 0);
	assert_int_equal(r.num_bytes, 6);
	assert_int_equal(r.inline_len, 5);
	e->ram_bytes = le64_of(SECTOR);
	assert_int_equal(decode(e, size, 0, &r), 0);
	e->ram_bytes = le64_of(SECTOR + 1);
	assert_int_equal(decode(e, size, 0, &r), -EIO);
}

static void test_item_size(void **state)
{
	struct file_range r;

	for (u32 size = 0; size < sizeof(regular); size++)
		assert_int_equal(decode(&regular, size, 0, &r), -EIO);
	assert_string_equal(error_message(),
			    "(257 EXTENT_DATA 0): damaged file extent: item size 52");
}

static void test_unknown_encodings(void **state)
{
	struct file_extent e = regular;

	e.compression = 4;
	expect_refused(e, EOPNOTSUPP, "unknown compression type 4");
	e = regular;
	e.encryption = 1;
	expect_refused(e, EOPNOTSUPP, "encrypted");
	e = regular;
	e.other_encoding = le16_of(2);
	expect_refused(e, EOPNOTSUPP, "encoded data (0, 2)");
	e = regular;
	e.type = 3;
	expect_refused(e, EOPNOTSUPP, "unknown file extent type 3");
}

static void test_alignment(void **state)
{
	le64 *fields[] = {NULL, NULL, NULL, NULL, NULL};
	static const char *const says[] = {"ram_bytes 1", "disk_bytenr 1", "disk_num_bytes 1", "offset 1",
					   "num_bytes 1"};
	struct file_extent e;
	struct file_range r;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[0] = &e.ram_bytes;
		fields[1] = &e.disk_bytenr;
		fields[2] = &e.disk_num_bytes;
		fields[3] = &e.offset;
		fields[4] = &e.num_bytes;
		e = regular;
		*fields[i] = le64_of(1);
		expect_refused(e, EIO, says[i]);
	}
	assert_int_equal(decode(&regular, sizeof(regular), 1, &r), -EIO);
}

static void test_sums(void **state)
{
	const u64 last = align_down((u64)-1, SECTOR);
	struct file_extent e = regular;
	struct file_range r;

	e.num_bytes = le64_of(0);
	expect_refused(e, EIO, "num_bytes 0");
	e = regular;
	e.num_bytes = le64_of(last);
	expect_refused(e, EIO, "offset");
	assert_int_equal(decode(&e, sizeof(e), SECTOR, &r), -EIO);
	assert_non_null(strstr(error_message(), "num_bytes"));
	e = regular;
	e.disk_num_bytes = le64_of(0);
	expect_refused(e, EIO, "disk_num_bytes 0");
	e = regular;
	e.disk_bytenr = le64_of(last);
	expect_refused(e, EIO, "disk_num_bytes 65536");
	e = regular;
	e.offset = le64_of(0xd000); /* 52 KiB and 16 KiB are 4 KiB too many */
	expect_refused(e, EIO, "end in the extent 69632");
}

static void test_compressed_sizes(void **state)
{
	struct file_extent e = regular;
	struct file_range r;

	e.compression = COMPRESSION_ZLIB;
	e.ram_bytes = le64_of(COMPRESSED_EXTENT_MAX);
	e.offset = le64_of(COMPRESSED_EXTENT_MAX - 16384);
	assert_int_equal(decode(&e, sizeof(e), 0, &r), 0);
	e.disk_num_bytes = le64_of(COMPRESSED_EXTENT_MAX + SECTOR);
	expect_refused(e, EIO, "compressed disk_num_bytes");
	e.disk_num_bytes = le64_of(SECTOR);
	e.ram_bytes = le64_of(COMPRESSED_EXTENT_MAX + SECTOR);
	expect_refused(e, EIO, "compressed ram_bytes");
	e.ram_bytes = le64_of(COMPRESSED_EXTENT_MAX - SECTOR);
	expect_refused(e, EIO, "end in the extent 131072");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regular),
		cmocka_unit_test(test_prealloc_and_hole),
		cmocka_unit_test(test_inline),
		cmocka_unit_test(test_item_size),
		cmocka_unit_test(test_unknown_encodings),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_compressed_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
