/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The superblock as it lies on disk, and its feature bits. */
#ifndef BTRFLY_FORMAT_SUPER_H
#define BTRFLY_FORMAT_SUPER_H

#include "format/chunk.h"
#include "format/node.h"

#define SUPER_MAGIC 0x4d5f53665248425full /* "_BHRfS_M" */
#define SUPER_SIZE 4096
#define SUPER_OFFSET 65536ull
#define SUPER_COPIES 3
#define LABEL_SIZE 256
#define SYS_CHUNK_ARRAY_SIZE 2048

/* Where copy @i lies: 64 KiB, 64 MiB, 256 GiB. */
static inline u64 super_offset(int i)
{
	return i ? 16384ull << (12 * i) : SUPER_OFFSET;
}

struct root_backup {
	le64 tree_root, tree_root_gen;
	le64 chunk_root, chunk_root_gen;
	le64 extent_root, extent_root_gen;
	le64 fs_root, fs_root_gen;
	le64 dev_root, dev_root_gen;
	le64 csum_root, csum_root_gen;
	le64 total_bytes, bytes_used, num_devices;
	le64 unused_64[4];
	u8 tree_root_level, chunk_root_level, extent_root_level;
	u8 fs_root_level, dev_root_level, csum_root_level;
	u8 unused_8[10];
};

struct super_block {
	u8 csum[CSUM_SIZE_MAX];
	u8 fsid[UUID_SIZE];
	le64 bytenr;
	le64 flags;
	le64 magic;
	le64 generation;
	le64 root;
	le64 chunk_root;
	le64 log_root;
	le64 unused_log_root_transid;
	le64 total_bytes;
	le64 bytes_used;
	le64 root_dir_objectid;
	le64 num_devices;
	le32 sectorsize;
	le32 nodesize;
	le32 unused_leafsize;
	le32 stripesize;
	le32 sys_chunk_array_size;
	le64 chunk_root_generation;
	le64 compat_flags;
	le64 compat_ro_flags;
	le64 incompat_flags;
	le16 csum_type;
	u8 root_level;
	u8 chunk_root_level;
	u8 log_root_level;
	struct dev_item dev_item;
	char label[LABEL_SIZE];
	le64 cache_generation;
	le64 uuid_tree_generation;
	u8 metadata_uuid[UUID_SIZE];
	le64 nr_global_roots;
	le64 reserved[27];
	u8 sys_chunk_array[SYS_CHUNK_ARRAY_SIZE];
	struct root_backup backups[4];
	u8 padding[565];
};

_Static_assert(sizeof(struct root_backup) == 168, "root backup");
_Static_assert(sizeof(struct super_block) == SUPER_SIZE, "super block");

/* super_block.flags */
#define SUPER_FLAG_SEEDING (1ull << 32)
#define SUPER_FLAG_METADUMP (1ull << 33)
#define SUPER_FLAG_METADUMP_V2 (1ull << 34)
#define SUPER_FLAG_CHANGING_FSID (1ull << 35)
#define SUPER_FLAG_CHANGING_FSID_V2 (1ull << 36)
#define SUPER_FLAG_CHANGING_BG_TREE (1ull << 38)
#define SUPER_FLAG_CHANGING_DATA_CSUM (1ull << 39)
#define SUPER_FLAG_CHANGING_META_CSUM (1ull << 40)

/* super_block.incompat_flags; the names for messages are in super.c. */
#define INCOMPAT_MIXED_BACKREF (1ull << 0)
#define INCOMPAT_DEFAULT_SUBVOL (1ull << 1)
#define INCOMPAT_MIXED_GROUPS (1ull << 2)
#define INCOMPAT_COMPRESS_LZO (1ull << 3)
#define INCOMPAT_COMPRESS_ZSTD (1ull << 4)
#define INCOMPAT_BIG_METADATA (1ull << 5)
#define INCOMPAT_EXTENDED_IREF (1ull << 6)
#define INCOMPAT_RAID56 (1ull << 7)
#define INCOMPAT_SKINNY_METADATA (1ull << 8)
#define INCOMPAT_NO_HOLES (1ull << 9)
#define INCOMPAT_METADATA_UUID (1ull << 10)
#define INCOMPAT_RAID1C34 (1ull << 11)
#define INCOMPAT_ZONED (1ull << 12)
#define INCOMPAT_EXTENT_TREE_V2 (1ull << 13)
#define INCOMPAT_RAID_STRIPE_TREE (1ull << 14)
#define INCOMPAT_SIMPLE_QUOTA (1ull << 16)
#define INCOMPAT_REMAP_TREE (1ull << 17)

/* The name that mkfs.btrfs -O gives to one incompat bit; NULL for an unknown one. */
const char *incompat_name(u64 bit);

/* super_block.compat_ro_flags */
#define COMPAT_RO_FREE_SPACE_TREE (1ull << 0)
#define COMPAT_RO_FREE_SPACE_TREE_VALID (1ull << 1)
#define COMPAT_RO_VERITY (1ull << 2)
#define COMPAT_RO_BLOCK_GROUP_TREE (1ull << 3)

#endif
