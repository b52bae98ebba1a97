/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items of a subvolume's tree that are not file extents: inodes, names, roots of trees. */
#ifndef BTRFLY_FORMAT_INODE_H
#define BTRFLY_FORMAT_INODE_H

#include "format/node.h"

struct disk_timespec {
	le64 sec; /* signed */
	le32 nsec;
};

struct inode_item {
	le64 generation;
	le64 transid;
	le64 size;
	le64 nbytes;
	le64 block_group;
	le32 nlink;
	le32 uid;
	le32 gid;
	le32 mode;
	le64 rdev; /* the kernel's dev_t: see files/inode.h */
	le64 flags;
	le64 sequence;
	le64 reserved[4];
	struct disk_timespec atime, ctime, mtime, otime;
};

struct inode_ref {
	le64 index;
	le16 name_len;
	/* the name follows; several references to one parent lie one behind the other */
};

struct inode_extref {
	le64 parent_objectid;
	le64 index;
	le16 name_len;
	/* the name follows */
};

/* Directory entries and extended attributes (then data_len bytes follow the name). */
struct dir_item {
	struct disk_key location;
	le64 transid;
	le16 data_len;
	le16 name_len;
	u8 type; /* FT_… */
};

struct root_item {
	struct inode_item inode;
	le64 generation;
	le64 root_dirid;
	le64 bytenr;
	le64 byte_limit;
	le64 bytes_used;
	le64 last_snapshot;
	le64 flags;
	le32 refs;
	struct disk_key drop_progress;
	u8 drop_level;
	u8 level;
	/* What follows is there only when generation_v2 equals generation. */
	le64 generation_v2;
	u8 uuid[UUID_SIZE];
	u8 parent_uuid[UUID_SIZE];
	u8 received_uuid[UUID_SIZE];
	le64 ctransid, otransid, stransid, rtransid;
	struct disk_timespec ctime, otime, stime, rtime;
	le64 reserved[8];
};

/* KEY_ROOT_REF and KEY_ROOT_BACKREF: a subvolume's name in its parent's directory. */
struct root_ref {
	le64 dirid;
	le64 sequence;
	le16 name_len;
	/* the name follows */
};

_Static_assert(sizeof(struct inode_item) == 160, "inode item");
_Static_assert(sizeof(struct inode_ref) == 10, "inode ref");
_Static_assert(sizeof(struct inode_extref) == 18, "inode extref");
_Static_assert(sizeof(struct dir_item) == 30, "dir item");
_Static_assert(sizeof(struct root_item) == 439, "root item");
_Static_assert(sizeof(struct root_ref) == 18, "root ref");

#define ROOT_ITEM_SIZE_V0 offsetof(struct root_item, generation_v2)
#define ROOT_SUBVOL_RDONLY (1ull << 0)
#define ROOT_SUBVOL_DEAD (1ull << 48)

#define NAME_LEN_MAX 255

enum {
	FT_UNKNOWN = 0,
	FT_REG_FILE,
	FT_DIR,
	FT_CHRDEV,
	FT_BLKDEV,
	FT_FIFO,
	FT_SOCK,
	FT_SYMLINK,
	FT_XATTR,
	FT_MAX,
	FT_ENCRYPTED = 0x80,
};

#define INODE_NODATASUM (1ull << 0)
#define INODE_NODATACOW (1ull << 1)
#define INODE_READONLY (1ull << 2)
#define INODE_NOCOMPRESS (1ull << 3)
#define INODE_PREALLOC (1ull << 4)
#define INODE_SYNC (1ull << 5)
#define INODE_IMMUTABLE (1ull << 6)
#define INODE_APPEND (1ull << 7)
#define INODE_NODUMP (1ull << 8)
#define INODE_NOATIME (1ull << 9)
#define INODE_DIRSYNC (1ull << 10)
#define INODE_COMPRESS (1ull << 11)
#define INODE_RO_VERITY (1ull << 32) /* low bit of the upper half, which holds read-only flags */

#endif
