/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of an inode differs beside its content and its names. */
#ifndef BTRFLY_COMPARE_METADATA_H
#define BTRFLY_COMPARE_METADATA_H

#include "files/inode.h"

enum {
	METADATA_MODE = 1 << 0,
	METADATA_OWNER = 1 << 1,
	METADATA_GROUP = 1 << 2,
	METADATA_FLAGS = 1 << 3, /* as lsattr shows them */
	METADATA_XATTRS = 1 << 4,
	METADATA_MTIME = 1 << 5,
};

/* All but the extended attributes, which are items of their own. */
u32 metadata_changes(const struct inode *old, const struct inode *new);

/* Whether two XATTR_ITEM items of one key hold the same attributes, in whatever order: 1, 0, or an error. */
int metadata_same_xattrs(const struct key *key, const void *a, u32 a_size, const void *b, u32 b_size);

#endif
