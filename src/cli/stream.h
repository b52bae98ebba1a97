/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_CLI_STREAM_H
#define BTRFLY_CLI_STREAM_H

int stream_command(int argc, char **argv);
int stream_check_command(int argc, char **argv);

#endif
