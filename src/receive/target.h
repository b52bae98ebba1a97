/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream is applied: a table of operations.  The applier (receive/applier.h) has checked the
 * command's attributes and the letters of its paths before it calls one; a target owns everything
 * that depends on what lies there already, so above all that no symlink leads out.
 *
 *            begin                finish
 *   IDLE ───────────▶ RECEIVING ──────────▶ IDLE
 *                       │   ▲
 *                       └───┘ apply
 *
 * Until finish() the tree has a temporary name.  After a failure it stays there.
 */
#ifndef BTRFLY_RECEIVE_TARGET_H
#define BTRFLY_RECEIVE_TARGET_H

#include "receive/host.h"
#include "receive/skipped.h"
#include "stream/path.h"

struct receive_options {
	bool strict;           /* what would be skipped is an error */
	bool untrusted;	       /* a stranger's stream: what lends rights is left out */
	bool sparse;           /* zeros become holes */
	bool force_decompress; /* no encoded writes, even where the target has them */
	bool resume;           /* go on with what an earlier run left */
	bool force_parent;     /* build on a parent that is not the one the stream was made against */

	/* What is to be said, but stops nothing: a message without a full stop.  NULL: it is dropped. */
	void (*warn)(void *arg, const char *message);
	void *warn_arg;
	struct host *host;     /* NULL: the running system */
};

/* A command with its paths. */
struct operation {
	const struct decoded_command *c;
	const struct tree_path *path;  /* what it acts on, or a new subvolume's name */
	const struct tree_path *other; /* the target of RENAME, the existing file of LINK and CLONE */
	bool within;                   /* CLONE: from the subvolume that is being received */
	bool without_data; /* the stream has none: sources may be shorter than it says */
	bool again; /* it may have been applied before: what it makes may be there, what it takes
		     * away may be gone */
};

struct target;

struct target_ops {
	/* Whether the subvolume that was sent as @uuid is here: 0, -ENOENT, or another error. */
	int (*find)(struct target *t, const u8 *uuid, u64 ctransid);

	/* Whether the name of SUBVOL or SNAPSHOT is free: 0, -EEXIST, or another error. */
	int (*may_begin)(struct target *t, const struct operation *op);

	/* SUBVOL or SNAPSHOT.  What is left of a subvolume that was not finished stays where it is. */
	int (*begin)(struct target *t, const struct operation *op);

	/*
	 * With options.resume, in front of begin(): what of this subvolume is there already.  @commands is 0
	 * if nothing is, and begin() is to come; UINT64_MAX if all of it is; else an earlier run's tree is
	 * taken up, @commands of its commands were applied, SUBVOL or SNAPSHOT included, and they had
	 * @digest.
	 */
	int (*resume)(struct target *t, const struct operation *op, u64 *commands, u64 *digest);

	/* Every other command but END. */
	int (*apply)(struct target *t, const struct operation *op);

	/* So many commands were applied, and have this digest: for resume(). */
	int (*advance)(struct target *t, u64 commands, u64 digest);

	/* A command has failed and is passed over: there is nothing to resume any more. */
	void (*passed_over)(struct target *t);

	/* Make it durable, give it its name. */
	int (*finish)(struct target *t);

	/* Where the tree that is being received lies in DIR, for a message; NULL when IDLE. */
	const char *(*where)(struct target *t);

	void (*free)(struct target *t);
};

struct target {
	const struct target_ops *ops;
	const char *removal; /* the command that removes what an unfinished receive left: "rm -r" */
	bool begins_anew;    /* commands of it were passed over: --resume does not go on with it */
	struct receive_options options;
	struct skipped skipped;
	u32 skipped_before; /* bit SKIPPED_…: by an earlier run that was gone on with */
};

void target_warn(struct target *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Leave something out: 0 and counted, or, with --strict, an error of @err. */
int target_skip(struct target *t, enum skipped_kind kind, int err);

/* The same where the call succeeded and something else than @asked is there afterwards. */
int target_skip_changed(struct target *t, enum skipped_kind kind, const char *asked, const char *there);

#endif
