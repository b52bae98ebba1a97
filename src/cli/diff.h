/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly diff: what changed between two subvolumes, and how that is printed. */
#ifndef BTRFLY_CLI_DIFF_H
#define BTRFLY_CLI_DIFF_H

#include "compare/compare.h"

int diff_command(int argc, char **argv);

/* A change as a line, as fields that end with a NUL, and as a JSON object.  @from is NULL unless it was renamed. */
void diff_print_line(const struct change *it, const char *path, const char *from);
void diff_print_fields(const struct change *it, const char *path, const char *from);
void diff_print_json(const struct change *it, const char *path, const char *from);

#endif
