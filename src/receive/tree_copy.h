/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot where the filesystem has none: the parent's tree copied, content by reflink where that is
 * possible, everything kept that the receiver could set there: hard links, holes, owners, modes, times,
 * extended attributes, flags.
 */
#ifndef BTRFLY_RECEIVE_TREE_COPY_H
#define BTRFLY_RECEIVE_TREE_COPY_H

#include "receive/host.h"
#include "receive/notes.h"

/*
 * Copy what lies in the directory @from into the empty directory @to, and its own attributes.  Flags
 * that forbid changes are not set but noted in @notes.  0, or a negative errno with a sentence.
 */
int tree_copy(struct host *host, int from, int to, struct tree_notes *notes);

/* Content, owner, mode, times and extended attributes of the open regular file @from for the empty one @to, without its
 * flags. */
int tree_copy_file(struct host *host, int from, int to);

#endif
