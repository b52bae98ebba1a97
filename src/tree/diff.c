/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. Each side stands on a key at some level; node[level] up to the root are held, below is nothing.
 *  2. Sides move in lockstep: the one with the smaller key, or at the higher level, moves.
 *  3. Two equal keys at equal levels above the leaves are two pointers: where address and generation
 *     agree the subtrees are one and the same, and both sides go past it.
 */
#include "tree/diff.h"

#include <string.h>

#include "tree/step.h"

enum advance { STAY, INTO, PAST };

static int side_init(struct diff_side *s, const struct tree *t)
{
	*s = (struct diff_side){.tree = t, .ended = !t};
	if (!t)
		return 0;

	int ret = step_to_root(t, &s->node[t->level]);

	if (ret)
		return ret;
	s->level = t->level;
	if (!s->node[s->level]->nritems)
		s->ended = true;
	else
		s->key = block_key(s->node[s->level], 0);
	return 0;
}

static void side_release(struct diff_side *s)
{
	for (int i = 0; i < LEVEL_MAX; i++)
		extent_buffer_put(s->node[i]);
	*s = (struct diff_side){.ended = true};
}

static int side_descend(struct diff_side *s)
{
	u8 level = (u8)s->level;
	int ret = step_down(s->tree, s->node, s->slot, level, &s->node[level - 1]);

	if (ret)
		return ret;
	s->level--;
	s->slot[s->level] = 0;
	return 0;
}

/* To the next slot, climbing where a block is used up; past the root's last slot the side has ended. */
static void side_next(struct diff_side *s)
{
	s->slot[s->level]++;
	while (s->slot[s->level] >= s->node[s->level]->nritems) {
		if (s->level == s->tree->level) {
			s->ended = true;
			return;
		}
		extent_buffer_put(s->node[s->level]);
		s->node[s->level] = NULL;
		s->level++;
		s->slot[s->level]++;
	}
}

static int side_advance(struct diff_side *s, int how)
{
	int ret = 0;

	if (how == STAY || s->ended)
		return 0;
	if (s->level && how == INTO)
		ret = side_descend(s);
	else
		side_next(s);
	if (!ret && !s->ended)
		s->key = block_key(s->node[s->level], s->slot[s->level]);
	return ret;
}

int tree_diff_init(struct tree_diff *d, const struct tree *left, const struct tree *right)
{
	*d = (struct tree_diff){0};

	int ret = side_init(&d->left, left);

	if (!ret)
		ret = side_init(&d->right, right);
	if (ret)
		tree_diff_release(d);
	return ret;
}

void tree_diff_release(struct tree_diff *d)
{
	side_release(&d->left);
	side_release(&d->right);
}

static bool same_item(const struct tree_diff *d)
{
	const struct extent_buffer *l = d->left.node[0], *r = d->right.node[0];
	u32 ls = d->left.slot[0], rs = d->right.slot[0];
	u32 size = leaf_size(l, ls);

	return size == leaf_size(r, rs) && !memcmp(leaf_data(l, ls), leaf_data(r, rs), size);
}

static bool same_pointer(const struct tree_diff *d)
{
	const struct node_pointer *l = node_pointer_at(d->left.node[d->left.level],
						       d->left.slot[d->left.level]);
	const struct node_pointer *r = node_pointer_at(d->right.node[d->right.level],
						       d->right.slot[d->right.level]);

	return !memcmp(&l->blockptr, &r->blockptr, sizeof(l->blockptr)) &&
	       !memcmp(&l->generation, &r->generation, sizeof(l->generation));
}

int tree_diff_next(struct tree_diff *d, enum diff_kind *kind)
{
	for (;;) {
		int ret = side_advance(&d->left, d->advance_left);

		if (!ret)
			ret = side_advance(&d->right, d->advance_right);
		if (ret)
			return ret;
		d->advance_left = d->advance_right = STAY;

		if (d->left.ended && d->right.ended)
			return 0;
		if (d->left.ended || d->right.ended) {
			bool left = !d->left.ended;
			const struct diff_side *s = left ? &d->left : &d->right;

			*(left ? &d->advance_left : &d->advance_right) = INTO;
			if (s->level)
				continue;
			*kind = left ? DIFF_NEW : DIFF_DELETED;
			return 1;
		}
		if (d->left.level != d->right.level) {
			*(d->left.level > d->right.level ? &d->advance_left : &d->advance_right) =
				INTO;
			continue;
		}

		int cmp = key_cmp(&d->left.key, &d->right.key);
		bool leaf = d->left.level == 0;

		if (cmp <= 0)
			d->advance_left = INTO;
		if (cmp >= 0)
			d->advance_right = INTO;
		if (leaf) {
			*kind = cmp < 0   ? DIFF_NEW
				: cmp > 0 ? DIFF_DELETED
				: same_item(d) ? DIFF_SAME
					       : DIFF_CHANGED;
			return 1;
		}
		if (!cmp && same_pointer(d))
			d->advance_left = d->advance_right = PAST;
	}
}
