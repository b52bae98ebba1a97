/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a receive has come, beside the partial tree: DIR/.btrfly/UUID.partial, from which --resume
 * goes on.  It is right as long as the machine runs: a killed process loses nothing that it has written,
 * but after a crash nobody knows what of it reached the disk.
 */
#ifndef BTRFLY_RECEIVE_CHECKPOINT_H
#define BTRFLY_RECEIVE_CHECKPOINT_H

#include <limits.h>

#include "receive/host.h"
#include "receive/notes.h"

struct checkpoint {
	struct host *host;
	int dir; /* DIR/.btrfly, -1: there is no checkpoint */
	int fd;
	char file[64];
	u64 commands; /* that were applied, SUBVOL or SNAPSHOT the first; 0: that one is under way */
	u64 digest;   /* over them */
	char partial[NAME_MAX + 1];
};

static inline void checkpoint_init(struct checkpoint *c)
{
	*c = (struct checkpoint){.dir = -1, .fd = -1};
}

/* Learn which run of the machine this is, while /proc can be reached.  All others do it by themselves. */
void checkpoint_prepare(void);

/* Begin: before the first write of the tree that will be called @partial. */
int checkpoint_create(struct checkpoint *c, struct host *host, int dir, const u8 *uuid, const char *partial);

/* One more command is applied.  Cheap. */
int checkpoint_advance(struct checkpoint *c, u64 commands, u64 digest);

/* The notes have changed.  Not so cheap. */
int checkpoint_save(struct checkpoint *c, const struct tree_notes *n);

/* Of an earlier run: 0, -ENOENT if there is none, or another error with a sentence. */
int checkpoint_open(struct checkpoint *c, struct host *host, int dir, const u8 *uuid);
int checkpoint_load(struct checkpoint *c, struct tree_notes *n);

/* The subvolume is whole. */
void checkpoint_remove(struct checkpoint *c);
void checkpoint_release(struct checkpoint *c); /* and leave the file for later */

#endif
