/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree/block.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "format/checksum.h"

static int compare(const struct disk_key *a, const struct key *b)
{
	struct key k = key_from_disk(a);

	return key_cmp(&k, b);
}

static int check_header(const struct volume_facts *f, u64 logical, const struct node_header *h)
{
	u8 csum[CHECKSUM_SIZE_MAX];

	checksum_compute(f->csum_type, h->fsid, f->nodesize - sizeof(h->csum), csum);
	if (memcmp(csum, h->csum, f->csum_size))
		return error_set(EIO, "checksum mismatch");
	if (le64_get(h->bytenr) != logical)
		return error_set(EIO, "it was written for logical %" PRIu64, le64_get(h->bytenr));
	if (memcmp(h->fsid, f->metadata_uuid, UUID_SIZE))
		return error_set(EIO, "it belongs to another filesystem");
	if (h->level >= LEVEL_MAX)
		return error_set(EIO, "level %u", h->level);
	return 0;
}

static int check_order(const struct extent_buffer *eb, u32 slot)
{
	struct key a = block_key(eb, slot - 1), b = block_key(eb, slot);
	char text[2][KEY_TEXT_MAX];

	if (key_cmp(&a, &b) < 0)
		return 0;
	return error_set(EIO, "slot %u: key %s does not follow %s", slot, key_text(&b, text[0]),
			 key_text(&a, text[1]));
}

/* The data of the items lies end to end, from the end of the block downwards in the items' order. */
static int check_leaf(const struct extent_buffer *eb, u32 size)
{
	u64 end = size;

	if (eb->nritems > size / sizeof(struct leaf_item))
		return error_set(EIO, "%u items do not fit a leaf", eb->nritems);
	for (u32 i = 0; i < eb->nritems; i++) {
		const struct leaf_item *item = leaf_item_at(eb, i);
		u64 offset = le32_get(item->offset), len = le32_get(item->size);

		if (offset + len != end)
			return error_set(EIO,
					 "slot %u: data [%" PRIu64 ", %" PRIu64
					 ") does not end at %" PRIu64,
					 i, offset, offset + len, end);
		end = offset;

		int ret = i ? check_order(eb, i) : 0;

		if (ret)
			return ret;
	}
	if (end < eb->nritems * sizeof(struct leaf_item))
		return error_set(EIO, "data of %u items overlaps the items", eb->nritems);
	return 0;
}

static int check_node(const struct extent_buffer *eb, u32 size, u32 sectorsize)
{
	if (!eb->nritems || eb->nritems > size / sizeof(struct node_pointer))
		return error_set(EIO, "%u pointers in a node", eb->nritems);
	for (u32 i = 0; i < eb->nritems; i++) {
		u64 child = le64_get(node_pointer_at(eb, i)->blockptr);

		if (!child || child % sectorsize)
			return error_set(EIO, "slot %u: pointer to logical %" PRIu64, i, child);

		int ret = i ? check_order(eb, i) : 0;

		if (ret)
			return ret;
	}
	return 0;
}

int block_check(const struct volume_facts *f, u64 logical, struct extent_buffer *eb)
{
	const struct node_header *h = (const void *)eb->data;
	u32 size = f->nodesize - (u32)sizeof(*h);
	int ret = check_header(f, logical, h);

	if (ret)
		return ret;
	eb->logical = logical;
	eb->generation = le64_get(h->generation);
	eb->owner = le64_get(h->owner);
	eb->flags = le64_get(h->flags);
	eb->nritems = le32_get(h->nritems);
	eb->level = h->level;
	return eb->level ? check_node(eb, size, f->sectorsize) : check_leaf(eb, size);
}

/* Snapshots share blocks, so any subvolume's block may stand in any subvolume's tree. */
static bool owner_fits(u64 owner, u64 tree)
{
	return is_subvolume_id(tree) ? is_subvolume_id(owner) : owner == tree;
}

int block_check_expected(const struct extent_buffer *eb, const struct block_expect *want)
{
	char text[2][KEY_TEXT_MAX];

	if (eb->generation != want->generation)
		return error_set(EIO, "generation %" PRIu64 " instead of %" PRIu64, eb->generation,
				 want->generation);
	if (eb->level != want->level)
		return error_set(EIO, "level %u instead of %u", eb->level, want->level);
	if (!owner_fits(eb->owner, want->tree))
		return error_set(EIO, "it belongs to tree %" PRIu64, eb->owner);
	if (want->has_first_key) {
		struct key first;

		if (!eb->nritems)
			return error_set(EIO, "an empty leaf that is not the root");
		first = block_key(eb, 0);
		if (key_cmp(&first, &want->first_key))
			return error_set(EIO, "first key %s instead of %s",
					 key_text(&first, text[0]),
					 key_text(&want->first_key, text[1]));
	}
	if (want->has_limit && eb->nritems) {
		struct key last = block_key(eb, eb->nritems - 1);

		if (key_cmp(&last, &want->limit) >= 0)
			return error_set(EIO, "last key %s is not below %s, the next block's",
					 key_text(&last, text[0]), key_text(&want->limit, text[1]));
	}
	return 0;
}

u32 block_search(const struct extent_buffer *eb, const struct key *k, bool *equal)
{
	const u8 *keys = eb->data + sizeof(struct node_header);
	size_t stride = eb->level ? sizeof(struct node_pointer) : sizeof(struct leaf_item);
	u32 low = 0, high = eb->nritems;

	*equal = false;
	while (low < high) {
		u32 mid = low + (high - low) / 2;
		int order = compare((const struct disk_key *)(keys + mid * stride), k);

		if (order < 0) {
			low = mid + 1;
		} else if (order > 0) {
			high = mid;
		} else {
			*equal = true;
			return mid;
		}
	}
	return low;
}
