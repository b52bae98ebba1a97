/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The difference of two trees, item by item in key order; blocks that both share are passed over whole.
 * A difference against nothing is every item of the left tree.
 */
#ifndef BTRFLY_TREE_DIFF_H
#define BTRFLY_TREE_DIFF_H

#include "tree/cursor.h"

enum diff_kind {
	DIFF_NEW,     /* in the left tree alone */
	DIFF_DELETED, /* in the right tree alone */
	DIFF_CHANGED, /* in both, with other data */
	DIFF_SAME,    /* equal, met in blocks that are not shared */
};

struct diff_side {
	const struct tree *tree; /* NULL: nothing */
	struct extent_buffer *node[LEVEL_MAX];
	u32 slot[LEVEL_MAX];
	int level; /* where the walk stands: 0 on an item, above on a pointer */
	struct key key;
	bool ended;
};

struct tree_diff {
	struct diff_side left, right;
	int advance_left, advance_right; /* enum advance of diff.c: what the next step owes */
};

/* Start before the first item.  @right may be NULL.  The trees must outlive the difference. */
int tree_diff_init(struct tree_diff *d, const struct tree *left, const struct tree *right);
void tree_diff_release(struct tree_diff *d);

/*
 * The next item: 1 with *@kind, 0 at the end, or an error.  For DIFF_NEW the item is under the left
 * side, for DIFF_DELETED under the right one, else under both; it stays readable until the next call.
 */
int tree_diff_next(struct tree_diff *d, enum diff_kind *kind);

#endif
