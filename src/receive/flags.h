/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File flags, what chattr sets. */
#ifndef BTRFLY_RECEIVE_FLAGS_H
#define BTRFLY_RECEIVE_FLAGS_H

#include <linux/fs.h>

#include "receive/host.h"

/* The flags that a stream can ask for. */
#define FLAGS_OF_STREAM                                                                            \
	(FS_NOCOW_FL | FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL |  \
	 FS_DIRSYNC_FL | FS_COMPR_FL | FS_NOCOMP_FL)

/* Behind which nothing more can be changed. */
#define FLAGS_THAT_FORBID ((u32)(FS_IMMUTABLE_FL | FS_APPEND_FL))

/* A btrfs inode item's flags as FS_…_FL, as far as they are FLAGS_OF_STREAM. */
u32 flags_of_inode(u64 inode_flags);

/* Of the flags of a regular file or directory those of a stream.  0, or a negative errno without an error message. */
int flags_read(struct host *host, int dir, const char *name, u32 *flags);

/*
 * Of the flags that @mask and a stream have in common, set those in @flags and take the others away.
 * 0, or a negative errno without an error message; -EOPNOTSUPP where the filesystem lacks some or quietly ignores them, and
 * then the others are set.
 */
int flags_change(struct host *host, int dir, const char *name, u32 mask, u32 flags);

#endif
