/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root of a host tree that is being received: its owner, mode and access list wait in the notes until everything
 * else is done (receive/root_note.h).
 */
#ifndef BTRFLY_RECEIVE_HOST_ROOT_H
#define BTRFLY_RECEIVE_HOST_ROOT_H

#include "receive/host_tree.h"

/* The extended attribute that is a file's access list. */
#define HOST_ROOT_ACCESS "system.posix_acl_access"

/* Whether @op is a command that waits, and then what is done with it now: it is noted. */
bool host_root_waits(const struct operation *op);
int host_root_note(struct host_tree *h, const struct operation *op);

/* What is noted is carried out. */
int host_root_seal(struct host_tree *h);

/* A snapshot's root, open as @fd, has everything from its parent: note it, and close the root to all others. */
int host_root_close(struct host *host, int fd, struct tree_notes *notes);

/* Whether an earlier run has come so far in host_root_seal() that others may have changed what lies in the root. */
bool host_root_is_given(struct host *host, int fd, const struct root_note *n);

#endif
