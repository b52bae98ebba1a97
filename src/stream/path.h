/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths of a stream, relative to the subvolume that it makes.  By its letters alone such a path
 * stays beneath its root: it is not absolute and has no component that is empty, "." or ".."; and each
 * component fits into a name of NAME_MAX bytes.  That no symlink leads out is for whoever resolves it.
 */
#ifndef BTRFLY_STREAM_PATH_H
#define BTRFLY_STREAM_PATH_H

#include "stream/command.h"

#define TREE_PATH_MAX STREAM_PATH_MAX

struct tree_path {
	char text[TREE_PATH_MAX + 1]; /* "" is the root */
	size_t len;
	size_t parent_len; /* text[0, parent_len) is the directory that it lies in */
};

/* 0, or -EINVAL with a sentence. */
int tree_path_set(struct tree_path *p, struct stream_bytes from);

/* The last component, "." for the root. */
static inline const char *tree_path_name(const struct tree_path *p)
{
	return !p->len ? "." : p->parent_len ? p->text + p->parent_len + 1 : p->text;
}

/* Whether the @len bytes at @text are @p, or lie beneath it. */
bool tree_path_covers(const struct tree_path *p, const char *text, size_t len);

/* A subvolume's name: one component that a directory can hold.  0, or a negative errno with a sentence. */
int subvolume_name_set(struct tree_path *p, struct stream_bytes from);

#endif
