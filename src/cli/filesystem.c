/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/filesystem.h"

#include "cli/command.h"

static const struct command commands[] = {
	{"show", "label, uuid, devices and use", filesystem_show_command},
	{0},
};

int filesystem_command(int argc, char **argv)
{
	return command_dispatch("btrfly filesystem", commands, argc, argv);
}
