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
#include "receive/file.h"
#include "receive/names.h"
#include "receive/notes.h"
#include "receive/target.h"

struct host_tree {
	struct host *host;
	struct target *target; /* options, and where skipped things are counted */
	int root;              /* open directory; -1 when there is no tree */
	struct beneath beneath;

	/* The file written last stays open; its name follows renames. */
	int file;
	struct tree_path file_path;
	mode_t file_lends; /* with setuid or setgid bits, which a write takes away: the mode it had */

	struct tree_notes *notes; /* the caller's */
	struct names names;	  /* what the filesystem makes of them */
	struct tree_path file_of[2]; /* what a command acts on in place of a copy (receive/host_links.h) */

	/* Where owners were lost: the file whose owner was set last, and is as it was asked for. */
	bool has_owned;
	struct tree_path owned;

	bool unrecorded; /* nobody knows what was left out of the parent */

	bool hands_down; /* a directory may hand down a default ACL or a compression to what is made in it */

	struct file_copier copier; /* of clone sources */
	struct buffer data;        /* decompressed */
	struct decompressor *decompressor;
};

void host_tree_init(struct host_tree *h, struct host *host, struct target *t, struct tree_notes *notes);
void host_tree_release(struct host_tree *h);

/* Begin with the empty or copied tree at @root, which the host tree closes. */
void host_tree_open(struct host_tree *h, int root);

/* The root has got the attributes that the tree begins with. */
void host_tree_filled(struct host_tree *h);

/* Forget the tree; the counts of what was skipped stay with the target. */
void host_tree_close(struct host_tree *h);

/* As target_skip(), and noted for later commands and increments. */
int host_tree_skip(struct host_tree *h, enum skipped_kind kind, int err);
int host_tree_skip_changed(struct host_tree *h, enum skipped_kind kind, const char *asked, const char *there);

/* In front of a command: @out is @op with what it really acts on, and that is spelled as the tree has it. */
int host_tree_find(struct host_tree *h, const struct operation *op, struct operation *out);

/* A command within the tree.  @source is the other tree of a CLONE that is not op->within. */
int host_tree_apply(struct host_tree *h, const struct operation *op, struct beneath *source);

/* The last command has come: what had to wait until now, and, behind the rename that an immutable root
 * would forbid, the root's flags. */
int host_tree_seal(struct host_tree *h);
int host_tree_seal_root(struct host_tree *h);

/* The parts: host_names.c, host_data.c, host_xattrs.c, host_attributes.c. */
int host_tree_make(struct host_tree *h, const struct operation *op);
int host_tree_rename(struct host_tree *h, const struct operation *op);
int host_tree_link(struct host_tree *h, const struct operation *op);

/*
 * The name @to in the directory @dir is taken.  If that is by @from, of which it is another spelling, it is free once the
 * file is out of the way, and then it is given.  0; -EEXIST if another file has it; or another negative errno, without a
 * message.
 */
int host_tree_respell(struct host_tree *h, int dir, const char *from, const char *to);
int host_tree_remove(struct host_tree *h, const struct operation *op);

int host_tree_write(struct host_tree *h, const struct operation *op);
int host_tree_encoded_write(struct host_tree *h, const struct operation *op);
int host_tree_truncate(struct host_tree *h, const struct operation *op);
int host_tree_fallocate(struct host_tree *h, const struct operation *op);
int host_tree_clone(struct host_tree *h, const struct operation *op, struct beneath *source);

int host_tree_set_xattr(struct host_tree *h, const struct operation *op);
int host_tree_remove_xattr(struct host_tree *h, const struct operation *op);
int host_tree_chmod(struct host_tree *h, const struct operation *op);
int host_tree_chown(struct host_tree *h, const struct operation *op);
int host_tree_utimes(struct host_tree *h, const struct operation *op);
int host_tree_fileattr(struct host_tree *h, const struct operation *op);
int host_tree_enable_verity(struct host_tree *h, const struct operation *op);

/* Whether h->file is the file at @p. */
bool host_tree_has_open(const struct host_tree *h, const struct tree_path *p);

/* The file at @p open for reading and writing: h->file.  Negative errno with a sentence. */
int host_tree_open_file(struct host_tree *h, const struct tree_path *p);
int host_tree_close_file(struct host_tree *h); /* what it did not take until now is an error, too */

/* A regular file beneath @b open for reading; the caller's. */
int host_tree_open_source(struct beneath *b, const struct tree_path *p);

#endif
