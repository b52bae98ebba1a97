/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File data: which ranges go out, as writes, clones or holes. */
#ifndef BTRFLY_SEND_EXTENTS_H
#define BTRFLY_SEND_EXTENTS_H

#include "send/plan.h"

/* An EXTENT_DATA item of the send root. */
struct extent_at {
	const struct extent_buffer *leaf;
	u32 slot;
	struct key key;
	struct file_range range; /* filled in by plan_extent() */
};

/* The item under the left side of the difference, which the current inode has new or changed. */
int plan_extent(struct send_plan *p, struct extent_at *at);

/* All of the current inode's, as new. */
int plan_all_extents(struct send_plan *p);

/* A hole before the item that the parent snapshot has not. */
int plan_hole_before(struct send_plan *p, struct extent_at *at);

/* The hole at the end of the file, when the last item has been seen. */
int plan_last_hole(struct send_plan *p);

/* [@offset, @offset + @len) of the file, within @r: as writes, encoded or not, or by name only. */
int plan_write(struct send_plan *p, const struct file_range *r, u64 offset, u64 len);

/* Where a file range ends: inline data fills its last sector. */
u64 file_range_end(const struct file_range *r, u32 sectorsize);

/* Translate the item under a cursor, for the rooms that look at other files' extents. */
int plan_decode_range(struct send_plan *p, const struct cursor *c, struct file_range *out);

#endif
