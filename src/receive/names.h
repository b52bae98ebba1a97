/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a filesystem makes of names.  Some take several spellings for one name (README and readme, two Unicode forms of
 * a letter), some write another one down than was asked for (without a dot at its end).  Whether DIR's is such a
 * filesystem is tried once, with a file in DIR/.btrfly; only there names are compared with what a directory lists.
 */
#ifndef BTRFLY_RECEIVE_NAMES_H
#define BTRFLY_RECEIVE_NAMES_H

#include "receive/beneath.h"

#define NAMES_SURE 256	      /* power of two */
#define NAMES_LISTED_MAX 1024 /* bytes of a name that a directory lists, more than any system has */

struct names {
	struct host *host;
	int dir;	/* DIR, the caller's */
	const u8 *uuid; /* of the subvolume that is received: whose DIR/.btrfly/UUID.names is */
	enum { NAMES_UNTRIED, NAMES_KEPT, NAMES_FOLDED } kind;
	bool no_flag;	/* the filesystem was found to have no RENAME_NOREPLACE */

	/* Hashes of paths that are known to be spelled as the tree has them. */
	u64 seed, sure[NAMES_SURE];
};

void names_init(struct names *n, struct host *host, int dir, const u8 *uuid);

/* What a killed run that tried the filesystem has left in DIR/.btrfly, which @state_dir is.  0 or a negative errno with an
 * error message. */
int names_sweep(struct host *h, int state_dir, const u8 *uuid);

/* Another tree is received. */
void names_clear(struct names *n);

/* Whether one name may have several spellings, or come out altered; where that cannot be found out, too. */
bool names_fold(struct names *n);

/* Each of these returns a negative errno with an error message if it fails. */

/* Whether the directory @dir lists an entry of exactly these bytes: 1 or 0. */
int names_listed(struct host *h, int dir, const char *name);

/* What the filesystem writes down for @name. */
int names_see_made(struct names *n, const char *name, char made[NAMES_LISTED_MAX]);

/* The other entry of @dir that @name leads to, as far as that can be told: 1 or 0. */
int names_find_spelling(struct host *h, int dir, const char *name, char found[NAMES_LISTED_MAX]);

/* -EEXIST, with an error message that says which name stands in the way of @name in @dir. */
int names_taken(struct host *h, int dir, const char *name);

/* 1 if @name leads to something and is its spelling, or, with @altered, what the filesystem makes of it is; 0 if it leads
 * nowhere; else -ENOENT. */
int names_spelled(struct names *n, int dir, const char *name, bool altered);

/* The same for all of a path beneath @b, or, without @whole, for the directories on the way: 0, also if they lead
 * nowhere, or -ENOENT. */
int names_check(struct names *n, struct beneath *b, const struct tree_path *p, bool whole, bool altered);

/* A rename that replaces nothing: 0, -EEXIST, or another negative errno, without a message.  *@no_flag is set when the
 * filesystem is found not to have RENAME_NOREPLACE; then it is looked first. */
int names_rename(struct host *h, int from_dir, const char *from, int dir, const char *name, bool *no_flag);

/* @p was made just now; it is there no more.  A directory takes what lies beneath with it. */
void names_made(struct names *n, const struct tree_path *p);
void names_gone(struct names *n, const struct tree_path *p, bool directory);

#endif
