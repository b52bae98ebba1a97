/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name that a subvolume has in DIR while it is received. */
#ifndef BTRFLY_RECEIVE_PARTIAL_H
#define BTRFLY_RECEIVE_PARTIAL_H

#include <limits.h>

#include "receive/host.h"

/*
 * ".NAME.btrfly-partial" into @out; with the uuid for NAME where that would be too long.  -EEXIST with
 * a sentence where there is already a file of either name in @dir.
 */
int partial_name(struct host *host, int dir, const char *name, const u8 *uuid, char out[NAME_MAX + 1]);

/* The final name, durably; -EEXIST with a sentence if something took it meanwhile. */
int partial_rename(struct host *host, int dir, const char *partial, const char *name);

#endif
