/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: one table of subcommands, one file each. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/types.h"
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

/*
 * A standard descriptor that is closed would be given to the next file that is opened, an output perhaps, and what is
 * said on stderr would go into it.  Opened the wrong way round it fails as a closed one does.
 */
static bool occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	if (!occupy_standard_descriptors())
		return EXIT_FAILED;
	/* A closed pipe and a file of the greatest length allowed (ulimit -f) are errors like others: they have a
	 * sentence and the exit status 1. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return command_dispatch("btrfly", commands, argc, argv);
}
