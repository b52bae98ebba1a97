/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A way down into a tree of directories and back up, for which one descriptor is enough however deep it is: ".."
 * leads up, and what it leads to must be the directory that was come from.
 */
#ifndef BTRFLY_RECEIVE_DESCENT_H
#define BTRFLY_RECEIVE_DESCENT_H

#include "base/buffer.h"
#include "receive/host.h"

struct descent {
	struct host *host;
	int root;             /* the caller's */
	int fd;               /* the directory at hand, the root or one beneath it */
	struct buffer levels; /* struct descent_level from the root to the directory at hand */
};

/* Each returns 0, or a negative errno with a sentence. */
int descent_init(struct descent *d, struct host *host, int root);
void descent_release(struct descent *d); /* closes what is at hand, but never the root */

/* Into the directory @name, which its owner may have closed to himself.  If it is not the one with the number @inode, unless
 * that is 0, it was replaced since it was looked at: -ESTALE. */
int descent_enter(struct descent *d, const char *name, ino_t inode);

/* Back up.  The directory that is left stays open for the caller: @left. */
int descent_leave(struct descent *d, int *left);

/* How many directories below the root the one at hand lies. */
size_t descent_depth(const struct descent *d);

static inline bool descent_at_root(const struct descent *d) { return d->fd == d->root; }

#endif
