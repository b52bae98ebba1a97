/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Send one subvolume: the plan, its data, the stream. */
#ifndef BTRFLY_SEND_SEND_H
#define BTRFLY_SEND_SEND_H

#include "send/plan.h"
#include "stream/sink.h"

struct send_request {
	const struct subvolume *subvolume;
	const struct subvolume *parent; /* NULL: a full send */
	const struct subvolume *clones; /* clone sources, the subvolume itself left out */
	size_t clone_count;
	struct plan_options options;
};

/* Write the stream to @sink.  What was written before an error is a stream cut short, without END. */
int send_subvolume(struct filesystem *fs, const struct send_request *r, struct sink *sink);

#endif
