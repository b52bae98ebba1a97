/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subcommand: a row in a table and a file of its own.  main.c has the table of the command itself. */
#ifndef BTRFLY_CLI_COMMAND_H
#define BTRFLY_CLI_COMMAND_H

#include <stddef.h>

/* 0 done, 1 failed, 2 wrong usage. */
#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct command {
	const char *name; /* "send", "subvolume", … */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

/* Run the row that argv[1] names; the table ends with an empty row.  @name is what has been typed up to
 * here, "btrfly" or "btrfly filesystem".  Returns the exit status. */
int command_dispatch(const char *name, const struct command *table, int argc, char **argv);

/* Say this thread's error sentence, "@name: sentence", and return EXIT_FAILED. */
int command_failed(const char *name);

/* Behind the last line on standard output: 0, or as command_failed() if not all of it could be written. */
int command_printed(const char *name);

/* Say what is wrong, then "usage: @usage", and return EXIT_USAGE.  @usage begins with @name. */
int command_misused(const char *name, const char *usage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Wrong usage if one of @count words is empty, as an unset variable of a script is: it is said that @what, "IMAGE"
 * or "-p PARENT", is.  0 or EXIT_USAGE. */
int command_check_words(const char *name, const char *usage, const char *what, char **words, size_t count);

/* Wrong usage again: what getopt_long() answered with '?' or, its option string beginning with ':', with
 * ':'.  opterr must be 0. */
int command_bad_option(const char *name, const char *usage, int answer, char **argv);

#endif
