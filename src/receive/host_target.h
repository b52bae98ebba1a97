/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two targets that the host's kernel holds have in common: temporary and final names,
 * checkpoints, clone sources.  What differs is a table of a few functions.
 */
#ifndef BTRFLY_RECEIVE_HOST_TARGET_H
#define BTRFLY_RECEIVE_HOST_TARGET_H

#include <limits.h>

#include "receive/checkpoint.h"
#include "receive/host_tree.h"

struct host_target {
	struct target target;
	const struct host_kind *kind;
	struct host *host, own; /* @own where the caller has none */
	int dir;
	struct host_tree tree;
	struct checkpoint checkpoint;

	/* Of the subvolume that is being received. */
	u8 uuid[16];
	u64 ctransid;
	char name[NAME_MAX + 1];
	char partial[NAME_MAX + 1]; /* its name until it is whole; "" when there is none */
	bool keeps_checkpoints;     /* no command has failed */
	u64 saved_changes;          /* of the tree's tables, in the checkpoint */

	/* The other tree that was cloned from last. */
	u8 source_uuid[16];
	int source_root; /* -1: none */
	struct beneath source;
};

struct host_kind {
	/* The root of the subvolume that was sent as @uuid, open.  -ENOENT with a sentence. */
	int (*open_received)(struct host_target *h, const u8 *uuid, u64 ctransid);

	/* Make h->partial for SUBVOL or SNAPSHOT, and open it: the descriptor. */
	int (*make)(struct host_target *h, const struct decoded_command *c);

	/* Take h->partial away again. */
	int (*discard)(struct host_target *h);

	/* A command within the subvolume. */
	int (*apply)(struct host_target *h, const struct operation *op);

	/* Whether an earlier run came as far as seal(): nothing can be written any more. */
	bool (*is_sealed)(struct host_target *h);

	/* Everything is on disk, and the final name comes next: write down which subvolume it is. */
	int (*seal)(struct host_target *h);

	/* The final name is there. */
	int (*done)(struct host_target *h);
};

/* @dir is open, and the target's from here on, also on failure. */
int host_target_new(struct target **out, int dir, const struct receive_options *options,
		    const struct host_kind *kind);

/* Open h->partial; fresh, what DIR handed down to it is no part of the subvolume and goes. */
int host_target_open_partial(struct host_target *h);
int host_target_open_fresh(struct host_target *h);

/* The tree that @op clones from; NULL with op->within. */
int host_target_source(struct host_target *h, const struct operation *op);

static inline struct host_target *host_target_of(struct target *t)
{
	return CONTAINER_OF(t, struct host_target, target);
}

#endif
