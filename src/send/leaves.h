/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The leaves that refer to data extents, with what is known of each. */
#ifndef BTRFLY_SEND_LEAVES_H
#define BTRFLY_SEND_LEAVES_H

#include "base/list.h"
#include "base/map.h"

/* Clone sources that reach a leaf, in the order in which the kernel meets them. */
struct root_list {
	u32 count;
	u64 id[];
};

struct leaf {
	struct map_node node;    /* by address */
	struct list order;       /* of the cached, or of the idle */
	struct root_list *roots; /* the leaf's own; NULL: not asked yet */
	size_t users;
	bool cached; /* the kernel's cache has it */
	u32 number;  /* in the walk at hand (sources.c) */
};

struct leaves {
	struct map all;
	struct list cached; /* least recently used first, as the kernel has them */
	struct list idle;   /* without users, those that are so for longest first */
	size_t cached_count, idle_count;
	size_t bytes; /* of those with users */
};

int leaves_init(struct leaves *l);     /* 0 or -ENOMEM */
void leaves_release(struct leaves *l); /* nobody but the kernel's cache may have a leaf any more */

/* The leaf at @address for one more user, until leaves_put(); NULL: out of memory. */
struct leaf *leaves_get(struct leaves *l, u64 address);
void leaves_put(struct leaves *l, struct leaf *leaf);

/* Keep a copy of what was found for a leaf in use that has no list yet: 0 or -ENOMEM. */
int leaves_set_roots(struct leaves *l, struct leaf *leaf, const u64 *id, u32 count);

/* The kernel stores a leaf, whose roots are known, and which its cache does not have. */
void leaves_store(struct leaves *l, struct leaf *leaf);

/* The kernel finds a leaf in its cache. */
static inline void leaves_touch(struct leaves *l, struct leaf *leaf)
{
	list_remove(&leaf->order);
	list_add_tail(&l->cached, &leaf->order);
}

static inline u64 leaf_address(const struct leaf *leaf) { return leaf->node.key; }

#endif
