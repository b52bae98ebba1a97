/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a tree while it is received, and the tree itself does not hold. */
#ifndef BTRFLY_RECEIVE_NOTES_H
#define BTRFLY_RECEIVE_NOTES_H

#include <time.h>

#include "receive/path_table.h"

struct tree_notes {
	struct path_table missing; /* nodes that could not be made */
	struct path_table flags;   /* FS_…_FL that forbid further changes: for the end */

	/* The root's access and change times: new inodes are made in it under their first names, so that
	 * its own times come last. */
	bool has_times;
	struct timespec times[2];
	u64 times_changed;
};

/* Grows with every change. */
static inline u64 tree_notes_changes(const struct tree_notes *n)
{
	return n->missing.changes + n->flags.changes + n->times_changed;
}

static inline void tree_notes_set_times(struct tree_notes *n, struct timespec atime,
					struct timespec mtime)
{
	n->has_times = true;
	n->times[0] = atime;
	n->times[1] = mtime;
	n->times_changed++;
}

static inline void tree_notes_clear(struct tree_notes *n)
{
	path_table_release(&n->missing);
	path_table_release(&n->flags);
	n->has_times = false;
	n->times_changed++;
}

#endif
