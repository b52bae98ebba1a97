/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and paths from an image on their way to the user. */
#ifndef BTRFLY_CLI_NAME_H
#define BTRFLY_CLI_NAME_H

#include <stdio.h>

#include "base/types.h"

/*
 * Print @len bytes.  To a terminal control characters, what is no UTF-8, and the backslash go as in
 * base/escape.h, so that no name can do anything there but be read; anywhere else the bytes go as they are.
 */
void name_print(FILE *to, const char *name, size_t len);
void path_print(FILE *to, const char *path); /* NUL-terminated */

#endif
