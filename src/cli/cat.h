/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_CLI_CAT_H
#define BTRFLY_CLI_CAT_H

/* btrfly cat: print the files of an image. */
int cat_command(int argc, char **argv);

#endif
