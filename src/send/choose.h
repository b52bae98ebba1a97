/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing the parent of an incremental send among its clone sources, as btrfs-progs does. */
#ifndef BTRFLY_SEND_CHOOSE_H
#define BTRFLY_SEND_CHOOSE_H

#include "files/subvolume.h"

enum choice_verdict {
	CHOICE_ORIGIN,    /* it is what the subvolume is a snapshot of: the best there is */
	CHOICE_SIBLING,   /* a snapshot of the same origin */
	CHOICE_STRANGER,  /* of another origin, or of none that is still there */
};

/* What was thought of one clone source. */
struct choice {
	enum choice_verdict verdict;
	u64 distance; /* CHOICE_SIBLING: generations between it and the origin; the smallest wins */
	bool chosen;
};

/*
 * The parent of @sv among @clones: its origin (the subvolume that it is a snapshot of) if that is one of them,
 * else the sibling whose last change is nearest to the origin's.  @considered, where not NULL, gets a
 * verdict for each of the @count clone sources.  *@parent is an index into @clones.
 * -ENOENT with a sentence if none will do.
 */
int send_choose_parent(struct filesystem *fs, const struct subvolume *sv,
		       const struct subvolume *clones, size_t count, struct choice *considered,
		       size_t *parent);

#endif
