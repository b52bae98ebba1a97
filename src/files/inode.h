/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inodes: the inode item in the machine's own numbers, and the names that it is known by. */
#ifndef BTRFLY_FILES_INODE_H
#define BTRFLY_FILES_INODE_H

#include "format/inode.h"
#include "tree/cursor.h"

struct timestamp {
	s64 sec;
	u32 nsec;
};

struct inode {
	u64 ino;
	u64 generation;
	u64 transid;
	u64 size;
	u64 nbytes;
	u32 nlink;
	u32 uid, gid;
	u32 mode;
	u64 rdev; /* raw from disk: inode_major(), inode_minor() */
	u64 flags;
	struct timestamp atime, ctime, mtime, otime;
};

struct timestamp timestamp_from_disk(const struct disk_timespec *t);

/* Translate an inode item; -EIO with a sentence if @size is too small. */
int inode_decode(u64 ino, const void *item, u32 size, struct inode *out);

/* Find and translate inode @ino with @c, a cursor over its subvolume's tree.  -ENOENT if there is none:
 * too common an answer for a sentence. */
int inode_read(struct cursor *c, u64 ino, struct inode *out);

/* On disk stands the kernel's own dev_t: 12 bits of major over 20 bits of minor. */
static inline u32 inode_major(u64 rdev) { return (u32)rdev >> 20; }
static inline u32 inode_minor(u64 rdev) { return (u32)rdev & 0xfffff; }

/*
 * One name of an INODE_REF or INODE_EXTREF item.  @name points into the item.
 */
struct inode_name {
	u64 parent; /* inode number of the directory */
	u64 index;  /* in the directory's DIR_INDEX items */
	const char *name;
	u16 name_len;
};

/* Step through the names of one item.  Start with *@pos = 0.  1: a name; 0: no more; -EIO: damaged.
 * Names are as name_is_valid() has them, or ".." where the item's inode is its own parent. */
int inode_name_next(const struct key *key, const void *item, u32 size, u32 *pos,
		    struct inode_name *out);

/* The kernel gives up on paths beyond its PATH_MAX of 4096; a bound there must be for whoever climbs from name to
 * name, against directories that contain each other. */
#define PATH_LENGTH_MAX 65536u

/* The first name of inode @ino, of a directory the only one, found with @c; valid until @c moves.  An
 * INODE_EXTREF counts where no name fitted INODE_REF. */
int inode_first_name(struct cursor *c, u64 ino, struct inode_name *out);

#endif
