/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checksums, by the libraries that are fastest at them.
 *
 * State: the tables below and libgcrypt's initialisation, each made once, by whichever thread
 * comes first, and never changed afterwards.
 */
#include "format/checksum.h"

#include <assert.h>
#include <gcrypt.h>
#include <isa-l/crc.h>
#include <pthread.h>
#include <xxhash.h>

#include "base/bytes.h"

static const struct {
	const char *name;
	size_t size;
} types[CHECKSUM_TYPES] = {
	[CHECKSUM_CRC32C] = {"crc32c", 4},
	[CHECKSUM_XXHASH64] = {"xxhash64", 8},
	[CHECKSUM_SHA256] = {"sha256", 32},
	[CHECKSUM_BLAKE2B] = {"blake2b", 32},
};

size_t checksum_size(u16 type)
{
	return type < CHECKSUM_TYPES ? types[type].size : 0;
}

const char *checksum_name(u16 type)
{
	return type < CHECKSUM_TYPES ? types[type].name : NULL;
}

/* A program that uses libgcrypt itself has initialised it by its own wishes. */
static void init_gcrypt(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static void hash(int algorithm, const void *data, size_t len, u8 *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_gcrypt);
	gcry_md_hash_buffer(algorithm, out, data, len);
}

void checksum_compute(u16 type, const void *data, size_t len, u8 *out)
{
	assert(type < CHECKSUM_TYPES);
	switch ((enum checksum_type)type) {
	case CHECKSUM_CRC32C:
		put_le32(out, ~crc32c_raw(~0u, data, len));
		break;
	case CHECKSUM_XXHASH64:
		put_le64(out, XXH64(data, len, 0));
		break;
	case CHECKSUM_SHA256:
		hash(GCRY_MD_SHA256, data, len, out);
		break;
	case CHECKSUM_BLAKE2B:
		hash(GCRY_MD_BLAKE2B_256, data, len, out);
		break;
	case CHECKSUM_TYPES:
		break;
	}
}

u32 crc32c_raw(u32 seed, const void *data, size_t len)
{
	/* crc32_iscsi() inverts nothing, takes its length as an int, and is not const. */
	const size_t step = 1u << 30;
	u8 *p = (u8 *)data;

	for (; len > step; p += step, len -= step)
		seed = crc32_iscsi(p, (int)step, seed);
	return crc32_iscsi(p, (int)len, seed);
}

/*
 * Feeding zero bytes to the crc is linear, so 2^n of them are one 32×32 matrix over GF(2),
 * kept as what each value of each four-bit digit of the crc turns into.  Any length is the
 * product of the matrices of its binary digits: two products for a 48 KiB piece of a stream.
 */
#define DIGITS 8

static u32 zeros[64][DIGITS][16];

static u32 after_zeros(unsigned n, u32 crc)
{
	u32 sum = 0;

	for (unsigned i = 0; i < DIGITS; i++)
		sum ^= zeros[n][i][(crc >> (4 * i)) & 15];
	return sum;
}

static void init_zeros(void)
{
	static const u8 zero;

	for (unsigned n = 0; n < 64; n++) {
		for (unsigned bit = 0; bit < 32; bit++) {
			u32 *digit = zeros[n][bit / 4];
			unsigned value = 1u << (bit % 4);

			digit[value] = n ? after_zeros(n - 1, after_zeros(n - 1, 1u << bit))
					 : crc32c_raw(1u << bit, &zero, 1);
			for (unsigned below = 1; below < value; below++)
				digit[value | below] = digit[value] ^ digit[below];
		}
	}
}

u32 crc32c_zeros(u32 seed, u64 len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_zeros);
	for (; len; len &= len - 1)
		seed = after_zeros((unsigned)__builtin_ctzll(len), seed);
	return seed;
}

u32 crc32c_combine(u32 crc_a, u32 crc_b, u64 len_b)
{
	return crc32c_zeros(crc_a, len_b) ^ crc_b;
}
