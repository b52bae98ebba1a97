/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which clone sources reach a leaf, in the order in which the kernel's walk up the trees finds them. */
#ifndef BTRFLY_SEND_LEAF_ROOTS_H
#define BTRFLY_SEND_LEAF_ROOTS_H

#include "send/leaves.h"
#include "send/plan.h"

/* A tree that references name, with a cursor of its own. */
struct root_view {
	struct lru_entry lru; /* by the tree's id */
	bool missing;
	struct tree tree;
	struct cursor cursor;
};

struct leaf_roots;

/* @leaves: those that leaf_roots_find() will be asked for. */
int leaf_roots_new(struct send_plan *p, struct leaves *leaves, struct leaf_roots **out);
void leaf_roots_free(struct leaf_roots *l); /* NULL is fine */

/* Fill in the roots of @leaf, in which @key lies: the clone sources that reach it. */
int leaf_roots_find(struct leaf_roots *l, struct leaf *leaf, const struct key *key);

/* The tree of subvolume @id; its `missing` is set if there is none.  Good until the next call. */
int leaf_roots_view(struct leaf_roots *l, u64 id, struct root_view **out);

#endif
