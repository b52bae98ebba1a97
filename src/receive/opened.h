/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Modes of directories and files that are opened up for a moment (receive/grant.h), with what they were.  They are
 * noted before the mode is changed and again after it was put back, in the journal if there is one: what a killed run
 * left open is closed by the next.
 */
#ifndef BTRFLY_RECEIVE_OPENED_H
#define BTRFLY_RECEIVE_OPENED_H

#include "receive/host.h"

struct journal;
struct entry;

struct opened_mode {
	u64 serial;
	mode_t mode; /* what it was */
	size_t len;
	char *path; /* from DIR */
};

struct opened {
	struct journal *journal;
	int dir; /* DIR */
	struct opened_mode *mode; /* the newest one last */
	size_t count, capacity;
	u64 last_serial;
};

/*
 * @name in the open directory @dir, or with "." that itself, now of mode @mode, is about to be opened up; @serial stands
 * for the note, 0 where there is none: without a journal, and where the system does not tell the path of what is open (no
 * /proc), or it is too long.  0 or a negative errno with an error message; then it must not be opened up.
 */
int opened_add(struct opened *o, struct host *h, int dir, const char *name, mode_t mode, u64 *serial);

/* Its mode is back.  A failure to say so in the journal is none: what it says is then put back once more. */
void opened_remove(struct opened *o, u64 serial);

/* Put back what a killed run left open, the newest first.  What is not there any more needs nothing.  0, or a negative errno
 * with an error message, and what is left stays noted. */
int opened_close_all(struct opened *o, struct host *h);

/* As they stand in the journal: write one anew, and take in an ENTRY_OPENED or ENTRY_CLOSED.  -EINVAL without a message if
 * it is damaged. */
int opened_write(struct journal *j, const struct opened_mode *m);
int opened_read(struct opened *o, struct entry *e);

void opened_release(struct opened *o);

#endif
