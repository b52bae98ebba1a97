/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stream.h"

#include "cli/command.h"

static const struct command commands[] = {
	{"check", "verify a send stream, and count what is in it", stream_check_command},
	{0},
};

int stream_command(int argc, char **argv)
{
	return command_dispatch("btrfly stream", commands, argc, argv);
}
