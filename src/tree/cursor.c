/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. Either all of node[] is NULL, or node[0 … tree->level] are the blocks from a leaf up to the root, each
 *     referenced, and slot[level] leads from each to the one below.
 *  2. Levels fall by one at each step down, so a descent takes tree->level steps; and the keys of a block
 *     lie between its own key in its parent and the next one, so a walk ends.
 */
#include "tree/cursor.h"

#include "tree/block.h"
#include "tree/step.h"

void cursor_init(struct cursor *c, const struct tree *t)
{
	*c = (struct cursor){.tree = t};
}

void cursor_release(struct cursor *c)
{
	for (int level = 0; level < LEVEL_MAX; level++) {
		extent_buffer_put(c->node[level]);
		c->node[level] = NULL;
	}
}

/* Read the block that slot[@level] of node[@level] points to, into node[@level - 1]. */
static int read_child(struct cursor *c, u8 level)
{
	struct extent_buffer *eb;
	int ret = step_down(c->tree, c->node, c->slot, level, &eb);

	if (ret)
		return ret;
	extent_buffer_put(c->node[level - 1]);
	c->node[level - 1] = eb;
	return 0;
}

/* Go down from node[@level] to the leaf, each time by the last pointer that is not greater than @k. */
static int descend(struct cursor *c, u8 level, const struct key *k, bool *equal)
{
	for (;; level--) {
		u32 slot = block_search(c->node[level], k, equal);

		c->slot[level] = slot;
		if (!level)
			return 0;
		if (!*equal && slot)
			c->slot[level]--;

		int ret = read_child(c, level);

		if (ret) {
			cursor_release(c);
			return ret;
		}
	}
}

/* Whether the place of @k is for certain in @eb or below it.  Behind the last key only the parent knows. */
static bool surely_holds(const struct extent_buffer *eb, const struct key *k)
{
	if (!eb->nritems)
		return false;

	struct key first = block_key(eb, 0), last = block_key(eb, eb->nritems - 1);

	return key_cmp(k, &first) >= 0 && key_cmp(k, &last) <= 0;
}

/* Stand where @k is or would be: slot[0] is the first not less than it, or nritems of a leaf. */
static int search(struct cursor *c, const struct key *k, bool *equal)
{
	u8 level = 0;

	if (c->node[0]) {
		while (level < c->tree->level && !surely_holds(c->node[level], k))
			level++;
	} else {
		int ret = step_to_root(c->tree, &c->node[c->tree->level]);

		if (ret)
			return ret;
		level = c->tree->level;
	}
	return descend(c, level, k, equal);
}

int cursor_seek(struct cursor *c, const struct key *k)
{
	bool equal;
	int ret = search(c, k, &equal);

	if (ret)
		return ret;
	if (equal)
		return 0;
	if (c->slot[0] < c->node[0]->nritems)
		return 1;
	ret = cursor_next_leaf(c);
	return ret < 0 ? ret : 1;
}

int cursor_seek_before(struct cursor *c, const struct key *k)
{
	bool equal;
	int ret = search(c, k, &equal);

	if (ret)
		return ret;
	if (equal)
		return 0;
	/* A leaf is entered by a key that is not greater, but for the first one of the tree. */
	c->slot[0]--;
	return 1;
}

/* Go down from node[@level] along its first or last pointers. */
static int descend_edge(struct cursor *c, u8 level, bool last)
{
	for (; level; level--) {
		int ret = read_child(c, level);

		if (ret) {
			cursor_release(c);
			return ret;
		}
		c->slot[level - 1] = last ? c->node[level - 1]->nritems - 1 : 0;
	}
	return 0;
}

int cursor_next_leaf(struct cursor *c)
{
	if (!c->node[0])
		return 1;
	for (u8 level = 1; level <= c->tree->level; level++) {
		if (c->slot[level] + 1 < c->node[level]->nritems) {
			c->slot[level]++;
			return descend_edge(c, level, false);
		}
	}
	c->slot[0] = c->node[0]->nritems;
	return 1;
}

int cursor_prev_leaf(struct cursor *c)
{
	if (!c->node[0])
		return 1;
	for (u8 level = 1; level <= c->tree->level; level++) {
		if (c->slot[level]) {
			c->slot[level]--;
			return descend_edge(c, level, true);
		}
	}
	c->slot[0] = (u32)-1;
	return 1;
}
