/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One subvolume on its way from its first command to its final name, as far as that is to outlive this process: a
 * state machine whose every step is in a journal (receive/journal.h).
 *
 *            receiving_begin             receiving_seal            receiving_name            receiving_done
 *    NOTHING ─────────────▶ APPLYING ───────────────▶ SEALED ───────────────▶ NAMED ───────────────▶ NOTHING
 *                            │    ▲
 *                            └────┘ receiving_made, receiving_advance, receiving_fail
 *
 *    APPLYING  The tree is made under a partial name and commands are applied to it.  An earlier run's is gone on
 *              with behind the last command that it noted; that one command more may have been applied.
 *              If the copy of a parent was not whole, or the machine was started again since (nobody
 *              knows what of the tree reached the disk), or a command failed and was left out, it is begun anew.
 *    SEALED    Nothing more is written to it, all of it is on disk, and what finds it by its uuid is there.
 *              An earlier run's gets its final name.
 *    NAMED     It has its final name, on disk.  What an earlier run's root directory is still to be given is given.
 *
 * Whose tree it is in DIR is known by its identity, not by its name: one that was deleted, renamed or replaced is not
 * gone on with.  What was opened up for a moment (receive/opened.h) is in the journal as well.
 */
#ifndef BTRFLY_RECEIVE_RECEIVING_H
#define BTRFLY_RECEIVE_RECEIVING_H

#include <limits.h>

#include "receive/journal.h"
#include "receive/notes.h"
#include "receive/opened.h"
#include "receive/tree_identity.h"

#define RECEIVING_BOOT_SIZE 64

enum receiving_state {
	RECEIVING_NOTHING,
	RECEIVING_APPLYING,
	RECEIVING_SEALED,
	RECEIVING_NAMED,
};

struct receiving {
	struct host *host;
	int dir;	/* DIR, the caller's */
	const char *removal; /* the command that removes a tree, for messages */
	bool untrusted; /* this run takes nothing from the stream that lends rights */
	char boot[RECEIVING_BOOT_SIZE];	/* which run of the machine this is; "" where it is not to be known */
	struct journal journal;
	struct opened opened;
	struct tree_notes notes;

	enum receiving_state state;
	u8 uuid[16];
	u64 ctransid;
	char name[NAME_MAX + 1];
	char partial[NAME_MAX + 1];
	unsigned number; /* of the partial name */
	struct tree_identity tree;
	u64 commands, digest; /* that were applied, and noted */
	bool failed;	      /* a command of it was left out */
	bool same_boot;	      /* the machine was not started since */
	bool trusted;	      /* a run that worked on it was not one that is @untrusted */
};

/* Has to be called while /proc can be reached: it says which run of the machine this is. */
void receiving_init(struct receiving *r, struct host *h, int dir, const char *removal);

/* What an earlier run left of the subvolume @uuid, and its journal locked: 0, -ENOENT, -EBUSY where another process is at
 * work on it, or another error, with an error message. */
int receiving_load(struct receiving *r, const u8 *uuid);

/*
 * A new journal, in place of one that receiving_load() has found.  The partial name must be free; with
 * @any_number another one may be taken.  0, -EEXIST with an error message, -EBUSY, or another error.
 */
int receiving_begin(struct receiving *r, const u8 *uuid, u64 ctransid, const char *name, bool any_number);

/* Whether receiving_begin() could, but for other processes. */
int receiving_may_begin(struct receiving *r, const u8 *uuid, const char *name, bool any_number);

/* -EEXIST, with an error message that says what to do with @partial, or -EBUSY where a process is at work on it. */
int receiving_is_left(const struct receiving *r, const char *partial);

/* The tree is there, and @root open on it. */
int receiving_made(struct receiving *r, int root);

/* So many commands are applied, with everything that was noted meanwhile. */
int receiving_advance(struct receiving *r, u64 commands, u64 digest);

/* A command failed and is left out: what this leaves can not be gone on with. */
int receiving_fail(struct receiving *r);

int receiving_seal(struct receiving *r);
int receiving_name(struct receiving *r);

/* 1 if DIR/@name is the tree, 0 if it is something else or nothing, or a negative errno with an error message.  The
 * name may lead to something else at the next call: whoever goes on with the tree opens it, and has *@fd then. */
int receiving_is_tree(struct receiving *r, const char *name);
int receiving_open_tree(struct receiving *r, const char *name, int *fd);

/* It is whole, or nothing is left of it: there is nothing to go on with. */
int receiving_done(struct receiving *r);

/* Let go, and leave all as it is for a later run. */
void receiving_release(struct receiving *r);

#endif
