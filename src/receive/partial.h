/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name that a subvolume has in DIR while it is received. */
#ifndef BTRFLY_RECEIVE_PARTIAL_H
#define BTRFLY_RECEIVE_PARTIAL_H

#include <limits.h>

#include "receive/host.h"

#define PARTIAL_NUMBERS 100u

/* ".NAME.btrfly-partial" into @out, with the uuid for NAME where that would be too long, and with "-@number" behind where
 * that is not 0.  @name has at most NAME_MAX bytes. */
void partial_name(const char *name, const u8 *uuid, unsigned number, char out[NAME_MAX + 1]);

/* The final name, durably; -EEXIST with an error message if something took it meanwhile. */
int partial_rename(struct host *h, int dir, const char *partial, const char *name);

#endif
