/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/name.h"

static void list_commands(const char *name, const struct command *table)
{
	fprintf(stderr, "usage: %s COMMAND [ARGS]\n", name);
	for (const struct command *c = table; c->name; c++)
		fprintf(stderr, "  %s %-18s %s\n", name, c->name, c->summary);
}

int command_dispatch(const char *name, const struct command *table, int argc, char **argv)
{
	if (argc < 2) {
		list_commands(name, table);
		return EXIT_USAGE;
	}
	for (const struct command *c = table; c->name; c++)
		if (!strcmp(c->name, argv[1]))
			return c->run(argc - 1, argv + 1);
	fprintf(stderr, "%s: unknown command '%s'\n", name, argv[1]);
	list_commands(name, table);
	return EXIT_USAGE;
}

int command_failed(const char *name)
{
	fprintf(stderr, "%s: ", name);
	/* It may quote names from the image. */
	path_print(stderr, error_message());
	fputc('\n', stderr);
	return EXIT_FAILED;
}

int command_printed(const char *name)
{
	if (fflush(stdout))
		error_errno(errno, "standard output");
	else if (ferror(stdout))
		/* An earlier line was lost, and with it why. */
		error_set(EIO, "standard output: not all of it could be written");
	else
		return 0;
	return command_failed(name);
}

int command_misused(const char *name, const char *usage, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: %s\n", usage);
	return EXIT_USAGE;
}

int command_check_words(const char *name, const char *usage, const char *what, char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!*words[i])
			return command_misused(name, usage, "%s is an empty word", what);
	return 0;
}

int command_bad_option(const char *name, const char *usage, int answer, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = {'-', (char)optopt, '\0'};

	/* getopt_long() leaves 0 or a number from beyond the letters in optopt for a long option. */
	if (optopt > ' ' && optopt < 0x7f && strncmp(word, "--", 2))
		word = letter;
	if (answer == ':')
		return command_misused(name, usage, "option '%s' needs a value", word);
	return command_misused(name, usage, "wrong option '%s'", word);
}
