/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cloning: where else the bytes of an extent are, and what can be said of them with CLONE commands. */
#ifndef BTRFLY_SEND_CLONE_H
#define BTRFLY_SEND_CLONE_H

#include "send/extents.h"

/* A subvolume that may be cloned from, with the best place found for the extent at hand. */
struct clone_source {
	struct plan_root *root;
	bool owned; /* root is this table's */
	bool found;
	u64 ino, offset, num_bytes;
};

struct clone_sources {
	struct clone_source *source; /* by rising subvolume id; the send root is one of them */
	size_t count;
	struct extent_walk *walk; /* sources.c */
};

int clone_sources_new(struct send_plan *p, const struct subvolume *clones, size_t count,
		      struct clone_sources **out);
void clone_sources_free(struct clone_sources *s); /* NULL is fine */

/* The source that is subvolume @root, or NULL. */
struct clone_source *clone_source_find(struct clone_sources *s, u64 root);

/* The place to clone the extent at hand from, or NULL. */
int plan_find_clone(struct send_plan *p, const struct extent_at *at, struct clone_source **out);

/* Whether [@offset, @end) may be cloned whole from there as far as its end goes: 1, 0, or an error.
 * May send a TRUNCATE that the clone needs. */
int plan_can_clone(struct send_plan *p, const struct clone_source *from, u64 offset, u64 end);

/* Send [@offset, @offset + @len) of @r, cloned where the source has the same bytes, written elsewhere. */
int plan_clone_range(struct send_plan *p, const struct file_range *r, struct clone_source *from,
		     u64 offset, u64 len);

#endif
