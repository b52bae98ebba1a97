/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extent buffers: tree blocks in memory, and the cache that holds them.
 *
 * Invariants
 *  1. An extent buffer that a caller can see has passed every check: checksum, fsid, address,
 *     level, owner, generation as stored in its parent, first key, bounds and order of its items.
 *  2. It never changes afterwards.  Readers hold a reference and need no lock.
 *  3. The cache gives back unreferenced buffers, least recently used first, when the sum of the bytes
 *     that it holds passes its limit; a referenced buffer is never given back.
 */
#ifndef BTRFLY_TREE_EXTENT_BUFFER_H
#define BTRFLY_TREE_EXTENT_BUFFER_H

#include "format/node.h"
#include "volume/volume.h"

struct extent_buffer {
	u64 logical;
	u64 generation;
	u64 owner;
	u64 flags; /* HEADER_FLAG_… */
	u32 nritems;
	u8 level;
	const u8 *data; /* nodesize bytes */
};

struct extent_cache;

/* What is known about a block before it is read; all of it is checked. */
struct block_expect {
	u64 logical;
	u64 generation;
	u8 level;
	u64 tree; /* objectid of the tree that is walked: any subvolume's block may stand in
		   * another subvolume's tree, other trees own their blocks */
	bool has_first_key;
	struct key first_key;
	/* All keys are less than this, the next key of the parent or of its parents.  With the first key it
	 * keeps the blocks of one level apart, so that a walk meets no block twice. */
	bool has_limit;
	struct key limit;
};

/* @limit: bytes.  The volume must outlive the cache. */
int extent_cache_new(struct volume *v, size_t limit, struct extent_cache **out);
void extent_cache_free(struct extent_cache *c); /* all references must have been put */

struct volume *extent_cache_volume(const struct extent_cache *c);

/*
 * The block, from the cache or from the first copy on the devices that passes every check.
 * Any thread.  -EIO with a sentence that names tree, address, device and the check that failed for
 * each copy tried.  The caller puts the reference.
 */
int extent_buffer_get(struct extent_cache *c, const struct block_expect *want,
		      struct extent_buffer **out);
struct extent_buffer *extent_buffer_ref(struct extent_buffer *eb);
void extent_buffer_put(struct extent_buffer *eb); /* NULL is fine */

static inline const struct leaf_item *leaf_item_at(const struct extent_buffer *eb, u32 slot)
{
	return (const struct leaf_item *)(eb->data + sizeof(struct node_header)) + slot;
}

static inline const struct node_pointer *node_pointer_at(const struct extent_buffer *eb, u32 slot)
{
	return (const struct node_pointer *)(eb->data + sizeof(struct node_header)) + slot;
}

static inline struct key block_key(const struct extent_buffer *eb, u32 slot)
{
	return key_from_disk(eb->level ? &node_pointer_at(eb, slot)->key
				       : &leaf_item_at(eb, slot)->key);
}

static inline const void *leaf_data(const struct extent_buffer *eb, u32 slot)
{
	return eb->data + sizeof(struct node_header) + le32_get(leaf_item_at(eb, slot)->offset);
}

static inline u32 leaf_size(const struct extent_buffer *eb, u32 slot)
{
	return le32_get(leaf_item_at(eb, slot)->size);
}

#endif
