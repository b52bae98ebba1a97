/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: one table of subcommands, one file each. */
#include <signal.h>

#include "cli/cat.h"
#include "cli/command.h"
#include "cli/diff.h"
#include "cli/filesystem.h"
#include "cli/ls.h"
#include "cli/receive.h"
#include "cli/send.h"
#include "cli/stream.h"
#include "cli/subvolume.h"

static const struct command commands[] = {
	{"cat", "print files of an image", cat_command},
	{"diff", "show what changed between two subvolumes", diff_command},
	{"filesystem", "show the filesystem of an image or device", filesystem_command},
	{"ls", "list a directory of an image", ls_command},
	{"receive", "apply a send stream, or print it", receive_command},
	{"send", "write the send stream of a subvolume", send_command},
	{"stream", "check a send stream", stream_command},
	{"subvolume", "list or show subvolumes", subvolume_command},
	{0},
};

int main(int argc, char **argv)
{
	/* A closed pipe and a file of the greatest length allowed (ulimit -f) are errors like others: they have a
	 * sentence and the exit status 1. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return command_dispatch("btrfly", commands, argc, argv);
}
