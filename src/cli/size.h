/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes in the words of btrfs-progs. */
#ifndef BTRFLY_CLI_SIZE_H
#define BTRFLY_CLI_SIZE_H

#include "base/types.h"

enum size_unit {
	SIZE_IEC, /* "144.00KiB" */
	SIZE_SI,  /* "147.46kB" */
	SIZE_RAW, /* "147456" */
};

#define SIZE_TEXT_MAX 32
const char *size_text(u64 size, enum size_unit unit, char *buf);

/* A number of bytes, with K, M, G or T behind it or without: 0, or -EINVAL without a sentence. */
int size_parse(const char *text, u64 *out);

#endif
