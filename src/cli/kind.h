/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of files, in a letter and in a word. */
#ifndef BTRFLY_CLI_KIND_H
#define BTRFLY_CLI_KIND_H

#include "base/types.h"

char kind_letter(u32 mode);      /* as ls has it; '?' if it is none */
const char *kind_name(u32 mode); /* "file", "directory", …, "unknown" */

#endif
