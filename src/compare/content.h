/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a file holds the same bytes in two subvolumes, and where it does not.
 *
 * Only those parts are looked at where the file's extents are not the same in both.  What lies in one and the
 * same extent is equal; of other extents the checksums are compared, and where those do not say it, the
 * verified data.
 */
#ifndef BTRFLY_COMPARE_CONTENT_H
#define BTRFLY_COMPARE_CONTENT_H

#include "files/csum.h"
#include "files/data.h"
#include "files/inode.h"
#include "format/checksum.h"

/* [start, end) of a file: whole sectors, except where a file ends. */
struct byte_range {
	u64 start, end;
};

struct content_options {
	bool ranges; /* wanted; else the first difference is enough */
	bool data;   /* equal checksums do not count */
};

/* The file in one of the subvolumes. */
struct content_side {
	const char *called; /* "old", "new": in errors */
	struct cursor extents;
	struct data_reader *data;
	struct csum_finder sums;
	u64 ino, size;
	bool verify;
	u8 *buf;
};

struct content {
	struct filesystem *fs;
	struct content_options options;
	u32 sectorsize;
	struct content_side old, new;
	struct byte_range suspect; /* may differ, not yet compared; empty: none */
	u64 common;                /* the lesser of the two sizes */

	bool changed;
	struct byte_range *ranges;
	size_t count, capacity;
	u8 zero_sum[CHECKSUM_SIZE_MAX]; /* of a sector of zeros */
};

/* The trees must outlive @c.  Zero-initialised may be released. */
int content_init(struct content *c, struct filesystem *fs, const struct tree *old, const struct tree *new,
		 const struct content_options *options);
void content_release(struct content *c);

/* Turn to another file: the same inode as it is in both. */
void content_begin(struct content *c, const struct inode *old, const struct inode *new);

/* An EXTENT_DATA item that only one of the subvolumes has, or has so.  They come by rising offset. */
int content_suspect(struct content *c, const struct key *key, const void *item, u32 size);

/* Behind the last one: c->changed and the ranges are complete, until the next file begins. */
int content_finish(struct content *c);

#endif
