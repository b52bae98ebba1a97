/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/metadata.h"

#include <string.h>
#include <sys/stat.h>

#include "files/dir.h"

/* The others are the filesystem's own notes, and change when the data does. */
#define SHOWN_FLAGS                                                                                \
	(INODE_NODATACOW | INODE_NOCOMPRESS | INODE_SYNC | INODE_IMMUTABLE | INODE_APPEND |        \
	 INODE_NODUMP | INODE_NOATIME | INODE_DIRSYNC | INODE_COMPRESS | INODE_RO_VERITY)

u32 metadata_changes(const struct inode *old, const struct inode *new)
{
	u32 what = 0;

	if ((old->mode ^ new->mode) & ~(u32)S_IFMT)
		what |= METADATA_MODE;
	if (old->uid != new->uid)
		what |= METADATA_OWNER;
	if (old->gid != new->gid)
		what |= METADATA_GROUP;
	if ((old->flags ^ new->flags) & SHOWN_FLAGS)
		what |= METADATA_FLAGS;
	if (old->mtime.sec != new->mtime.sec || old->mtime.nsec != new->mtime.nsec)
		what |= METADATA_MTIME;
	return what;
}

/* As metadata_same_xattrs() of one attribute of the first item. */
static int is_in(const struct dir_entry *e, const struct key *key, const void *item, u32 size)
{
	struct dir_entry other;
	u32 pos = 0;
	int ret;

	while ((ret = dir_entry_next(key, item, size, &pos, &other)) > 0)
		if (e->name_len == other.name_len && !memcmp(e->name, other.name, e->name_len))
			return e->data_len == other.data_len &&
			       !memcmp(e->data, other.data, e->data_len);
	return ret;
}

int metadata_same_xattrs(const struct key *key, const void *a, u32 a_size, const void *b, u32 b_size)
{
	struct dir_entry e;
	u32 pos = 0;
	int ret;

	/* Names are unique in an item: with equal sizes nothing is left over in the second one. */
	if (a_size != b_size)
		return 0;
	while ((ret = dir_entry_next(key, a, a_size, &pos, &e)) > 0) {
		ret = is_in(&e, key, b, b_size);
		if (ret <= 0)
			return ret;
	}
	return ret ? ret : 1;
}
