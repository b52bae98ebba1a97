/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: what every item of every tree is found by. */
#ifndef BTRFLY_FORMAT_KEY_H
#define BTRFLY_FORMAT_KEY_H

#include "base/bytes.h"

struct key {
	u64 objectid;
	u8 type;
	u64 offset;
};

struct disk_key {
	le64 objectid;
	u8 type;
	le64 offset;
};

/* Item types. */
enum {
	KEY_INODE_ITEM = 1,
	KEY_INODE_REF = 12,
	KEY_INODE_EXTREF = 13,
	KEY_XATTR_ITEM = 24,
	KEY_VERITY_DESC_ITEM = 36,
	KEY_VERITY_MERKLE_ITEM = 37,
	KEY_ORPHAN_ITEM = 48,
	KEY_DIR_LOG_ITEM = 60,
	KEY_DIR_LOG_INDEX = 72,
	KEY_DIR_ITEM = 84,
	KEY_DIR_INDEX = 96,
	KEY_EXTENT_DATA = 108,
	KEY_EXTENT_CSUM = 128,
	KEY_ROOT_ITEM = 132,
	KEY_ROOT_BACKREF = 144,
	KEY_ROOT_REF = 156,
	KEY_EXTENT_ITEM = 168,
	KEY_METADATA_ITEM = 169,
	KEY_EXTENT_OWNER_REF = 172,
	KEY_TREE_BLOCK_REF = 176,
	KEY_EXTENT_DATA_REF = 178,
	KEY_SHARED_BLOCK_REF = 182,
	KEY_SHARED_DATA_REF = 184,
	KEY_BLOCK_GROUP_ITEM = 192,
	KEY_FREE_SPACE_INFO = 198,
	KEY_FREE_SPACE_EXTENT = 199,
	KEY_FREE_SPACE_BITMAP = 200,
	KEY_DEV_EXTENT = 204,
	KEY_DEV_ITEM = 216,
	KEY_CHUNK_ITEM = 228,
	KEY_RAID_STRIPE = 230,
	KEY_QGROUP_STATUS = 240,
	KEY_QGROUP_INFO = 242,
	KEY_QGROUP_LIMIT = 244,
	KEY_QGROUP_RELATION = 246,
	KEY_PERSISTENT_ITEM = 249, /* device statistics */
	KEY_TEMPORARY_ITEM = 248,  /* balance state */
	KEY_UUID_SUBVOL = 251,
	KEY_UUID_RECEIVED_SUBVOL = 252,
	KEY_STRING_ITEM = 253,
};

/* Object ids of trees and of well-known objects. */
#define ROOT_TREE_OBJECTID 1ull
#define EXTENT_TREE_OBJECTID 2ull
#define CHUNK_TREE_OBJECTID 3ull
#define DEV_TREE_OBJECTID 4ull
#define FS_TREE_OBJECTID 5ull
#define ROOT_TREE_DIR_OBJECTID 6ull
#define CSUM_TREE_OBJECTID 7ull
#define QUOTA_TREE_OBJECTID 8ull
#define UUID_TREE_OBJECTID 9ull
#define FREE_SPACE_TREE_OBJECTID 10ull
#define BLOCK_GROUP_TREE_OBJECTID 11ull
#define RAID_STRIPE_TREE_OBJECTID 12ull
#define ORPHAN_OBJECTID ((u64)-5)
#define TREE_LOG_OBJECTID ((u64)-6)
#define TREE_RELOC_OBJECTID ((u64)-8)
#define DATA_RELOC_TREE_OBJECTID ((u64)-9)
#define EXTENT_CSUM_OBJECTID ((u64)-10)
#define FIRST_FREE_OBJECTID 256ull
#define LAST_FREE_OBJECTID ((u64)-256)
#define FIRST_CHUNK_TREE_OBJECTID 256ull
#define DEV_ITEMS_OBJECTID 1ull
#define EMPTY_SUBVOL_DIR_OBJECTID 2ull

static inline struct key key_of(u64 objectid, u8 type, u64 offset)
{
	return (struct key){objectid, type, offset};
}

static inline struct key key_from_disk(const struct disk_key *d)
{
	return (struct key){le64_get(d->objectid), d->type, le64_get(d->offset)};
}

static inline struct disk_key key_to_disk(const struct key *k)
{
	return (struct disk_key){le64_of(k->objectid), k->type, le64_of(k->offset)};
}

static inline int key_cmp(const struct key *a, const struct key *b)
{
	if (a->objectid != b->objectid)
		return a->objectid < b->objectid ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return 0;
}

/* Whether @objectid names a subvolume's tree: the top level or a snapshot or subvolume. */
static inline bool is_subvolume_id(u64 objectid)
{
	return objectid == FS_TREE_OBJECTID ||
	       (objectid >= FIRST_FREE_OBJECTID && objectid <= LAST_FREE_OBJECTID);
}

/* For messages: "(257 EXTENT_DATA 4096)"; @buf of KEY_TEXT_MAX bytes is returned. */
#define KEY_TEXT_MAX 80
const char *key_text(const struct key *k, char *buf);

#endif
