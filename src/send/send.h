/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Send one subvolume. */
#ifndef BTRFLY_SEND_SEND_H
#define BTRFLY_SEND_SEND_H

#include "base/progress.h"
#include "send/plan.h"
#include "stream/sink.h"

#define SEND_THREADS_MAX 256

struct send_request {
	const struct subvolume *subvolume;
	const struct subvolume *parent; /* NULL: a full send */
	const struct subvolume *clones; /* clone sources, the subvolume itself left out */
	size_t clone_count;
	struct plan_options options;
	unsigned threads; /* that read, verify and decompress; 0: as many as there are cores */
	u64 from_offset;  /* leave out the stream's first bytes; the data in them is not read */
	struct progress *progress; /* may be NULL */
};

/* Write the stream to @sink; *@bytes, if not NULL, is its length, left out bytes included.  What was written
 * before an error is a stream cut short, without END. */
int send_subvolume(struct filesystem *fs, const struct send_request *r, struct sink *sink, u64 *bytes);

struct prefix;

/* Whether the file @x goes on with this stream, without reading file data: 0 all of it is there, 1 the file ends
 * before, or an error (as prefix_compare()). */
int send_compare(struct filesystem *fs, const struct send_request *r, struct prefix *x);

struct send_measures {
	u64 bytes; /* of the stream, exactly */
	u64 data_bytes;
	u64 commands;
	u64 inodes;
};

/* What the stream will be, without reading file data. */
int send_measure(struct filesystem *fs, const struct send_request *r, struct send_measures *out);

#endif
