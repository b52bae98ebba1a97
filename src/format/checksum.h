/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The four checksums of the format, and crc32c's arithmetic for streams and names. */
#ifndef BTRFLY_FORMAT_CHECKSUM_H
#define BTRFLY_FORMAT_CHECKSUM_H

#include "base/types.h"

enum checksum_type {
	CHECKSUM_CRC32C = 0,
	CHECKSUM_XXHASH64 = 1,
	CHECKSUM_SHA256 = 2,
	CHECKSUM_BLAKE2B = 3,
	CHECKSUM_TYPES,
};

#define CHECKSUM_SIZE_MAX 32

/* Bytes of one checksum, 0 for an unknown type. */
size_t checksum_size(u16 type);
/* "crc32c", "xxhash64", "sha256", "blake2b"; NULL for an unknown type. */
const char *checksum_name(u16 type);

/* The checksum of @len bytes as it is stored on disk, checksum_size(@type) bytes into @out.
 * Any thread; @type must be known. */
void checksum_compute(u16 type, const void *data, size_t len, u8 *out);

/*
 * crc32c without inversion before or after, as the kernel's crc32c(seed, …): the stream's
 * checksum is crc32c_raw(0, …), the disk's is ~crc32c_raw(~0, …), a name's hash is
 * crc32c_raw(~1, name).
 */
u32 crc32c_raw(u32 seed, const void *data, size_t len);

/* crc32c_raw(0, A‖B) from @crc_a = crc32c_raw(0, A) and @crc_b = crc32c_raw(0, B), B of @len_b bytes. */
u32 crc32c_combine(u32 crc_a, u32 crc_b, u64 len_b);

/* crc32c_raw(@seed, @len zero bytes): what carries a seed over data whose seedless crc is known. */
u32 crc32c_zeros(u32 seed, u64 len);

static inline u64 name_hash(const char *name, size_t len)
{
	return crc32c_raw((u32)~1, name, len);
}

#endif
