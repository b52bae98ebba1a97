/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Little-endian integers as they lie on disk and in streams: byte arrays of
 * alignment one, so that a struct of them has no padding and may be laid over
 * any byte of a buffer.
 */
#ifndef BTRFLY_BASE_BYTES_H
#define BTRFLY_BASE_BYTES_H

#include <string.h>

#include "base/types.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTES_SWAP(bits, v) (v)
#else
#define BYTES_SWAP(bits, v) __builtin_bswap##bits(v)
#endif

static inline u16 get_le16(const void *p)
{
	u16 v;
	memcpy(&v, p, sizeof(v));
	return BYTES_SWAP(16, v);
}

static inline u32 get_le32(const void *p)
{
	u32 v;
	memcpy(&v, p, sizeof(v));
	return BYTES_SWAP(32, v);
}

static inline u64 get_le64(const void *p)
{
	u64 v;
	memcpy(&v, p, sizeof(v));
	return BYTES_SWAP(64, v);
}

static inline void put_le16(void *p, u16 v)
{
	v = BYTES_SWAP(16, v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le32(void *p, u32 v)
{
	v = BYTES_SWAP(32, v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le64(void *p, u64 v)
{
	v = BYTES_SWAP(64, v);
	memcpy(p, &v, sizeof(v));
}

typedef struct { u8 b[2]; } le16;
typedef struct { u8 b[4]; } le32;
typedef struct { u8 b[8]; } le64;

static inline u16 le16_get(le16 v) { return get_le16(v.b); }
static inline u32 le32_get(le32 v) { return get_le32(v.b); }
static inline u64 le64_get(le64 v) { return get_le64(v.b); }

static inline le16 le16_of(u16 v) { le16 r; put_le16(r.b, v); return r; }
static inline le32 le32_of(u32 v) { le32 r; put_le32(r.b, v); return r; }
static inline le64 le64_of(u64 v) { le64 r; put_le64(r.b, v); return r; }

#endif
