/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forest.h"

#include <assert.h>
#include <string.h>

void forest_init(struct forest *f, size_t limit)
{
	static const u64 where[][2] = {{1, FOREST_PHYSICAL}, {1, FOREST_PHYSICAL + FOREST_COPY}};
	struct device *d;
	int ret;

	image_init(&f->im, FOREST_PHYSICAL + 2 * FOREST_COPY, 1, 1);
	image_add_system_chunk(&f->im, FOREST_LOGICAL, FOREST_COPY,
			       BLOCK_GROUP_SYSTEM | BLOCK_GROUP_DUP, 2, where);
	image_write_super(&f->im, 0);
	f->device = faulty_new(image_open(&f->im, "img"));
	d = &f->device->device;
	ret = volume_open(&d, 1, &f->volume);
	assert(!ret);
	ret = extent_cache_new(f->volume, limit, &f->cache);
	assert(!ret);
}

void forest_release(struct forest *f)
{
	extent_cache_free(f->cache);
	volume_free(f->volume);
	image_release(&f->im);
}

u8 *forest_block(struct forest *f, u32 n, unsigned copy)
{
	assert(n < FOREST_BLOCKS);
	return f->im.bytes + FOREST_PHYSICAL + copy * FOREST_COPY + (u64)n * IMAGE_NODE;
}

void forest_leaf(struct forest *f, u32 n, u64 owner, const struct image_item *items, u32 count)
{
	image_leaf(forest_block(f, n, 0), forest_logical(n), owner, items, count);
	memcpy(forest_block(f, n, 1), forest_block(f, n, 0), IMAGE_NODE);
}

void forest_node(struct forest *f, u32 n, u64 owner, u8 level, const struct image_pointer *pointers,
		 u32 count)
{
	image_node(forest_block(f, n, 0), forest_logical(n), owner, level, pointers, count);
	memcpy(forest_block(f, n, 1), forest_block(f, n, 0), IMAGE_NODE);
}

struct tree forest_tree(const struct forest *f, u32 n, u64 objectid, u8 level)
{
	return (struct tree){
		.cache = f->cache,
		.objectid = objectid,
		.logical = forest_logical(n),
		.generation = IMAGE_GENERATION,
		.level = level,
	};
}
