/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is noted of one path of a tree; all zero is nothing. */
#ifndef BTRFLY_RECEIVE_NOTE_H
#define BTRFLY_RECEIVE_NOTE_H

#include "base/types.h"

struct note {
	bool missing; /* the node could not be made */
	bool copy;    /* with links: this name gets its content at the end, as a copy of the one that is none */
	u32 flags;    /* FS_…_FL that forbid further changes: for the end */
	u64 links;    /* not 0: a name of a file that the filesystem gives no further name; the same for all of them */
};

static inline bool note_is_empty(const struct note *n)
{
	return !n->missing && !n->copy && !n->flags && !n->links;
}

#endif
