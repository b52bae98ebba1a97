/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to a directory beneath a root that no path can leave: by openat2() with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS, or component by component where that is missing.  Directories met lately are
 * kept open.
 */
#ifndef BTRFLY_RECEIVE_BENEATH_H
#define BTRFLY_RECEIVE_BENEATH_H

#include "receive/host.h"
#include "stream/path.h"

#define BENEATH_KEPT 8

struct beneath {
	struct host *host;
	int root;      /* the caller's */
	bool by_steps; /* openat2() was found missing */

	/* The user owns what he receives, but not every directory lets its owner in or create files.
	 * Those are opened up for the moment. */
	bool may_grant;

	u64 clock;
	struct beneath_dir {
		int fd; /* -1: unused */
		u64 used;
		struct tree_path path;
	} kept[BENEATH_KEPT];
};

void beneath_init(struct beneath *b, struct host *host, int root);
void beneath_release(struct beneath *b); /* all but the root */

/*
 * The open directory in which @p lies, the root for @p itself being the root.  It is the beneath's, and
 * valid until so many further calls as it keeps directories.  Negative errno otherwise, with a sentence:
 * -ELOOP where the path leads through a symlink.
 */
int beneath_parent(struct beneath *b, const struct tree_path *p);

/*
 * The same for the path of @len bytes and a NUL at @text, which may be longer than that of a command: @name is its
 * last component.  The descriptor is for beneath_close().
 */
int beneath_open_parent(struct beneath *b, const char *text, size_t len, const char **name);
void beneath_close(struct beneath *b, int fd);

/* @p, which may have been a directory, is not there any more, or another one is. */
void beneath_forget(struct beneath *b, const struct tree_path *p);

#endif
