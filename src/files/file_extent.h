/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File extents in the machine's own numbers. */
#ifndef BTRFLY_FILES_FILE_EXTENT_H
#define BTRFLY_FILES_FILE_EXTENT_H

#include "format/extent.h"
#include "tree/cursor.h"

struct file_range {
	u64 file_offset;
	u64 num_bytes;      /* in the file; inline: ram_bytes */
	u64 generation;
	u64 ram_bytes;      /* of the whole extent, uncompressed */
	u64 disk_bytenr;    /* 0: a hole */
	u64 disk_num_bytes; /* on disk, of the whole extent */
	u64 offset;         /* into the uncompressed extent */
	const u8 *inline_data; /* points into the item; NULL unless type is inline */
	u32 inline_len;        /* on disk, compressed if compression says so */
	u8 type;        /* FILE_EXTENT_… */
	u8 compression; /* enum compression */
};

/* Translate and check an EXTENT_DATA item: sizes, sums, alignment to @sectorsize, known type,
 * compression and encryption.  -EIO or -EOPNOTSUPP with a sentence. */
int file_range_decode(const struct key *key, const void *item, u32 size, u32 sectorsize,
		      struct file_range *out);

/*
 * What byte @pos of inode @ino lies in, found with @c, a cursor over its subvolume's tree: 0 and the extent in
 * *@r, whose inline data lives until @c moves; or 1 in a hole.  Either ends at *@end, a hole behind the last
 * extent never.  An extent that starts behind another's start wins over it from there on.
 */
int file_range_at(struct cursor *c, u64 ino, u64 pos, u32 sectorsize, struct file_range *r, u64 *end);

#endif
