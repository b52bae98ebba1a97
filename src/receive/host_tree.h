/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that the host's kernel holds, and the commands of a stream as system calls on it: what the
 * directory target and the target of a mounted btrfs share.
 */
#ifndef BTRFLY_RECEIVE_HOST_TREE_H
#define BTRFLY_RECEIVE_HOST_TREE_H

#include "base/buffer.h"
#include "format/compress.h"
#include "receive/beneath.h"
#include "receive/notes.h"
#include "receive/target.h"

struct host_tree {
	struct target *target; /* options, and where skipped things are counted */
	int root;              /* open directory; -1 when there is no tree */
	struct beneath beneath;

	/* The file written last stays open; its name follows renames. */
	int file;
	struct tree_path file_path;

	struct tree_notes notes;

	bool hands_down; /* a directory may hand down a default ACL or a compression to what is made in it */
	bool no_holes;     /* the filesystem was found to have none */

	/* Reads of clone sources, decompressed data. */
	struct buffer data;
	struct decompressor *decompressor;
};

void host_tree_init(struct host_tree *h, struct target *t);
void host_tree_release(struct host_tree *h);

/* Begin with the empty or copied tree at @root, which the host tree closes. */
void host_tree_open(struct host_tree *h, int root);

/* Forget the tree; the counts of what was skipped stay with the target. */
void host_tree_close(struct host_tree *h);

/* A command within the tree.  @source is the other tree of a CLONE that is not op->within. */
int host_tree_apply(struct host_tree *h, const struct operation *op, struct beneath *source);

/* The last command has come: what had to wait until now, and, behind the rename that an immutable root
 * would forbid, the root's flags. */
int host_tree_seal(struct host_tree *h);
int host_tree_seal_root(struct host_tree *h);

/* The parts: host_names.c, host_data.c, host_attributes.c. */
int host_make(struct host_tree *h, const struct operation *op);
int host_rename(struct host_tree *h, const struct operation *op);
int host_link(struct host_tree *h, const struct operation *op);
int host_remove(struct host_tree *h, const struct operation *op);

int host_write(struct host_tree *h, const struct operation *op);
int host_encoded_write(struct host_tree *h, const struct operation *op);
int host_truncate(struct host_tree *h, const struct operation *op);
int host_fallocate(struct host_tree *h, const struct operation *op);
int host_clone(struct host_tree *h, const struct operation *op, struct beneath *source);

int host_set_xattr(struct host_tree *h, const struct operation *op);
int host_remove_xattr(struct host_tree *h, const struct operation *op);
int host_chmod(struct host_tree *h, const struct operation *op);
int host_chown(struct host_tree *h, const struct operation *op);
int host_utimes(struct host_tree *h, const struct operation *op);
int host_fileattr(struct host_tree *h, const struct operation *op);
int host_enable_verity(struct host_tree *h, const struct operation *op);

/* The file at @p open for reading and writing: h->file.  Negative errno with a sentence. */
int host_open_file(struct host_tree *h, const struct tree_path *p);
void host_close_file(struct host_tree *h);

/* A regular file beneath @b open for reading; the caller's. */
int host_open_source(struct beneath *b, const struct tree_path *p);

#endif
