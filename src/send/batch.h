/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A batch: a piece of the plan of a stream.  Commands in their order, complete but for their checksums
 * and for file data, of which a slice says where it is to be had.
 */
#ifndef BTRFLY_SEND_BATCH_H
#define BTRFLY_SEND_BATCH_H

#include "base/buffer.h"
#include "files/file_extent.h"

enum slice_kind {
	SLICE_ZERO,  /* a hole that goes out as zeros */
	SLICE_RANGE, /* bytes of a file range, decompressed */
	SLICE_RAW,   /* an extent as it lies on disk: encoded writes */
};

struct slice {
	u8 kind;
	bool verify; /* the file has checksums */
	u64 ino;
	u64 start; /* SLICE_RANGE: bytes into the range */
	struct file_range range;
	size_t inline_at; /* where in batch->bytes the inline data of the range lies */
};

#define NO_SLICE UINT32_MAX

/* One command: bytes [at, at + len) of the batch, then data_len bytes of the slice. */
struct op {
	size_t at;
	u32 len;
	u32 data_len;
	u32 slice;
	u16 cmd; /* STREAM_C_…, or 0 for the stream header */
};

struct batch {
	struct buffer bytes;
	struct op *ops;
	size_t op_count, op_capacity;
	struct slice *slices;
	size_t slice_count, slice_capacity;
	u64 data_bytes; /* sum of data_len */
};

void batch_clear(struct batch *b);
void batch_release(struct batch *b);

/* Everything appended to b->bytes since @start becomes one command.  0 or -ENOMEM. */
int batch_add(struct batch *b, size_t start, u16 cmd, const struct slice *s, u32 data_len);

/* Length of the whole batch in the stream. */
static inline u64 batch_stream_bytes(const struct batch *b)
{
	/* Inline data lies in b->bytes between commands: not counted here but in data_len. */
	u64 sum = 0;

	for (size_t i = 0; i < b->op_count; i++)
		sum += (u64)b->ops[i].len + b->ops[i].data_len;
	return sum;
}

#endif
