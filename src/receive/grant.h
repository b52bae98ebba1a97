/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user receives trees whose modes keep himself out: directories he may not write, files he may not
 * read.  What he owns is opened up for one call and closed again; root never needs it.
 */
#ifndef BTRFLY_RECEIVE_GRANT_H
#define BTRFLY_RECEIVE_GRANT_H

#include "receive/host.h"

struct grant {
	struct host *host;
	int dir;
	const char *name; /* NULL: the directory alone */
	bool dir_changed, changed;
	mode_t dir_mode, mode;
};

/* Open up @dir, and @name in it unless that is NULL.  Whether anything was changed: if not, trying
 * again is of no use.  @name must stay valid. */
bool grant_begin(struct grant *g, struct host *host, int dir, const char *name);

/* Close again.  Returns @ret, or, unless that is an error itself, the negative errno of a mode that could not be
 * put back.  The second is for a call that returns a descriptor, which is closed then. */
int grant_end(struct grant *g, int ret);
int grant_end_open(struct grant *g, int fd);

/* Open a directory that its owner may have closed to himself, for reading.  -1 and errno. */
int grant_open_directory(struct host *host, int dir, const char *name);

/* @name was renamed, or has a new mode: its old one is not to come back. */
static inline void grant_keep(struct grant *g) { g->changed = false; }

#endif
