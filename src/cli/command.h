/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subcommand: a row in main.c's table and a file of its own. */
#ifndef BTRFLY_CLI_COMMAND_H
#define BTRFLY_CLI_COMMAND_H

/* 0 done, 1 failed, 2 wrong usage. */
#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct command {
	const char *name; /* "send", "subvolume", … */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

#endif
