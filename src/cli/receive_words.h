/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What btrfly receive says on stderr of the commands it applies, in the words of btrfs-progs. */
#ifndef BTRFLY_CLI_RECEIVE_WORDS_H
#define BTRFLY_CLI_RECEIVE_WORDS_H

#include "stream/command.h"

/* @verbosity 1: subvolumes; 2: their uuids and what is written; 3: every command. */
void receive_say(const struct decoded_command *c, int verbosity);

#endif
