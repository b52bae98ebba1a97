/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the references of an extent resolve to, kept for the next file that has the extent. */
#ifndef BTRFLY_SEND_RESOLVED_H
#define BTRFLY_SEND_RESOLVED_H

#include "send/groups.h"
#include "send/leaf_items.h"
#include "send/leaf_roots.h"

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
	u32 place_count, group_count;
	struct group **group; /* the places one after the other */
	bool uniform;         /* all places have the one span */
	struct span span[];
};

static inline const struct span *extent_span(const struct extent *e, u32 place)
{
	return &e->span[e->uniform ? 0 : place];
}

struct resolver;

int resolver_new(struct send_plan *p, struct groups *groups, struct leaf_roots *roots, struct resolver **out);
void resolver_free(struct resolver *r); /* NULL is fine */

/*
 * The extent at @bytenr, its references by falling subvolume, inode and offset, then those by leaf by falling
 * address.  *@out is NULL if it is not to be looked at: more than 1024 references (unless all are to be
 * cloned), or a single one where the send root is the only source; it is good until the next call.
 */
int resolver_find(struct resolver *r, u64 bytenr, struct extent **out);

#endif
