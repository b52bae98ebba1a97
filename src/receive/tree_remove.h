/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_RECEIVE_TREE_REMOVE_H
#define BTRFLY_RECEIVE_TREE_REMOVE_H

#include "receive/host.h"

/* Remove @name in the directory @dir and all beneath it, following no symlink and entering no mount.  It
 * is no error if it is not there.  0, or a negative errno with a sentence. */
int tree_remove(struct host *host, int dir, const char *name);

/* The same for the directory that @fd is open on.  If @name leads to another one by now, that is an error, and stays. */
int tree_remove_open(struct host *host, int dir, const char *name, int fd);

#endif
