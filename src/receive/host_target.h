/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two targets that the host's kernel holds have in common: the steps of receive/receiving.h with a tree to
 * them, resuming, clone sources.  What differs is a table of a few functions.
 */
#ifndef BTRFLY_RECEIVE_HOST_TARGET_H
#define BTRFLY_RECEIVE_HOST_TARGET_H

#include "receive/host_tree.h"
#include "receive/origin.h"
#include "receive/receiving.h"

/* How a stream names what it builds on. */
struct sent_as {
	bool known;
	u8 uuid[16];
	u64 ctransid;
};

struct host_target {
	struct target target;
	const struct host_kind *kind;
	struct host *host, own; /* @own where the caller has none */
	int dir;
	struct host_tree tree;
	struct receiving receiving;
	bool looked; /* at what an earlier run left of the subvolume that receiving.uuid names */

	struct sent_as doubted; /* the parent or source that was compared last */

	/* The other tree that was cloned from last. */
	struct sent_as source_sent_as;
	int source_root; /* -1: none */
	struct beneath source;
};

struct host_kind {
	/* The root of the subvolume that was sent as @uuid, open, and what is known of it in @o.  -ENOENT with an error
	 * message. */
	int (*open_received)(struct host_target *h, const u8 *uuid, u64 ctransid, struct origin *o);

	/* Make receiving.partial for SUBVOL, or, from @parent that is open, for SNAPSHOT, and open it: the
	 * descriptor. */
	int (*make)(struct host_target *h, const struct decoded_command *c, int parent);

	/* Bring everything that a SNAPSHOT begins with into the tree, as far as make() has not. */
	int (*fill)(struct host_target *h, const struct decoded_command *c, int parent);

	/* Take receiving.partial away again.  Unless it is known to be the tree that make() made, and @fd open on it, nothing
	 * that could be worth anything to somebody is taken away; @fd is -1 then. */
	int (*discard)(struct host_target *h, int fd);

	/* A command within the subvolume. */
	int (*apply)(struct host_target *h, const struct operation *op);

	/* Whether an earlier run came as far as the end of seal(): nothing can be written any more. */
	bool (*is_sealed)(struct host_target *h);

	/* Everything is on disk, and the final name comes next: write down which subvolume it is. */
	int (*seal)(struct host_target *h);

	/* The final name is there. */
	int (*done)(struct host_target *h);

	const char *removal; /* as target.removal */
};

/* @dir is open, and the target's from here on, also on failure. */
int host_target_new(struct target **out, int dir, const struct receive_options *options,
		    const struct host_kind *kind);

/* Open receiving.partial; fresh, it is what was just made: empty, and only its owner's.  What DIR handed down to it is no
 * part of the subvolume and goes. */
int host_target_open_partial(struct host_target *h);
int host_target_open_fresh(struct host_target *h);

/* The tree that @op clones from; NULL with op->within. */
int host_target_source(struct host_target *h, const struct operation *op);

static inline struct host_target *host_target_of(struct target *t)
{
	return CONTAINER_OF(t, struct host_target, target);
}

#endif
