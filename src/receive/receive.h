/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from a file descriptor into a target. */
#ifndef BTRFLY_RECEIVE_RECEIVE_H
#define BTRFLY_RECEIVE_RECEIVE_H

#include "receive/target.h"
#include "stream/pump.h"

/* Who wants to know how it goes; each may be NULL. */
struct receive_watch {
	/* In front of every command. */
	void (*command)(struct receive_watch *w, const struct decoded_command *c);
	/* A command failed and was passed over; this thread's sentence is about it. */
	void (*failed)(struct receive_watch *w);
};

/*
 * Apply what @pump reads to @t.  From a regular file everything is read twice: the first time every
 * command is checked, and that parents, clone sources and free names are there, before anything is
 * written.  0, or a negative errno with a sentence.
 */
int receive_stream(struct stream_pump *pump, struct target *t, struct receive_watch *w);

#endif
