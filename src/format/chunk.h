/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices and chunks: how logical addresses are laid out on devices. */
#ifndef BTRFLY_FORMAT_CHUNK_H
#define BTRFLY_FORMAT_CHUNK_H

#include "format/node.h"

struct dev_item {
	le64 devid;
	le64 total_bytes;
	le64 bytes_used;
	le32 io_align;
	le32 io_width;
	le32 sector_size;
	le64 type;
	le64 generation;
	le64 start_offset;
	le32 dev_group;
	u8 seek_speed;
	u8 bandwidth;
	u8 uuid[UUID_SIZE];
	u8 fsid[UUID_SIZE];
};

struct disk_stripe {
	le64 devid;
	le64 offset;
	u8 dev_uuid[UUID_SIZE];
};

struct chunk_item {
	le64 length;
	le64 owner;
	le64 stripe_len;
	le64 type; /* BLOCK_GROUP_… */
	le32 io_align;
	le32 io_width;
	le32 sector_size;
	le16 num_stripes;
	le16 sub_stripes;
	/* num_stripes × struct disk_stripe follow */
};

_Static_assert(sizeof(struct dev_item) == 98, "dev item");
_Static_assert(sizeof(struct disk_stripe) == 32, "stripe");
_Static_assert(sizeof(struct chunk_item) == 48, "chunk item");

#define STRIPE_LEN 65536u

#define BLOCK_GROUP_DATA (1ull << 0)
#define BLOCK_GROUP_SYSTEM (1ull << 1)
#define BLOCK_GROUP_METADATA (1ull << 2)
#define BLOCK_GROUP_RAID0 (1ull << 3)
#define BLOCK_GROUP_RAID1 (1ull << 4)
#define BLOCK_GROUP_DUP (1ull << 5)
#define BLOCK_GROUP_RAID10 (1ull << 6)
#define BLOCK_GROUP_RAID5 (1ull << 7)
#define BLOCK_GROUP_RAID6 (1ull << 8)
#define BLOCK_GROUP_RAID1C3 (1ull << 9)
#define BLOCK_GROUP_RAID1C4 (1ull << 10)

#define BLOCK_GROUP_TYPE_MASK (BLOCK_GROUP_DATA | BLOCK_GROUP_SYSTEM | BLOCK_GROUP_METADATA)
#define BLOCK_GROUP_PROFILE_MASK                                                                   \
	(BLOCK_GROUP_RAID0 | BLOCK_GROUP_RAID1 | BLOCK_GROUP_DUP | BLOCK_GROUP_RAID10 |            \
	 BLOCK_GROUP_RAID5 | BLOCK_GROUP_RAID6 | BLOCK_GROUP_RAID1C3 | BLOCK_GROUP_RAID1C4)

#endif
