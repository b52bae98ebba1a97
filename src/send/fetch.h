/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From plan to bytes: file data is read, verified and put in its place, checksums are filled in. */
#ifndef BTRFLY_SEND_FETCH_H
#define BTRFLY_SEND_FETCH_H

#include "files/data.h"
#include "send/batch.h"

/* Working memory of one thread. */
struct fetcher;

int fetcher_new(struct filesystem *fs, struct fetcher **out); /* @fs must outlive it */
void fetcher_free(struct fetcher *f);			      /* NULL is fine */

/* Write commands [first, last) of @b to @out as they stand in the stream: op_bytes() of each. */
int fetcher_render(struct fetcher *f, const struct batch *b, size_t first, size_t last, u8 *out);

static inline u64 op_bytes(const struct op *op)
{
	return (u64)op->len + op->data_len;
}

/* Have the data of commands [first, last) brought in. */
void fetch_ahead(struct filesystem *fs, const struct batch *b, size_t first, size_t last);

#endif
