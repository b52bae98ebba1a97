/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree is a root; a cursor is a place in it.
 *
 * A cursor holds references to the blocks on its way, so the item under it stays readable until it
 * is moved or released.  It is one thread's; a tree may be shared freely.
 */
#ifndef BTRFLY_TREE_CURSOR_H
#define BTRFLY_TREE_CURSOR_H

#include "tree/extent_buffer.h"

struct tree {
	struct extent_cache *cache;
	u64 objectid;
	u64 logical;
	u64 generation;
	u8 level;
};

struct cursor {
	const struct tree *tree;
	struct extent_buffer *node[LEVEL_MAX]; /* node[0] is the leaf; NULL above the root */
	u32 slot[LEVEL_MAX]; /* slot[0]: nritems past the end, -1 before the start */
};

/* The tree must outlive the cursor.  Nothing is read yet. */
void cursor_init(struct cursor *c, const struct tree *t);
void cursor_release(struct cursor *c); /* may be initialised again; releasing twice is fine */

/*
 * Stand on the first item whose key is not less than @k.
 * 0: on an item with exactly that key; 1: on a greater one, or past the end (cursor_at_end);
 * negative: an error.  Costs nothing but a search in the leaf when the place is in the leaf
 * that the cursor already stands in.
 */
int cursor_seek(struct cursor *c, const struct key *k);

/* Stand on the last item whose key is not greater than @k: 0 exactly, 1 on a lesser one or, with
 * cursor_at_end(), before the first. */
int cursor_seek_before(struct cursor *c, const struct key *k);

/* To the first item of the next leaf, or the last of the previous one: 0, or 1 past the end (before the
 * start), or an error. */
int cursor_next_leaf(struct cursor *c);
int cursor_prev_leaf(struct cursor *c);

/* To the next or previous item, likewise.  Past the end cursor_prev() leads to the last item, before the
 * start cursor_next() leads to the first.  A cursor that never stood anywhere, or whose last
 * move failed, is at the end and stays there. */
static inline int cursor_next(struct cursor *c)
{
	if (c->node[0] && c->slot[0] + 1 < c->node[0]->nritems) {
		c->slot[0]++;
		return 0;
	}
	return cursor_next_leaf(c);
}

static inline int cursor_prev(struct cursor *c)
{
	if (c->node[0] && c->slot[0] - 1 < c->node[0]->nritems) {
		c->slot[0]--;
		return 0;
	}
	return cursor_prev_leaf(c);
}

static inline bool cursor_at_end(const struct cursor *c)
{
	return !c->node[0] || c->slot[0] >= c->node[0]->nritems;
}

/* The item under the cursor, which must stand on one. */
static inline struct key cursor_key(const struct cursor *c)
{
	return block_key(c->node[0], c->slot[0]);
}

static inline const void *cursor_data(const struct cursor *c)
{
	return leaf_data(c->node[0], c->slot[0]);
}

static inline u32 cursor_size(const struct cursor *c)
{
	return leaf_size(c->node[0], c->slot[0]);
}

#endif
