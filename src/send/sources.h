/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else refers to an extent, told in the order in which the kernel meets them. */
#ifndef BTRFLY_SEND_SOURCES_H
#define BTRFLY_SEND_SOURCES_H

#include "send/plan.h"

struct extent_walk;

struct extent_query {
	u64 bytenr;
	u64 position;   /* into the extent, of the first byte wanted; 0 for encoded extents */
	u64 file_offset; /* of that byte, in the file at hand */
	u64 len;         /* bytes wanted */
	bool skip_self; /* leave out the reference that these three name */
	u64 self_root, self_ino, self_offset;
};

int extent_walk_new(struct send_plan *p, struct extent_walk **out);
void extent_walk_free(struct extent_walk *w); /* NULL is fine */

/*
 * Call @each for the places (subvolume, inode, offset in the file, bytes from the item's start) that
 * hold the extent; 1 from it ends the walk.  Subvolumes that are no clone sources are left out.  Where all
 * places have @len bytes from @file_offset on, @each has to judge by subvolume and inode alone: what it has
 * turned down for the same inode may be left out, and what it has taken is told first.
 * 0 or an error.
 */
int extent_walk(struct extent_walk *w, const struct extent_query *q,
		int (*each)(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg), void *arg);

#endif
