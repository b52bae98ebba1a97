/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly filesystem: commands on a filesystem as a whole. */
#ifndef BTRFLY_CLI_FILESYSTEM_H
#define BTRFLY_CLI_FILESYSTEM_H

int filesystem_command(int argc, char **argv);
int filesystem_show_command(int argc, char **argv);

#endif
