/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing is written onto what is read. */
#ifndef BTRFLY_VOLUME_OUTPUT_H
#define BTRFLY_VOLUME_OUTPUT_H

#include <sys/stat.h>

#include "volume/volume.h"

/*
 * 0, or -EINVAL with a sentence if writing to what @st describes, at @path and called @name, would change one of the
 * volume's devices: because it is that file under whatever name, or lies over or under that block device; or if
 * it is a device of the same filesystem that was not given.
 */
int volume_check_output(const struct volume *v, const struct stat *st, const char *path, const char *name);

/* The same of an open descriptor. */
int volume_check_output_fd(const struct volume *v, int fd, const char *name);

#endif
