/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One of the two subvolumes that are compared: its inodes, and where its directories are. */
#ifndef BTRFLY_COMPARE_SIDE_H
#define BTRFLY_COMPARE_SIDE_H

#include "compare/paths.h"
#include "files/subvolume.h"

struct side {
	struct subvolume subvolume;
	struct cursor inodes;
	struct cursor names;
	struct paths *paths;
	struct map directories; /* inode number → struct directory; the top is always there */
	struct buffer climb;
};

/* A directory that something that changed is, or was, in. */
struct directory {
	struct map_node in_directories;
	struct path_node *path;
	/* With the inode number these make it the same directory in both subvolumes; 0 for the top, which is
	 * the same in any two. */
	u64 generation;
	struct timestamp otime;
	bool changed; /* an entry is in one of the subvolumes only */
};

int side_init(struct side *s, const struct subvolume *subvolume, struct paths *paths);
void side_release(struct side *s); /* directories stay with the arena */

/* 1 and the inode, 0 if there is none, or an error. */
int side_inode(struct side *s, u64 ino, struct inode *out);

/* Directory @ino, which must be there. */
int side_directory(struct side *s, u64 ino, struct directory **out);

static inline bool side_is_top(const struct side *s, u64 ino)
{
	return ino == s->subvolume.root_dirid;
}

#endif
