/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume of one device with room for tree blocks, each of two copies, and a cache over it. */
#ifndef BTRFLY_TESTS_FOREST_H
#define BTRFLY_TESTS_FOREST_H

#include "faulty.h"
#include "image.h"
#include "tree/cursor.h"

/* Block n lies at logical FOREST_LOGICAL + n × IMAGE_NODE, and its copies FOREST_COPY bytes apart. */
#define FOREST_LOGICAL (16ull << 20)
#define FOREST_PHYSICAL (1ull << 20)
#define FOREST_COPY (1ull << 20)
#define FOREST_BLOCKS 256u

struct forest {
	struct image im;
	struct faulty *device; /* named "img" */
	struct volume *volume;
	struct extent_cache *cache;
};

static inline u64 forest_logical(u32 n)
{
	return FOREST_LOGICAL + (u64)n * IMAGE_NODE;
}

/* Superblock and devices, with room for @limit bytes in the cache. */
void forest_init(struct forest *f, size_t limit);
void forest_release(struct forest *f);

/* Copy @copy of block @n, to look at or to change. */
u8 *forest_block(struct forest *f, u32 n, unsigned copy);

/* Write both copies. */
void forest_leaf(struct forest *f, u32 n, u64 owner, const struct image_item *items, u32 count);
void forest_node(struct forest *f, u32 n, u64 owner, u8 level, const struct image_pointer *pointers,
		 u32 count);

/* A tree whose root is block @n. */
struct tree forest_tree(const struct forest *f, u32 n, u64 objectid, u8 level);

#endif
