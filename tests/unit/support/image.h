/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small filesystems made by hand, in memory. */
#ifndef BTRFLY_TESTS_IMAGE_H
#define BTRFLY_TESTS_IMAGE_H

#include "device/device.h"
#include "format/inode.h"
#include "format/super.h"

#define IMAGE_SECTOR 4096u
#define IMAGE_NODE 4096u
#define IMAGE_GENERATION 7u

/* One device.  All that is set here may be changed before it is written. */
struct image {
	u8 *bytes;
	size_t size;
	struct super_block super;
};

/* The superblock is valid but for its empty system chunk array, the rest is zeros; nothing is written. */
void image_init(struct image *im, size_t size, u64 devid, u64 num_devices);
void image_release(struct image *im);

/* A chunk item with stripes {devid, physical}, in *@out of IMAGE_CHUNK_MAX bytes; returns its size. */
#define IMAGE_CHUNK_MAX (sizeof(struct chunk_item) + 16 * sizeof(struct disk_stripe))
size_t image_chunk_item(u64 length, u64 type, u16 stripes, const u64 (*where)[2], void *out);

/* Append a chunk to the system chunk array. */
void image_add_system_chunk(struct image *im, u64 logical, u64 length, u64 type, u16 stripes,
			    const u64 (*where)[2]);

/* What the device with this number is in a DEV_ITEM, its uuid among it. */
struct dev_item image_dev_item(u64 devid, u64 total_bytes);

/* Write copy @copy of the superblock with its checksum. */
void image_write_super(struct image *im, int copy);

struct device *image_open(struct image *im, const char *name);

/* Tree blocks, of IMAGE_NODE bytes. */
struct image_item {
	struct key key;
	const void *data;
	u32 size;
};

struct image_pointer {
	struct key key;
	u64 logical;
	u64 generation;
};

void image_leaf(u8 *block, u64 logical, u64 owner, const struct image_item *items, u32 count);
void image_node(u8 *block, u64 logical, u64 owner, u8 level, const struct image_pointer *pointers,
		u32 count);

/* Put the checksum right after a change. */
void image_seal(u8 *block);

#endif
