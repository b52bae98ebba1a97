/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a long command has come: one line on a terminal, rewritten a few times a second, and
 * nothing at all where stderr is no terminal.  One thread.
 */
#ifndef BTRFLY_BASE_PROGRESS_H
#define BTRFLY_BASE_PROGRESS_H

#include "base/types.h"

struct progress {
	bool on;
	bool shown;      /* the line is on the terminal now */
	u64 bytes;       /* done so far */
	u64 total_bytes; /* 0 where it is not known */
	u64 files;
	u64 started, drawn; /* monotonic, nanoseconds */
};

/* @quiet keeps it off everywhere. */
void progress_init(struct progress *p, bool quiet);

/* Show it where stderr is no terminal, too. */
void progress_force(struct progress *p);

void progress_add(struct progress *p, u64 bytes);
static inline void progress_add_file(struct progress *p) { p->files++; }

/* Take the line away, so that something else can be printed; it comes back by itself. */
void progress_hide(struct progress *p);

#endif
