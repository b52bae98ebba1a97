/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks the commands of a stream and has a target carry them out.  It knows which subvolume is being
 * received, checks what a command's values mean and that no path leaves the tree by its letters, and
 * says of every failure which command it was.
 */
#ifndef BTRFLY_RECEIVE_APPLIER_H
#define BTRFLY_RECEIVE_APPLIER_H

#include "receive/target.h"

struct applier {
	struct target *target;

	/* Of the subvolume at hand, SUBVOL or SNAPSHOT included. */
	u64 commands, digest;
	u64 skip;        /* so many of them an earlier run has applied; UINT64_MAX: all */
	u64 skip_digest; /* what they must have */

	bool receiving;    /* between SUBVOL or SNAPSHOT, and what ends it */
	bool again;        /* the next command may have been applied before */
	bool put_off;      /* SUBVOL or SNAPSHOT: what it ends failed, so that it was not begun */
	u8 uuid[16];       /* of the subvolume that is being received */
	bool without_data; /* it was sent with --no-data */
	u64 failures;      /* commands of it that were passed over */

	/* The inode that was made last, so that a failure on it can be told by its number. */
	u64 ino;
	struct tree_path ino_path;

	struct tree_path path, other; /* of the command at hand */
};

void applier_init(struct applier *a, struct target *t);

/* 0, or a negative errno with a sentence. */
int applier_command(struct applier *a, const struct decoded_command *c);

/*
 * @c failed, here or in the decoder, which leaves but its type in it, and is passed over: the subvolume will not be whole.
 * Where it was the end of the one before that failed, @c itself is applied now: 0 or a negative errno with a sentence.
 */
int applier_passed_over(struct applier *a, const struct decoded_command *c);

/* What every command's values must fulfil, and its paths; the applier's part that needs no target. */
int applier_check(const struct decoded_command *c, struct tree_path *path, struct tree_path *other);

/* Put which command it was in front of this thread's sentence: its number, offset, path and, where it
 * is not 0, the inode.  Returns @ret. */
int applier_wrap(const struct decoded_command *c, u64 ino, int ret);

#endif
