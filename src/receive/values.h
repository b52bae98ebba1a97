/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command's values must fulfil on every target, before anything is written. */
#ifndef BTRFLY_RECEIVE_VALUES_H
#define BTRFLY_RECEIVE_VALUES_H

#include "stream/command.h"

/* An extent's data is at most this long before compression: the kernel's BTRFS_MAX_UNCOMPRESSED. */
#define VALUES_UNENCODED_MAX (128u * 1024)
#define VALUES_XATTR_NAME_MAX 255

/* 0, or a negative errno with a sentence. */
int values_check(const struct decoded_command *c);

#endif
