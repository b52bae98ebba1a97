/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly ls: what it lists, and how that is printed. */
#ifndef BTRFLY_CLI_LS_H
#define BTRFLY_CLI_LS_H

#include "files/inode.h"

int ls_command(int argc, char **argv);

struct ls_row {
	char *name;
	size_t name_len;
	char *target;      /* of a symbolic link, else NULL */
	u64 subvolume;     /* id, where the row is a subvolume's top directory; else 0 */
	struct inode inode; /* all zero in a short listing */
};

/* As ls -1, ls -ln --time-style=long-iso, and a JSON object a line. */
void ls_print_short(const struct ls_row *rows, size_t count);
void ls_print_long(const struct ls_row *rows, size_t count);
void ls_print_json(const struct ls_row *rows, size_t count);

#endif
