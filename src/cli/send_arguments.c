/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/send_arguments.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/size.h"
#include "send/send.h"

#define USAGE                                                                                      \
	SEND_NAME " [-e] [-p PARENT] [-c CLONE-SRC]... [-f FILE] [--proto N] [--compressed-data]\n" \
		  "                   [--no-data] [--clone-all] [--explain] [--from-offset N | --resume]\n" \
		  "                   [--threads N] [--memory SIZE] [--device DEV]... [--progress] [-q|-v]\n"    \
		  "                   IMAGE SUBVOL...\n"                                            \
		  "       " SEND_NAME " -n [--json] [OPTIONS] IMAGE SUBVOL..."

/* What --proto 0 stands for: what a kernel without experimental features has. */
#define PROTO_HIGHEST 2

#define MEMORY_MIN (16u << 20)

enum {
	OPTION_PROTO = 256,
	OPTION_NO_DATA,
	OPTION_COMPRESSED,
	OPTION_CLONE_ALL,
	OPTION_EXPLAIN,
	OPTION_DEVICE,
	OPTION_JSON,
	OPTION_PROGRESS,
	OPTION_FROM_OFFSET,
	OPTION_RESUME,
	OPTION_THREADS,
	OPTION_MEMORY,
};

static const struct option options[] = {
	{"proto", required_argument, NULL, OPTION_PROTO},
	{"no-data", no_argument, NULL, OPTION_NO_DATA},
	{"compressed-data", no_argument, NULL, OPTION_COMPRESSED},
	{"clone-all", no_argument, NULL, OPTION_CLONE_ALL},
	{"explain", no_argument, NULL, OPTION_EXPLAIN},
	{"device", required_argument, NULL, OPTION_DEVICE},
	{"json", no_argument, NULL, OPTION_JSON},
	{"progress", no_argument, NULL, OPTION_PROGRESS},
	{"dry-run", no_argument, NULL, 'n'},
	{"from-offset", required_argument, NULL, OPTION_FROM_OFFSET},
	{"resume", no_argument, NULL, OPTION_RESUME},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{0},
};

/* 0, or the exit status of a wrong usage. */
static int parse_proto(const char *text, u32 *proto)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || n > STREAM_VERSION_MAX)
		return command_misused(SEND_NAME, USAGE, "--proto %s: 0 to %d are known", text,
				       STREAM_VERSION_MAX);
	*proto = n ? (u32)n : PROTO_HIGHEST;
	return 0;
}

static int parse_threads(const char *text, unsigned *threads)
{
	u64 n;

	if (size_parse(text, &n) || !n || n > SEND_THREADS_MAX)
		return command_misused(SEND_NAME, USAGE, "--threads %s: 1 to %d are possible", text,
				       SEND_THREADS_MAX);
	*threads = (unsigned)n;
	return 0;
}

static int parse_memory(const char *text, size_t *memory)
{
	u64 n;

	if (size_parse(text, &n) || n < MEMORY_MIN || n > SIZE_MAX)
		return command_misused(SEND_NAME, USAGE, "--memory %s: a size of %u MiB or more is needed",
				       text, MEMORY_MIN >> 20);
	*memory = n;
	return 0;
}

static int parse_option(struct send_arguments *a, int option, char **argv)
{
	switch (option) {
	case 'e':
		a->one_stream = true;
		return 0;
	case 'f':
		a->file = optarg;
		return command_check_words(SEND_NAME, USAGE, "-f FILE", &optarg, 1);
	case 'p':
		if (a->parent)
			return command_misused(SEND_NAME, USAGE, "you cannot have more than one parent (-p)");
		a->parent = optarg;
		return command_check_words(SEND_NAME, USAGE, "-p PARENT", &optarg, 1);
	case 'c':
		a->clones[a->clone_count++] = optarg;
		return command_check_words(SEND_NAME, USAGE, "-c CLONE-SRC", &optarg, 1);
	case OPTION_PROTO:
		return parse_proto(optarg, &a->plan.proto);
	case OPTION_NO_DATA:
		a->plan.no_data = true;
		return 0;
	case OPTION_COMPRESSED:
		a->plan.compressed_data = true;
		return 0;
	case OPTION_CLONE_ALL:
		a->plan.clone_all = true;
		return 0;
	case OPTION_EXPLAIN:
		a->explain = true;
		return 0;
	case OPTION_DEVICE:
		return image_devices_add(&a->devices, optarg) ? command_failed(SEND_NAME) : 0;
	case OPTION_JSON:
		a->json = true;
		return 0;
	case OPTION_PROGRESS:
		a->progress = true;
		return 0;
	case 'n':
		a->dry_run = true;
		return 0;
	case OPTION_FROM_OFFSET:
		if (size_parse(optarg, &a->from_offset))
			return command_misused(SEND_NAME, USAGE, "--from-offset %s is not a number of bytes",
					       optarg);
		return 0;
	case OPTION_RESUME:
		a->resume = true;
		return 0;
	case OPTION_THREADS:
		return parse_threads(optarg, &a->threads);
	case OPTION_MEMORY:
		return parse_memory(optarg, &a->memory);
	case 'q':
		a->quiet = true;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	default:
		return command_bad_option(SEND_NAME, USAGE, option, argv);
	}
}

int send_arguments_parse(struct send_arguments *a, int argc, char **argv)
{
	int status = 0;

	*a = (struct send_arguments){.clones = calloc((size_t)argc, sizeof(char *))};
	if (!a->clones) {
		error_nomem((size_t)argc * sizeof(char *));
		return command_failed(SEND_NAME);
	}
	opterr = 0;
	for (int c; !status && (c = getopt_long(argc, argv, ":ef:p:c:nqv", options, NULL)) != -1;)
		status = parse_option(a, c, argv);
	if (status)
		return status;
	if (argc - optind < 2)
		return command_misused(SEND_NAME, USAGE, "an image and a subvolume are needed");
	status = image_check_operands(SEND_NAME, USAGE, "SUBVOL", argv + optind, (size_t)(argc - optind));
	if (status)
		return status;
	if (a->plan.compressed_data && a->plan.proto == 1)
		return command_misused(SEND_NAME, USAGE,
				       "--compressed-data requires protocol version >= 2 (requested 1)");
	if (a->json && !a->dry_run)
		return command_misused(SEND_NAME, USAGE, "--json is for -n");
	if (a->resume && !a->file)
		return command_misused(SEND_NAME, USAGE, "--resume goes on with a file and needs -f FILE");
	if (a->resume && (a->dry_run || a->from_offset))
		return command_misused(SEND_NAME, USAGE, "--resume excludes -n and --from-offset");
	if (!a->plan.proto)
		a->plan.proto = a->plan.compressed_data ? 2 : 1;
	a->image = argv[optind];
	a->subvols = argv + optind + 1;
	a->subvol_count = (size_t)(argc - optind - 1);
	return 0;
}

void send_arguments_release(struct send_arguments *a)
{
	image_devices_release(&a->devices);
	free(a->clones);
}
