/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_CLI_SEND_H
#define BTRFLY_CLI_SEND_H

int send_command(int argc, char **argv);

#endif
