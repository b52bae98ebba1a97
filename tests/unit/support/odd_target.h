/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plain directory on an odd host, and streams that are received there: for the tests of what becomes of them. */
#ifndef BTRFLY_TESTS_ODD_TARGET_H
#define BTRFLY_TESTS_ODD_TARGET_H

#include "receive/applier.h"
#include "support/odd_host.h"
#include "support/scratch.h"
#include "support/stream_builder.h"

struct odd_target {
	char base[SCRATCH_MAX]; /* the directory that streams are received in */
	struct odd_host host;
	struct target *target;
	struct applier applier;
	struct builder b; /* what is applied next: empty but for a header and SUBVOL "snap" at first */
	bool pass_over;	  /* commands that fail */
};

void odd_target_init(struct odd_target *t);
void odd_target_release(struct odd_target *t);

/* Leave everything as it lies, and begin with the same directory in another process, as it were. */
void odd_target_again(struct odd_target *t, const struct receive_options *options);

/* Apply what was built, and begin to build anew: the first failure. */
int odd_target_apply(struct odd_target *t);

/* What is at @path of the subvolume "snap", partial or not. */
bool odd_target_has(const struct odd_target *t, const char *path, struct stat *st);

/* The content of the file there; "" if there is none. */
const char *odd_target_read(const struct odd_target *t, const char *path);

#endif
