/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a file is the beginning of a planned stream: its commands, one by one, against the plan's.  File data is
 * not read from the filesystem for it: that it is whole is known from the commands' checksums, and that it is
 * this subvolume's, in this state, from the subvolume's command (uuid and transaction).
 */
#ifndef BTRFLY_SEND_PREFIX_H
#define BTRFLY_SEND_PREFIX_H

#include "send/batch.h"
#include "stream/decode.h"

struct prefix {
	int fd;
	const char *name; /* for messages */
	struct stream_decoder decoder;
	u64 offset; /* bytes found to be the stream's: the end of a command */
	u8 *bytes;  /* what has been read of the file behind it, [start, end) */
	size_t start, end;
};

/* @fd is read from its start by position; @name must outlive it.  To be released in either case. */
int prefix_init(struct prefix *x, int fd, const char *name);
void prefix_release(struct prefix *x);

/*
 * The next commands of the stream are those of @b: 0 they are in the file, too; 1 the file ends before or within one
 * of them; or -EINVAL with a sentence that names offset and command and says what differs.
 */
int prefix_compare(struct prefix *x, const struct batch *b);

/* The stream is at its end: 0 if the file is, too. */
int prefix_finish(struct prefix *x);

#endif
