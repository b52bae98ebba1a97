/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream applied to a plain directory, on any filesystem, by any user. */
#ifndef BTRFLY_RECEIVE_DIRECTORY_H
#define BTRFLY_RECEIVE_DIRECTORY_H

#include "receive/target.h"

/* @dir is open, and the target's from here on, also on failure.  0 or a negative errno with a sentence. */
int directory_target_new(struct target **out, int dir, const struct receive_options *options);

#endif
