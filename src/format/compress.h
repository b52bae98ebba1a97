/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decompression of the format's three codecs, each in btrfs's own framing. */
#ifndef BTRFLY_FORMAT_COMPRESS_H
#define BTRFLY_FORMAT_COMPRESS_H

#include "format/extent.h"

/* "none", "zlib", "lzo", "zstd"; NULL for an unknown type. */
const char *compression_name(u8 type);

/* Working memory of one thread; reused from call to call.  One thread at a time. */
struct decompressor;

int decompressor_new(struct decompressor **out); /* 0 or -ENOMEM */
void decompressor_free(struct decompressor *d);

/*
 * Decompress @in_len bytes of a whole extent (zlib: a zlib stream; zstd: one frame, trailing
 * bytes up to the sector end ignored; lzo: le32 total length, then segments of le32 length
 * and data which never lie across a sector boundary with their length field) into at most
 * @out_len bytes.  Where the data ends early the rest of @out is zeroed, as the kernel does.
 * @sectorsize matters to lzo alone.  Returns 0, or -EIO with a sentence on damage, or
 * -EOPNOTSUPP naming a codec that this build or the format does not have.
 */
int decompress_extent(struct decompressor *d, u8 type, const void *in, size_t in_len, void *out,
		      size_t out_len, u32 sectorsize);

/* The same for an inline extent (lzo: one segment behind the total length), but for one thing:
 * data that ends early is damage, as newer kernels have it. */
int decompress_inline(struct decompressor *d, u8 type, const void *in, size_t in_len, void *out,
		      size_t out_len, u32 sectorsize);

#endif
