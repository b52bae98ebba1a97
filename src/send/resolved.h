/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the references of an extent resolve to, kept for the next file that has the extent. */
#ifndef BTRFLY_SEND_RESOLVED_H
#define BTRFLY_SEND_RESOLVED_H

#include "send/leaf_items.h"
#include "send/leaf_roots.h"

/*
 * Who refers, and from which leaves.  Extents that lie next to each other in files that are copies of
 * each other have all this in common, so it is kept once for all of them.
 */
struct referrers {
	struct map_node node; /* by a hash of what it holds */
	u64 id;               /* never given twice */
	u32 users;            /* extents */
	u32 ref_count, place_count;
	struct referrer {
		u64 root; /* 0: by leaf */
		u64 ino;
		u32 first, count; /* places */
	} *ref;
	struct referring_place {
		u64 leaf, ino;
	} *place;
};

/* Which bytes a place has. */
struct span {
	u64 file_offset;
	u64 data_offset; /* into the extent */
	u64 num_bytes;
	bool encoded; /* compressed: the offset plays no part */
};

struct extent {
	struct lru_entry lru; /* by address */
	size_t bytes;
	struct referrers *who;
	bool uniform; /* all places have the one span */
	struct span span[];
};

static inline const struct span *extent_span(const struct extent *e, u32 place)
{
	return &e->span[e->uniform ? 0 : place];
}

struct resolver;

int resolver_new(struct send_plan *p, struct leaf_roots *roots, struct resolver **out);
void resolver_free(struct resolver *r); /* NULL is fine */

/*
 * The extent at @bytenr, its references by falling subvolume, inode and offset, then those by leaf by falling
 * address.  *@out is NULL if it is not to be looked at: more than 1024 references (unless all are to be
 * cloned), or a single one where the send root is the only source; it is good until the next call.
 */
int resolver_find(struct resolver *r, u64 bytenr, struct extent **out);

#endif
