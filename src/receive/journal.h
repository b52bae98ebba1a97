/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file DIR/.btrfly/UUID.journal: entries (receive/entry.h) that are only ever appended, by one process at a
 * time.  What they mean is for receive/receiving.h.
 *
 * A killed process loses nothing that it has written, but after a crash of the machine only that is there which
 * journal_sync() has seen.
 */
#ifndef BTRFLY_RECEIVE_JOURNAL_H
#define BTRFLY_RECEIVE_JOURNAL_H

#include "receive/entry.h"
#include "receive/state_dir.h"

struct journal {
	struct host *host;
	int dir;   /* DIR/.btrfly; -1: there is no journal, and what is appended goes nowhere */
	int fd;    /* locked */
	char name[STATE_FILE_MAX];
	u64 end;   /* bytes that are whole entries */
	u64 fresh; /* what it had when it was last written anew */
	struct buffer pending; /* entries that go into the next ENTRY_ADVANCE */
	struct buffer out;     /* entries that have not reached the file yet */
	bool collecting;       /* they are written many at once */
};

void journal_init(struct journal *j, struct host *h);

/*
 * Open the journal of the subvolume @uuid, with @make one that is empty where there is none, and lock it.  0; -ENOENT;
 * -EBUSY with an error message that names the process that has it; or another error.
 */
int journal_open(struct journal *j, int dir, const u8 *uuid, bool make);

/* Call @each for every entry; one that a killed writer did not finish is cut off.  0, the first result of
 * @each that is not 0, or an error: -EINVAL where an entry is damaged, and what is appended then comes in its place. */
int journal_read(struct journal *j, int (*each)(void *arg, struct entry *e), void *arg);

/* Whether somebody else has a journal in DIR/.btrfly, whichever subvolume's, at this moment of which @wanted says true.  It is
 * called for every entry.  @own is not asked. */
bool journal_find_busy(const struct journal *own, int dir, bool (*wanted)(void *arg, struct entry *e), void *arg);

/* Append what @w has begun in journal_writer()'s buffer.  0 or a negative errno with an error message, and then
 * the file is as it was. */
struct buffer *journal_buffer(struct journal *j);
int journal_append(struct journal *j, struct entry_writer *w);

bool journal_is_open(const struct journal *j);

/* Whether journal_open() has made it, and nothing was appended since. */
bool journal_is_new(const struct journal *j);

/* One ENTRY_ADVANCE with all that was put off in it: after a kill all of it is there, or nothing. */
int journal_advance(struct journal *j, u64 commands, u64 digest);

/* Whether so much was appended that writing it anew pays. */
bool journal_is_long(const struct journal *j);

/* Write it anew: what @fill appends takes the place of all that was there.  If that fails the journal is what
 * it was. */
int journal_rewrite(struct journal *j, int (*fill)(void *arg), void *arg);

/* All of it is on disk. */
int journal_sync(struct journal *j);

int journal_remove(struct journal *j);   /* it is of no use any more */
void journal_release(struct journal *j); /* and leave the file for later */

#endif
