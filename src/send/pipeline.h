/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of a send, side by side: plan, fetch, emit. */
#ifndef BTRFLY_SEND_PIPELINE_H
#define BTRFLY_SEND_PIPELINE_H

#include "base/progress.h"
#include "send/plan.h"
#include "stream/sink.h"

struct pipeline_options {
	unsigned threads; /* that fetch; 1: everything on the caller's thread */
	u64 skip;         /* bytes of the stream that are not wanted, from its start */
	struct progress *progress; /* may be NULL */
};

/*
 * Run @plan to its end and write its stream to @sink, from byte @skip on.  The sink and the progress are
 * called on the caller's thread.  *@bytes is the length of the whole stream, skipped bytes included.
 * What was written before an error is a stream cut short.
 */
int pipeline_run(struct filesystem *fs, struct send_plan *plan, struct sink *sink,
		 const struct pipeline_options *options, u64 *bytes);

#endif
