/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: one table of subcommands, one file each. */
#include "cli/command.h"
#include "cli/filesystem.h"

static const struct command commands[] = {
	{"filesystem", "show the filesystem of an image or device", filesystem_command},
	{0},
};

int main(int argc, char **argv)
{
	return command_dispatch("btrfly", commands, argc, argv);
}
