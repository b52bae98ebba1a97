/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subvolumes of a mounted btrfs, found by uuid as `btrfs receive` finds them, and opened wherever they lie. */
#ifndef BTRFLY_RECEIVE_BTRFS_SEARCH_H
#define BTRFLY_RECEIVE_BTRFS_SEARCH_H

#include "receive/host.h"
#include "receive/origin.h"

/* Whether @dir lies on btrfs, and this process may use the calls that make and find subvolumes. */
bool btrfs_search_allowed(struct host *host, int dir);

/*
 * Open the root of the subvolume that was received as @uuid, or else has that uuid itself.  Among several
 * the one with @transid is taken, else the first.  A descriptor, and what is known of it in @origin; -ENOENT or another
 * error with an error message.
 */
int btrfs_open_by_uuid(struct host *host, int dir, const u8 *uuid, u64 transid, struct origin *origin);

#endif
