/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_CLI_RECEIVE_H
#define BTRFLY_CLI_RECEIVE_H

int receive_command(int argc, char **argv);

#endif
