/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command that changes the attributes of a node: tried, tried once more with what keeps its owner out opened up,
 * and what is there afterwards. */
#ifndef BTRFLY_RECEIVE_ATTEMPT_H
#define BTRFLY_RECEIVE_ATTEMPT_H

#include "receive/host_tree.h"

struct attempt {
	struct host_tree *h;
	const struct operation *op;
	struct host *host;
	int dir;
	const char *name; /* in @dir; the file that is open anyway is reached through itself */

	bool opens_file; /* the node itself is opened up as well as the directory that it lies in */
	bool sets_mode;

	bool failed; /* it could not even be opened up: no refusal of the call */

	/* What a call leaves to its caller. */
	struct stat there; /* afterwards */
	mode_t withheld;   /* bits of the mode that it was not to have */
};

/* 0, or a negative errno with an error message. */
int attempt_init(struct attempt *a, struct host_tree *h, const struct operation *op);

/* Do @call, which returns 0 or a negative errno without an error message: what it returned. */
int attempt_call(struct attempt *a, int (*call)(struct attempt *a));

#endif
