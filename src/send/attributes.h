/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owner, mode, flags, times, size and extended attributes. */
#ifndef BTRFLY_SEND_ATTRIBUTES_H
#define BTRFLY_SEND_ATTRIBUTES_H

#include "send/plan.h"

/* An XATTR_ITEM of the current inode that is new, gone, or changed. */
int plan_xattr(struct send_plan *p, enum diff_kind kind);
int plan_all_xattrs(struct send_plan *p); /* all of the send root's, as new */

int plan_truncate(struct send_plan *p, u64 size);

/* Everything that goes out when the last item of the current inode has been seen: size, owner, mode,
 * flags, fs-verity, capabilities, moves that waited for it, times. */
int plan_finish_attributes(struct send_plan *p);

/* The times of a directory, later: most likely something is still to happen in it. */
int plan_dir_utimes(struct send_plan *p, u64 dir, u64 gen);

/* Send the times of the directories that no longer fit in the kernel's cache; of all with @all. */
int plan_flush_dir_utimes(struct send_plan *p, bool all);

void plan_attributes_release(struct send_plan *p);

#endif
