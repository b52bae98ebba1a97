/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes and limits are written down from the format: the kernel's send buffer is 64 KiB for version 1, and 16 KiB
 * more than a compressed extent of 128 KiB from version 2 on. */
#include "support/test.h"

#include "stream/encode.h"

#define HEAD 10u /* of a command */
#define ATTR 4u	 /* head of an attribute */

static u8 zeros[UINT16_MAX + 1];

static void test_limits(void **state)
{
	static const struct {
		u32 proto, command, write;
	} want[] = {{1, 65536, 49152}, {2, 147456, 131072}, {3, 147456, 131072}};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(stream_command_max(want[i].proto), want[i].command);
		assert_int_equal(stream_write_max(want[i].proto), want[i].write);
	}
}

static void test_header(void **state)
{
	static const u8 want[17] = {'b', 't', 'r', 'f', 's', '-', 's', 't', 'r', 'e', 'a', 'm', 0, 2, 0, 0, 0};
	struct buffer b = {0};

	assert_ok(stream_put_header(&b, 2));
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buffer_release(&b);
}

static void test_attributes(void **state)
{
	static const u8 want[] = {
		/* 0: what was there before */
		'x',
		/* length 57, command 20, no checksum yet */
		57, 0, 0, 0, 20, 0, 0, 0, 0, 0,
		15, 0, 2, 0, 'a', 'b',
		5, 0, 8, 0, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
		25, 0, 4, 0, 4, 3, 2, 1,
		30, 0, 1, 0, 9,
		/* one second before 1970, and 500000000 ns = 0x1dcd6500 */
		10, 0, 12, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x65, 0xcd, 0x1d,
		15, 0, 0, 0, /* a path may be empty: the top directory */
		16, 0, 2, 0, 'c', 'd',
	};
	struct buffer b = {0};
	struct encoder c;

	assert_ok(buffer_append(&b, "x", 1));
	encoder_begin(&c, &b, 1, STREAM_C_UTIMES);
	assert_int_equal(c.start, 1);
	encoder_put(&c, STREAM_A_PATH, "ab", 2);
	encoder_put_u64(&c, STREAM_A_MODE, 0x0123456789abcdef);
	encoder_put_u32(&c, STREAM_A_FALLOCATE_MODE, 0x01020304);
	encoder_put_u8(&c, STREAM_A_COMPRESSION, 9);
	encoder_put_time(&c, STREAM_A_MTIME, -1, 500000000);
	encoder_put(&c, STREAM_A_PATH, "", 0);
	encoder_put(&c, STREAM_A_PATH_TO, "cd", 2);
	assert_ok(encoder_end(&c, 0));
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buffer_release(&b);
}

static void test_several_commands(void **state)
{
	static const u8 want[] = {0, 0, 0, 0, 21, 0, 0, 0, 0, 0, 4, 0, 0, 0, 12, 0, 0, 0, 0, 0, 15, 0, 0, 0};
	struct buffer b = {0};
	struct encoder c;

	encoder_begin(&c, &b, 1, STREAM_C_END);
	assert_ok(encoder_end(&c, 0));
	encoder_begin(&c, &b, 1, STREAM_C_RMDIR);
	encoder_put(&c, STREAM_A_PATH, NULL, 0);
	assert_ok(encoder_end(&c, 0));
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buffer_release(&b);
}

/* The length of the command counts data that is not in the buffer. */
static void test_data_header_of_version_1(void **state)
{
	static const u8 want[] = {4, 192, 0, 0, 15, 0, 0, 0, 0, 0, 19, 0, 0, 192};
	struct buffer b = {0};
	struct encoder c;

	encoder_begin(&c, &b, 1, STREAM_C_WRITE);
	encoder_put_data_header(&c, 49152);
	assert_ok(encoder_end(&c, 49152));
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buffer_release(&b);
}

static void test_data_header_from_version_2_on(void **state)
{
	/* 2 + 131072 */
	static const u8 want[] = {2, 0, 2, 0, 15, 0, 0, 0, 0, 0, 19, 0};

	for (u32 proto = 2; proto <= 3; proto++) {
		struct buffer b = {0};
		struct encoder c;

		encoder_begin(&c, &b, proto, STREAM_C_WRITE);
		encoder_put_data_header(&c, 131072);
		assert_ok(encoder_end(&c, 131072));
		assert_int_equal(b.len, sizeof(want));
		assert_memory_equal(b.data, want, sizeof(want));
		buffer_release(&b);
	}
}

