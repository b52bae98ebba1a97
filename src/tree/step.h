/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A step down a tree: what the block below must be follows from the way to it. */
#ifndef BTRFLY_TREE_STEP_H
#define BTRFLY_TREE_STEP_H

#include "tree/cursor.h"

int step_to_root(const struct tree *t, struct extent_buffer **out);

/* Read what slot[@level] of node[@level] points to.  node[] and slot[] are the way from there up to the root. */
int step_down(const struct tree *t, struct extent_buffer *const *node, const u32 *slot, u8 level,
	      struct extent_buffer **out);

#endif
