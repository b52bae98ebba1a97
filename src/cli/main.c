/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: one table of subcommands, one file each. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const struct command commands[] = {
	{0},
};

static void usage(FILE *to)
{
	fprintf(to, "usage: btrfly COMMAND [ARGS]\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(to, "  btrfly %-18s %s\n", c->name, c->summary);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, argv[1]))
			return c->run(argc - 1, argv + 1);
	fprintf(stderr, "btrfly: unknown command '%s'\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
