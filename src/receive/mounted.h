/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream applied to a mounted btrfs through its ioctls: subvolumes and snapshots as `btrfs receive`
 * makes them, so that either may go on with what the other one made. */
#ifndef BTRFLY_RECEIVE_MOUNTED_H
#define BTRFLY_RECEIVE_MOUNTED_H

#include "receive/target.h"

/* @dir is open, lies on btrfs, and is the target's from here on, also on failure. */
int mounted_target_new(struct target **out, int dir, const struct receive_options *options);

#endif