/* A WRITE with a path and as much data as makes @size bytes altogether. */
static int write_of(struct buffer *b, u32 proto, u32 size)
{
	u32 data = size - HEAD - (ATTR + 1) - (proto == 1 ? ATTR : 2);
	struct encoder c;

	encoder_begin(&c, b, proto, STREAM_C_WRITE);
	encoder_put(&c, STREAM_A_PATH, "f", 1);
	encoder_put_data_header(&c, data);
	return encoder_end(&c, data);
}

static void test_longest_command(void **state)
{
	static const u32 max[] = {0, 65536, 147456, 147456};
	static const char *const sentence[] = {
		NULL,
		"command 15 of 65537 bytes is longer than the 65536 of protocol 1",
		"command 15 of 147457 bytes is longer than the 147456 of protocol 2",
		"command 15 of 147457 bytes is longer than the 147456 of protocol 3",
	};

	for (u32 proto = 1; proto <= 3; proto++) {
		struct buffer b = {0};
		size_t len;

		assert_ok(write_of(&b, proto, max[proto]));
		len = b.len;
		assert_int_equal(len, HEAD + ATTR + 1 + (proto == 1 ? ATTR : 2));
		assert_int_equal(get_le32(b.data), max[proto] - HEAD);
		/* One byte more, and the buffer is as it was. */
		assert_error(write_of(&b, proto, max[proto] + 1), EOVERFLOW, sentence[proto]);
		assert_int_equal(b.len, len);
		assert_ok(write_of(&b, proto, max[proto]));
		assert_int_equal(b.len, 2 * len);
		assert_memory_equal(b.data, b.data + len, len);
		buffer_release(&b);
	}
}

/* Without data too. */
static void test_attributes_longer_than_a_command(void **state)
{
	struct buffer b = {0};
	struct encoder c;

	encoder_begin(&c, &b, 1, STREAM_C_SET_XATTR);
	encoder_put(&c, STREAM_A_XATTR_DATA, zeros, 65536 - HEAD - ATTR);
	assert_ok(encoder_end(&c, 0));
	assert_int_equal(b.len, 65536);
	encoder_begin(&c, &b, 1, STREAM_C_SET_XATTR);
	encoder_put(&c, STREAM_A_XATTR_DATA, zeros, 65536 - HEAD - ATTR + 1);
	assert_error(encoder_end(&c, 0), EOVERFLOW,
		     "command 13 of 65537 bytes is longer than the 65536 of protocol 1");
	assert_int_equal(b.len, 65536);
	buffer_release(&b);
}

static void test_attribute_too_long(void **state)
{
	struct buffer b = {0};
	struct encoder c;

	encoder_begin(&c, &b, 2, STREAM_C_SET_XATTR);
	encoder_put(&c, STREAM_A_XATTR_DATA, zeros, UINT16_MAX);
	assert_ok(encoder_end(&c, 0));
	assert_int_equal(b.len, HEAD + ATTR + UINT16_MAX);
	/* The error sticks, and what is put behind it goes nowhere. */
	encoder_begin(&c, &b, 2, STREAM_C_SET_XATTR);
	encoder_put(&c, STREAM_A_XATTR_DATA, zeros, UINT16_MAX + 1);
	encoder_put(&c, STREAM_A_PATH, "f", 1);
	encoder_put_data_header(&c, 1);
	assert_error(encoder_end(&c, 0), EOVERFLOW, "attribute 14 of command 13: 65536 bytes do not fit");
	assert_int_equal(b.len, HEAD + ATTR + UINT16_MAX);
	buffer_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_several_commands),
		cmocka_unit_test(test_data_header_of_version_1),
		cmocka_unit_test(test_data_header_from_version_2_on),
		cmocka_unit_test(test_longest_command),
		cmocka_unit_test(test_attributes_longer_than_a_command),
		cmocka_unit_test(test_attribute_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
