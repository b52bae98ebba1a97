/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the small files of sysfs. */
#ifndef BTRFLY_DEVICE_SYSFS_H
#define BTRFLY_DEVICE_SYSFS_H

#include "base/types.h"

/* The first line of @name in the directory @dir, without its end, into @buf of @size bytes. */
bool sysfs_read_line(int dir, const char *name, char *buf, size_t size);

/* The number that is all of that line; false where there is none. */
bool sysfs_read_u64(int dir, const char *name, u64 *out);

#endif
