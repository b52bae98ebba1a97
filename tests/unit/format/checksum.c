/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"

static void expect(u16 type, const char *data, size_t len, const char *hex)
{
	u8 got[CHECKSUM_SIZE_MAX];
	char text[2 * CHECKSUM_SIZE_MAX + 1];

	checksum_compute(type, data, len, got);
	for (size_t i = 0; i < checksum_size(type); i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", got[i]);
	assert_string_equal(text, hex);
}

static void test_types(void **state)
{
	assert_int_equal(checksum_size(CHECKSUM_CRC32C), 4);
	assert_int_equal(checksum_size(CHECKSUM_XXHASH64), 8);
	assert_int_equal(checksum_size(CHECKSUM_SHA256), 32);
	assert_int_equal(checksum_size(CHECKSUM_BLAKE2B), 32);
	assert_int_equal(checksum_size(4), 0);
	assert_string_equal(checksum_name(CHECKSUM_BLAKE2B), "blake2b");
	assert_null(checksum_name(4));
}

/* RFC 3720, B.4; the digits lie on the wire, and on disk, in this order. */
static void test_crc32c_vectors(void **state)
{
	char data[32];

	memset(data, 0, sizeof(data));
	expect(CHECKSUM_CRC32C, data, sizeof(data), "aa36918a");
	memset(data, 0xff, sizeof(data));
	expect(CHECKSUM_CRC32C, data, sizeof(data), "43aba862");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	expect(CHECKSUM_CRC32C, data, sizeof(data), "4e79dd46");
	expect(CHECKSUM_CRC32C, "123456789", 9, "839206e3");
	expect(CHECKSUM_CRC32C, "", 0, "00000000");
}

/* The published values; xxhash64 is a number, which lies on disk lowest byte first. */
static void test_hash_vectors(void **state)
{
	expect(CHECKSUM_XXHASH64, "", 0, "99e9d85137db46ef");
	expect(CHECKSUM_XXHASH64, "abc", 3, "990977adf52cbc44");
	expect(CHECKSUM_SHA256, "abc", 3,
	       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect(CHECKSUM_BLAKE2B, "", 0,
	       "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	expect(CHECKSUM_BLAKE2B, "abc", 3,
	       "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

/* Bit by bit from the polynomial, sharing nothing with the code under test. */
static u32 slow_crc(u32 crc, const u8 *data, size_t len)
{
	while (len--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static void test_crc32c_raw(void **state)
{
	u8 data[3000];

	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)rand();
	for (int i = 0; i < 500; i++) {
		size_t start = (size_t)rand() % 64;
		size_t len = (size_t)rand() % (sizeof(data) - start);
		u32 seed = (u32)rand() * 3u;

		assert_int_equal(crc32c_raw(seed, data + start, len),
				 slow_crc(seed, data + start, len));
	}
	assert_int_equal(crc32c_raw(42, data, 0), 42);
}

/* The DIR_ITEM key offset of "default" in the root tree of every btrfs there is. */
static void test_name_hash(void **state)
{
	assert_true(name_hash("default", 7) == 2378154706u);
}

static void test_zeros(void **state)
{
	static u8 zero[200000];
	static const u64 lengths[] = {0, 1, 7, 4095, 4096, 49152, 131072, 199999};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		assert_int_equal(crc32c_zeros(0xdeadbeef, lengths[i]),
				 slow_crc(0xdeadbeef, zero, lengths[i]));
		assert_int_equal(crc32c_zeros(0, lengths[i]), 0);
	}
	/* x has order 2^31 - 1 modulo the polynomial, so that many bytes change nothing. */
	assert_int_equal(crc32c_zeros(0xdeadbeef, (1ull << 31) - 1), 0xdeadbeef);
	assert_int_equal(crc32c_zeros(0xdeadbeef, ((1ull << 31) - 1) << 33), 0xdeadbeef);
}

static void test_combine_at_random_splits(void **state)
{
	static u8 data[150000];

	srand(2);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)rand();
	for (int i = 0; i < 500; i++) {
		size_t len = (size_t)rand() % sizeof(data) + 1;
		size_t cut = (size_t)rand() % (len + 1);
		u32 a = crc32c_raw(0, data, cut);
		u32 b = crc32c_raw(0, data + cut, len - cut);

		assert_int_equal(crc32c_combine(a, b, len - cut), crc32c_raw(0, data, len));
	}
}

/* What idea 4 of the design rests on: the disk's crc of a block gives the stream's. */
static void test_seed_can_be_exchanged(void **state)
{
	u8 data[4096], disk[4];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7);
	checksum_compute(CHECKSUM_CRC32C, data, sizeof(data), disk);

	u32 stored = (u32)disk[0] | (u32)disk[1] << 8 | (u32)disk[2] << 16 | (u32)disk[3] << 24;

	assert_int_equal(~stored ^ crc32c_zeros(~0u, sizeof(data)), slow_crc(0, data, sizeof(data)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_crc32c_vectors),
		cmocka_unit_test(test_hash_vectors),
		cmocka_unit_test(test_crc32c_raw),
		cmocka_unit_test(test_name_hash),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_combine_at_random_splits),
		cmocka_unit_test(test_seed_can_be_exchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
