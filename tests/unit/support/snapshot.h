/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a subvolume made by hand, item by item, right or wrong. */
#ifndef BTRFLY_TESTS_SNAPSHOT_H
#define BTRFLY_TESTS_SNAPSHOT_H

#include "forest.h"

#define SNAPSHOT_ITEMS 128
#define SNAPSHOT_BYTES 65536

struct snapshot {
	u64 transid; /* of the inodes that are added, so that they can differ from another snapshot's */
	struct image_item items[SNAPSHOT_ITEMS];
	u32 count;
	u8 bytes[SNAPSHOT_BYTES];
	size_t used;
};

/* Any item; its data is copied. */
void snapshot_item(struct snapshot *s, struct key key, const void *data, size_t size);

/* An inode of one link, generation @gen, and @mode with its type. */
void snapshot_inode(struct snapshot *s, u64 ino, u64 gen, u32 mode, u64 size);

/* An INODE_REF item of one name. */
void snapshot_name(struct snapshot *s, u64 ino, u64 dir, u64 index, const char *name);

/* A DIR_INDEX item. */
void snapshot_entry(struct snapshot *s, u64 dir, u64 index, u64 ino, const char *name);

/* Write it to blocks @n, the root, and behind it, in key order.  All of it is @owner's. */
struct tree snapshot_write(struct snapshot *s, struct forest *f, u32 n, u64 owner);

#endif
