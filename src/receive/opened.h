/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Modes of directories and files that are opened up for a moment (receive/grant.h), with what they were.  They are
 * noted before the mode is changed and again after it was put back, in the journal if there is one: what a killed run
 * left open is closed by the next.
 */
#ifndef BTRFLY_RECEIVE_OPENED_H
#define BTRFLY_RECEIVE_OPENED_H

#include <sys/types.h>

#include "base/types.h"

struct journal;
struct entry;

struct opened_mode {
	u8 tree[16]; /* the uuid of the subvolume in which it lies */
	mode_t mode; /* what it was */
	size_t len;
	char *path;
};

struct opened {
	struct journal *journal; /* NULL: notes are kept in memory alone */
	struct opened_mode *mode; /* the newest one last */
	size_t count, capacity;
};

/* [@path, @path + @len) of the tree @tree, now of mode @mode, is about to be opened up.  0 or a negative errno with
 * an error message; then it must not be. */
int opened_add(struct opened *o, const u8 *tree, const char *path, size_t len, mode_t mode);

/* The newest note of that path: its mode is back.  A failure to say so in the journal is none: what it says is
 * then put back once more. */
void opened_remove(struct opened *o, const u8 *tree, const char *path, size_t len);

/* As they stand in the journal: write one anew, and take in an ENTRY_OPENED or ENTRY_CLOSED.  -EINVAL without a message if
 * it is damaged. */
int opened_write(struct journal *j, const struct opened_mode *m);
int opened_read(struct opened *o, struct entry *e);

void opened_release(struct opened *o);

#endif
