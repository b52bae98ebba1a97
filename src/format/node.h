/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tree blocks: the header, the items of a leaf, the pointers of a node. */
#ifndef BTRFLY_FORMAT_NODE_H
#define BTRFLY_FORMAT_NODE_H

#include "format/key.h"

#define CSUM_SIZE_MAX 32
#define UUID_SIZE 16
#define LEVEL_MAX 8 /* levels are 0 to 7 */

struct node_header {
	u8 csum[CSUM_SIZE_MAX]; /* of all that follows */
	u8 fsid[UUID_SIZE];     /* the metadata uuid where the superblock has one */
	le64 bytenr;
	le64 flags; /* low 56 bits flags, high 8 bits back reference revision */
	u8 chunk_tree_uuid[UUID_SIZE];
	le64 generation;
	le64 owner;
	le32 nritems;
	u8 level;
};

struct leaf_item {
	struct disk_key key;
	le32 offset; /* of the data, from the end of the header */
	le32 size;
};

struct node_pointer {
	struct disk_key key;
	le64 blockptr;
	le64 generation;
};

_Static_assert(sizeof(struct node_header) == 101, "node header");
_Static_assert(sizeof(struct leaf_item) == 25, "leaf item");
_Static_assert(sizeof(struct node_pointer) == 33, "node pointer");

#define HEADER_FLAG_WRITTEN (1ull << 0)
#define HEADER_FLAG_RELOC (1ull << 1)

#endif
