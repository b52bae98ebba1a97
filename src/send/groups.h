/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places that refer to an extent, in groups that neighbouring extents share. */
#ifndef BTRFLY_SEND_GROUPS_H
#define BTRFLY_SEND_GROUPS_H

#include "send/leaves.h"

/* An item in a leaf that refers to an extent, and by which reference it was found. */
struct named_place {
	u64 leaf;
	u64 root; /* of the reference; 0: it names the leaf */
	u64 ino;
	bool first; /* of the reference's places */
};

struct referring_place {
	struct leaf *leaf;
	u64 root, ino;
	bool first;
};

struct group {
	struct map_node node; /* by a hash of its places */
	size_t users;

	/* What a walk makes of it (sources.c). */
	struct list touched;
	bool pending;
	bool touches; /* leaves that the kernel's cache has are met */
	bool taken;   /* the last place met is cloned from, */
	u64 root;     /* in this subvolume */
	u64 state;    /* when this holds */
	u32 met;      /* places, from the first */

	u32 count;
	struct referring_place place[];
};

struct groups {
	struct map all;
	struct leaves *leaves;
	size_t bytes; /* without the leaves */
};

int groups_init(struct groups *g, struct leaves *leaves); /* 0 or -ENOMEM */
void groups_release(struct groups *g);                    /* the groups must have been put */

/* How many of @count places, of which there is one at least, the first group has. */
u32 group_length(const struct named_place *p, size_t count);

/* The group of just these places for one more user, until groups_put(); NULL: out of memory. */
struct group *groups_get(struct groups *g, const struct named_place *p, u32 count);
void groups_put(struct groups *g, struct group *group);

#endif
