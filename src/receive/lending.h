/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that lend their owner's rights to whoever runs them: setuid, setgid, and security.capability.  What a stream
 * says of them was meant for the owner that it says.  Where that owner could not be kept it would be somebody
 * else's rights that are lent, so the bits go; root can be in that place as well, in a user namespace or without
 * CAP_CHOWN.
 *
 * Invariants
 * 1. A file whose owner could not be set as it was asked for lends nothing from then on.
 * 2. Once an owner was lost, here or in the parent (or may have been, where that is not recorded), only a file whose owner was set by the command before, and is right,
 *    can be given such bits: of all others nobody knows whether theirs was the one.  Between the two commands no name
 *    was made, changed or removed.
 * 3. An ordinary user gives such bits to no file, and with --untrusted nobody does, and a file that is written to or
 *    changes its owner loses them.
 */
#ifndef BTRFLY_RECEIVE_LENDING_H
#define BTRFLY_RECEIVE_LENDING_H

#include "receive/host_tree.h"

#define LENDING_BITS ((mode_t)(S_ISUID | S_ISGID))
#define LENDING_XATTR "security.capability"

/* What lending_take() has found, and taken away. */
struct lent {
	bool bits, capability;
};

/* Take from @name what it lends, unless it is a directory: 0, or a negative errno without an error message. */
int lending_take(struct host *host, int dir, const char *name, struct lent *lent);

/* A copy has all that its @original has but, where the copy's user may not give files away, the owner: then it lends nothing, and
 * that an owner was lost is noted.  With an error message. */
int lending_copied(struct host *host, int dir, const char *name, const struct stat *original, struct tree_notes *notes);

/* lending_take(), opened up where that is needed, and what went is counted.  With an error message. */
int lending_end(struct host_tree *h, int dir, const char *name);

/* Whether the file at @p may be given such bits. */
bool lending_may_begin(const struct host_tree *h, const struct tree_path *p);

/* The owner of the file at @p was set, and @kept or not. */
void lending_owned(struct host_tree *h, const struct tree_path *p, bool kept);

/* @fd is going to be written to: in @mode, for lending_keep() behind it, its mode if it has such bits, else 0. */
int lending_written(struct host_tree *h, int fd, mode_t *mode);
int lending_keep(struct host_tree *h, int fd, mode_t mode);

/* Which file has which name has changed. */
void lending_forget(struct host_tree *h);

#endif
