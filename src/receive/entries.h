/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in one directory after another, read in blocks. */
#ifndef BTRFLY_RECEIVE_ENTRIES_H
#define BTRFLY_RECEIVE_ENTRIES_H

#include "receive/host.h"

struct entries {
	struct host *host;
	int fd; /* the caller's */
	u8 *block;
	size_t at, len;
};

int entries_init(struct entries *e, struct host *host); /* 0 or -ENOMEM */
void entries_release(struct entries *e);

/* Begin with the first name in the open directory @fd.  0, or a negative errno with a sentence. */
int entries_start(struct entries *e, int fd);

/* The next one that is not "." or "..", valid until the call after: 1, 0 at the end, or a negative errno with
 * a sentence. */
int entries_next(struct entries *e, const char **name);

#endif
