/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File extents, and the extent tree's items with their back references. */
#ifndef BTRFLY_FORMAT_EXTENT_H
#define BTRFLY_FORMAT_EXTENT_H

#include "format/node.h"

struct file_extent {
	le64 generation;
	le64 ram_bytes; /* uncompressed length of the whole extent */
	u8 compression; /* enum compression */
	u8 encryption;
	le16 other_encoding;
	u8 type; /* FILE_EXTENT_… */
	/* Inline data starts here; for the other types these follow: */
	le64 disk_bytenr; /* 0: a hole */
	le64 disk_num_bytes;
	le64 offset; /* into the uncompressed extent */
	le64 num_bytes;
};

#define FILE_EXTENT_INLINE_OFFSET offsetof(struct file_extent, disk_bytenr)

enum { FILE_EXTENT_INLINE = 0, FILE_EXTENT_REG = 1, FILE_EXTENT_PREALLOC = 2 };

enum compression {
	COMPRESSION_NONE = 0,
	COMPRESSION_ZLIB = 1,
	COMPRESSION_LZO = 2,
	COMPRESSION_ZSTD = 3,
};

#define COMPRESSED_EXTENT_MAX (128u * 1024) /* of uncompressed bytes, and of compressed ones too */

struct extent_item {
	le64 refs;
	le64 generation;
	le64 flags; /* EXTENT_FLAG_… */
	/* for a KEY_EXTENT_ITEM of a tree block struct tree_block_info follows, then inline references */
};

struct tree_block_info {
	struct disk_key key;
	u8 level;
};

/* Inline reference: u8 type (a KEY_…_REF), then for
 *   TREE_BLOCK_REF    le64 root           SHARED_BLOCK_REF  le64 parent
 *   EXTENT_DATA_REF   extent_data_ref     SHARED_DATA_REF   le64 parent, le32 count
 *   EXTENT_OWNER_REF  le64 root */
struct extent_data_ref {
	le64 root;
	le64 objectid;
	le64 offset; /* file offset minus offset into the extent; may wrap below zero */
	le32 count;
};

struct shared_data_ref {
	le32 count; /* keyed: the key's offset is the parent leaf */
};

_Static_assert(sizeof(struct file_extent) == 53, "file extent");
_Static_assert(FILE_EXTENT_INLINE_OFFSET == 21, "inline extent");
_Static_assert(sizeof(struct extent_item) == 24, "extent item");
_Static_assert(sizeof(struct tree_block_info) == 18, "tree block info");
_Static_assert(sizeof(struct extent_data_ref) == 28, "extent data ref");

#define EXTENT_FLAG_DATA (1ull << 0)
#define EXTENT_FLAG_TREE_BLOCK (1ull << 1)
#define EXTENT_FLAG_FULL_BACKREF (1ull << 8)

#endif
