/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a path leads. */
#ifndef BTRFLY_FILES_LOCATION_H
#define BTRFLY_FILES_LOCATION_H

#include "files/subvolume.h"

/*
 * A snapshot shows the subvolumes that were in its source as empty directories: there the inode is
 * EMPTY_SUBVOL_DIR_OBJECTID, for which there are no items.
 */
struct location {
	struct subvolume subvolume;
	u64 ino;
	u8 type; /* FT_… */
};

/* The top level's own directory. */
int location_top(struct filesystem *fs, struct location *out);

/* The entry @name of the directory @at: -ENOENT or -ENOTDIR without a sentence, or an error with one.
 * @out may be @at. */
int location_enter(struct filesystem *fs, const struct location *at, const char *name, size_t len,
		   struct location *out);

/* Follow @path from the top level.  Subvolumes on the way are entered, symlinks are not followed,
 * ".." and an empty path are refused (-EINVAL). */
int location_find(struct filesystem *fs, const char *path, struct location *out);

#endif
