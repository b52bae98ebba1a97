/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a received subvolume that a stream builds on, as its parent or as a source of clones, and whether
 * it can be what the stream was made against: a uuid alone does not say so, since one that can be written has many
 * contents.
 */
#ifndef BTRFLY_RECEIVE_ORIGIN_H
#define BTRFLY_RECEIVE_ORIGIN_H

#include "receive/target.h"

struct origin {
	u64 transid;	   /* of the sender's subvolume, when it was sent */
	bool one_content;  /* it never had another content, so that the transid says nothing */
	bool relayed;	   /* the stream may come from a sender that received it, too, and has a transid of its own */
	bool without_data; /* what was received was sent with --no-data */
	bool trusted;	   /* it was received by a run that trusted the stream, as far as that is known */
	u32 left_out;	   /* bit SKIPPED_…: of it, or of its parents */
	bool other_tree;   /* what bears its name is something else */

	/* It was written to after it was received.  `btrfs receive` may leave that behind, too: what it wrote last
	 * reaches the disk some time later. */
	bool changed;
	u64 changed_seconds; /* so much later */
};

/* 0, if need be with a warning; or -ESTALE with an error message.  @ctransid is what the stream says. */
int origin_check(const struct origin *o, struct target *t, u64 ctransid);

#endif
