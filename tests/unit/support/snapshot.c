/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "format/node.h"

void snapshot_item(struct snapshot *s, struct key key, const void *data, size_t size)
{
	assert(s->count < SNAPSHOT_ITEMS && size <= SNAPSHOT_BYTES - s->used);
	if (size)
		memcpy(s->bytes + s->used, data, size);
	s->items[s->count++] = (struct image_item){key, s->bytes + s->used, (u32)size};
	s->used += size;
}

void snapshot_inode(struct snapshot *s, u64 ino, u64 gen, u32 mode, u64 size)
{
	const struct inode_item i = {.generation = le64_of(gen),
				     .transid = le64_of(s->transid),
				     .size = le64_of(size),
				     .nlink = le32_of(1),
				     .mode = le32_of(mode)};

	snapshot_item(s, key_of(ino, KEY_INODE_ITEM, 0), &i, sizeof(i));
}

void snapshot_name(struct snapshot *s, u64 ino, u64 dir, u64 index, const char *name)
{
	u8 item[sizeof(struct inode_ref) + NAME_LEN_MAX];
	const size_t len = strlen(name);
	const struct inode_ref ref = {le64_of(index), le16_of((u16)len)};

	assert(len <= NAME_LEN_MAX);
	memcpy(item, &ref, sizeof(ref));
	memcpy(item + sizeof(ref), name, len);
	snapshot_item(s, key_of(ino, KEY_INODE_REF, dir), item, sizeof(ref) + len);
}

void snapshot_entry(struct snapshot *s, u64 dir, u64 index, u64 ino, const char *name)
{
	u8 item[sizeof(struct dir_item) + NAME_LEN_MAX];
	const size_t len = strlen(name);
	const struct dir_item d = {.location = {le64_of(ino), KEY_INODE_ITEM, le64_of(0)},
				   .name_len = le16_of((u16)len),
				   .type = FT_DIR};

	assert(len <= NAME_LEN_MAX);
	memcpy(item, &d, sizeof(d));
	memcpy(item + sizeof(d), name, len);
	snapshot_item(s, key_of(dir, KEY_DIR_INDEX, index), item, sizeof(d) + len);
}

static int by_key(const void *a, const void *b)
{
	return key_cmp(&((const struct image_item *)a)->key, &((const struct image_item *)b)->key);
}

struct tree snapshot_write(struct snapshot *s, struct forest *f, u32 n, u64 owner)
{
	struct image_pointer leaves[SNAPSHOT_ITEMS];
	u32 first = 0, count = 0;

	qsort(s->items, s->count, sizeof(*s->items), by_key);
	while (first < s->count) {
		u32 end = first;
		/* A header of 101 bytes, and for each item one of 25. */
		size_t room = IMAGE_NODE - 101;

		while (end < s->count && 25 + s->items[end].size <= room)
			room -= 25 + s->items[end++].size;
		assert(end > first);

		u32 block = n + 1 + count;

		leaves[count++] = (struct image_pointer){s->items[first].key, forest_logical(block),
							 IMAGE_GENERATION};
		forest_leaf(f, block, owner, s->items + first, end - first);
		first = end;
	}
	forest_node(f, n, owner, 1, leaves, count);
	return forest_tree(f, n, owner, 1);
}
