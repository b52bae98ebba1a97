/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hard links where the filesystem has none, or no more of one file.  Such a file's names have a number in common
 * (note.links).  One is the file; each of the others is a copy: a file that only keeps the name and gets its
 * content at the end, and until then every command on it acts on the file.
 */
#ifndef BTRFLY_RECEIVE_HOST_LINKS_H
#define BTRFLY_RECEIVE_HOST_LINKS_H

#include "receive/host_tree.h"

/* Whether link() fails with @err because the filesystem has no further name for the file. */
bool host_links_lacks(int err);

/* Each returns 0 or a negative errno with an error message. */

/* @out is @op, with the file where @op names a copy of it; its paths are @h's. */
int host_links_resolve(struct host_tree *h, const struct operation *op, struct operation *out);

/* LINK, which link() refused with @err. */
int host_links_add(struct host_tree *h, const struct operation *op, int err);

/* LINK of @spelling, which is another spelling of @old, a name of the same file: it is given when @old goes. */
int host_links_respell(struct host_tree *h, const struct tree_path *old, const struct tree_path *spelling);

/* @p is to go, or, with @gone, was taken away by an earlier run.  If it is the file of copies one of these is the file
 * then; 1 if @p is gone with that. */
int host_links_leave(struct host_tree *h, const struct tree_path *p, bool gone);

/* At the end: the copies are what the file is.  Doing it again does no harm. */
int host_links_seal(struct host_tree *h);

#endif
