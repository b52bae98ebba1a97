/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"

static const u8 fsid[UUID_SIZE] = "filesystem uuid";

struct dev_item image_dev_item(u64 devid, u64 total_bytes)
{
	struct dev_item item = {
		.devid = le64_of(devid),
		.total_bytes = le64_of(total_bytes),
		.bytes_used = le64_of(total_bytes / 2),
		.sector_size = le32_of(IMAGE_SECTOR),
	};

	memset(item.uuid, (int)devid, UUID_SIZE);
	memcpy(item.fsid, fsid, UUID_SIZE);
	return item;
}

void image_init(struct image *im, size_t size, u64 devid, u64 num_devices)
{
	struct super_block *sb = &im->super;

	*im = (struct image){.bytes = calloc(1, size), .size = size};
	memcpy(sb->fsid, fsid, UUID_SIZE);
	sb->magic = le64_of(SUPER_MAGIC);
	sb->generation = le64_of(IMAGE_GENERATION);
	sb->total_bytes = le64_of(size * num_devices);
	sb->bytes_used = le64_of(65536);
	sb->num_devices = le64_of(num_devices);
	sb->sectorsize = le32_of(IMAGE_SECTOR);
	sb->nodesize = le32_of(IMAGE_NODE);
	sb->chunk_root_generation = le64_of(IMAGE_GENERATION);
	sb->dev_item = image_dev_item(devid, size);
	snprintf(sb->label, sizeof(sb->label), "by hand");
}

void image_release(struct image *im)
{
	free(im->bytes);
	*im = (struct image){0};
}

size_t image_chunk_item(u64 length, u64 type, u16 stripes, const u64 (*where)[2], void *out)
{
	struct chunk_item *item = out;
	struct disk_stripe *s = (struct disk_stripe *)(item + 1);

	assert(stripes <= 16);
	*item = (struct chunk_item){
		.length = le64_of(length),
		.owner = le64_of(EXTENT_TREE_OBJECTID),
		.stripe_len = le64_of(STRIPE_LEN),
		.type = le64_of(type),
		.sector_size = le32_of(IMAGE_SECTOR),
		.num_stripes = le16_of(stripes),
		.sub_stripes = le16_of(type & BLOCK_GROUP_RAID10 ? 2 : 1),
	};
	for (u16 i = 0; i < stripes; i++) {
		s[i].devid = le64_of(where[i][0]);
		s[i].offset = le64_of(where[i][1]);
		memset(s[i].dev_uuid, (int)where[i][0], UUID_SIZE);
	}
	return sizeof(*item) + stripes * sizeof(*s);
}

void image_add_system_chunk(struct image *im, u64 logical, u64 length, u64 type, u16 stripes,
			    const u64 (*where)[2])
{
	u32 used = le32_get(im->super.sys_chunk_array_size);
	struct key key = key_of(FIRST_CHUNK_TREE_OBJECTID, KEY_CHUNK_ITEM, logical);
	struct disk_key disk = key_to_disk(&key);
	u8 item[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(length, type, stripes, where, item);

	assert(used + sizeof(disk) + size <= SYS_CHUNK_ARRAY_SIZE);
	memcpy(im->super.sys_chunk_array + used, &disk, sizeof(disk));
	memcpy(im->super.sys_chunk_array + used + sizeof(disk), item, size);
	im->super.sys_chunk_array_size = le32_of((u32)(used + sizeof(disk) + size));
}

void image_write_super(struct image *im, int copy)
{
	struct super_block sb = im->super;

	sb.bytenr = le64_of(super_offset(copy));
	checksum_compute(CHECKSUM_CRC32C, sb.fsid, sizeof(sb) - sizeof(sb.csum), sb.csum);
	assert(super_offset(copy) + sizeof(sb) <= im->size);
	memcpy(im->bytes + super_offset(copy), &sb, sizeof(sb));
}

struct device *image_open(struct image *im, const char *name)
{
	struct device *d = NULL;
	int ret = device_open_memory(name, im->bytes, im->size, &d);

	assert(!ret);
	return d;
}

void image_seal(u8 *block)
{
	struct node_header *h = (struct node_header *)block;

	memset(h->csum, 0, sizeof(h->csum));
	checksum_compute(CHECKSUM_CRC32C, h->fsid, IMAGE_NODE - sizeof(h->csum), h->csum);
}

static void header(u8 *block, u64 logical, u64 owner, u8 level, u32 count)
{
	struct node_header *h = (struct node_header *)block;

	memset(block, 0, IMAGE_NODE);
	memcpy(h->fsid, fsid, UUID_SIZE);
	h->bytenr = le64_of(logical);
	h->flags = le64_of(HEADER_FLAG_WRITTEN | 1ull << 56);
	h->generation = le64_of(IMAGE_GENERATION);
	h->owner = le64_of(owner);
	h->nritems = le32_of(count);
	h->level = level;
}

void image_leaf(u8 *block, u64 logical, u64 owner, const struct image_item *items, u32 count)
{
	u8 *start = block + sizeof(struct node_header);
	struct leaf_item *slots = (struct leaf_item *)start;
	u32 end = IMAGE_NODE - (u32)sizeof(struct node_header);

	header(block, logical, owner, 0, count);
	for (u32 i = 0; i < count; i++) {
		assert(end >= items[i].size + count * sizeof(*slots));
		end -= items[i].size;
		slots[i].key = key_to_disk(&items[i].key);
		slots[i].offset = le32_of(end);
		slots[i].size = le32_of(items[i].size);
		if (items[i].size)
			memcpy(start + end, items[i].data, items[i].size);
	}
	image_seal(block);
}

void image_node(u8 *block, u64 logical, u64 owner, u8 level, const struct image_pointer *pointers,
		u32 count)
{
	struct node_pointer *slots = (struct node_pointer *)(block + sizeof(struct node_header));

	header(block, logical, owner, level, count);
	for (u32 i = 0; i < count; i++) {
		slots[i].key = key_to_disk(&pointers[i].key);
		slots[i].blockptr = le64_of(pointers[i].logical);
		slots[i].generation = le64_of(pointers[i].generation);
	}
	image_seal(block);
}
