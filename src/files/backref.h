/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Back references: who refers to an extent, as the extent tree has it. */
#ifndef BTRFLY_FILES_BACKREF_H
#define BTRFLY_FILES_BACKREF_H

#include "format/extent.h"
#include "tree/cursor.h"

struct backref {
	u8 type; /* KEY_TREE_BLOCK_REF, KEY_SHARED_BLOCK_REF, KEY_EXTENT_DATA_REF, KEY_SHARED_DATA_REF */
	u32 count;
	u64 root;          /* TREE_BLOCK_REF, EXTENT_DATA_REF */
	u64 ino, offset;   /* EXTENT_DATA_REF; offset is the file's minus the extent's, and may wrap */
	u64 parent;        /* SHARED_*_REF: address of the block that refers */
};

/* An extent's item, and a growing array for its references.  Zero-initialised is empty. */
struct backrefs {
	u64 bytenr;
	u64 refs; /* sum of the counts */
	u64 generation;
	u64 flags; /* EXTENT_FLAG_… */
	u8 level;  /* of a tree block */
	struct backref *ref;
	size_t count, capacity;
};

void backrefs_release(struct backrefs *b);

/*
 * Find the item of the extent at @bytenr with @c, a cursor over the extent tree, and read its header.
 * 1 found, 0 there is none, -EIO with a sentence if it is damaged.
 */
int backrefs_find(struct cursor *c, u64 bytenr, struct backrefs *out);

/* Read all references, inline and keyed, in the tree's order.  The cursor must stand where
 * backrefs_find() left it. */
int backrefs_read(struct cursor *c, struct backrefs *b);

#endif
