/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which clone sources reach a leaf, in the order in which the kernel's walk up the trees finds them. */
#ifndef BTRFLY_SEND_LEAF_ROOTS_H
#define BTRFLY_SEND_LEAF_ROOTS_H

#include "send/plan.h"

/* A tree that references name, with a cursor of its own. */
struct root_view {
	struct lru_entry lru; /* by the tree's id */
	bool missing;
	struct tree tree;
	struct cursor cursor;
};

struct root_list {
	struct lru_entry lru; /* by the leaf's address */
	u32 count;
	u64 id[];
};

struct leaf_roots;

int leaf_roots_new(struct send_plan *p, struct leaf_roots **out);
void leaf_roots_free(struct leaf_roots *l); /* NULL is fine */

/* A look into the kernel's cache of 128 leaves; NULL if it does not have this one. */
const struct root_list *leaf_roots_cached(struct leaf_roots *l, u64 leaf);

/* Find the sources that reach @leaf, in which @key lies, and let the kernel's cache have them.  The list is
 * good until the next call. */
int leaf_roots_find(struct leaf_roots *l, u64 leaf, const struct key *key,
		    const struct root_list **out);

/* The tree of subvolume @id; its `missing` is set if there is none.  Good until the next call. */
int leaf_roots_view(struct leaf_roots *l, u64 id, struct root_view **out);

#endif
