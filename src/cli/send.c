/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly send: write the send streams of subvolumes. */
#include "cli/send.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/image.h"
#include "send/choose.h"
#include "send/send.h"

#define NAME "btrfly send"
#define USAGE                                                                                      \
	NAME " [-e] [-p PARENT] [-c CLONE-SRC]... [-f FILE] [--proto N] [--compressed-data]\n"      \
	     "                    [--no-data] [--clone-all] [--explain] [--device DEV]... [-q|-v]\n" \
	     "                    IMAGE SUBVOL..."

/* What the highest protocol is: the one that a kernel without experimental features has. */
#define PROTO_HIGHEST 2

/* A command line, taken apart. */
struct arguments {
	const char *file, *parent, *image;
	char **subvols;
	size_t subvol_count;
	const char **clones;
	size_t clone_count;
	struct image_devices devices;
	struct plan_options plan;
	bool one_stream; /* -e */
	bool explain;
	bool quiet, verbose;
};

/* What is being sent with what. */
struct job {
	const struct arguments *a;
	struct filesystem *fs;
	struct subvolume parent;
	bool has_parent;
	struct subvolume *sources; /* clone sources, the parent among them */
	size_t source_count;
	struct fd_sink sink;
	struct progress progress;
};

static int add_source(struct job *j, const struct subvolume *sv)
{
	size_t size = (j->source_count + 1) * sizeof(*j->sources);
	struct subvolume *sources = realloc(j->sources, size);

	if (!sources)
		return error_nomem(size);
	j->sources = sources;
	j->sources[j->source_count++] = *sv;
	return 0;
}

static int find_sources(struct job *j)
{
	int ret = 0;

	for (size_t i = 0; i < j->a->clone_count && !ret; i++) {
		struct subvolume sv;

		ret = subvolume_find(j->fs, j->a->clones[i], &sv);
		ret = ret ? error_wrap(ret, "clone source") : add_source(j, &sv);
	}
	if (ret || !j->a->parent)
		return ret;
	ret = subvolume_find(j->fs, j->a->parent, &j->parent);
	if (ret)
		return error_wrap(ret, "parent");
	j->has_parent = true;
	return add_source(j, &j->parent);
}

/* A subvolume for messages: its path, or how the top level is called. */
static const char *path_of(struct job *j, const struct subvolume *sv, struct buffer *buf)
{
	buffer_clear(buf);
	if (sv->id == FS_TREE_OBJECTID)
		return "/";
	return subvolume_path(j->fs, sv, buf) ? sv->name : (const char *)buf->data;
}

static const char *verdict_text(const struct choice *c)
{
	if (c->chosen)
		return c->verdict == CHOICE_ORIGIN
			       ? "chosen as parent: the subvolume is a snapshot of it"
			       : "chosen as parent: a snapshot of the same subvolume, the nearest";
	switch (c->verdict) {
	case CHOICE_ORIGIN:
		return "clone source: the subvolume is a snapshot of it";
	case CHOICE_SIBLING:
		return "clone source: a snapshot of the same subvolume, but farther away";
	default:
		return "clone source: not a snapshot of the same subvolume";
	}
}

static void explain(struct job *j, const struct subvolume *sv, const struct choice *choices)
{
	struct buffer buf = {0};

	fprintf(stderr, "%s (id %" PRIu64 "): %s\n", path_of(j, sv, &buf), sv->id,
		j->source_count ? "an incremental stream" : "a full stream, nothing to build on was given");
	for (size_t i = 0; i < j->source_count; i++) {
		const struct subvolume *s = &j->sources[i];

		fprintf(stderr, "  %s (id %" PRIu64 "): ", path_of(j, s, &buf), s->id);
		if (choices)
			fprintf(stderr, "%s", verdict_text(&choices[i]));
		else
			fprintf(stderr, "%s", j->has_parent && s->id == j->parent.id
						      ? "parent, as -p says, and clone source"
						      : "clone source");
		if (choices && choices[i].verdict == CHOICE_SIBLING)
			fprintf(stderr, " (%" PRIu64 " generations)", choices[i].distance);
		fputc('\n', stderr);
	}
	buffer_release(&buf);
}

/* The parent of @sv: as -p says, or the best of the clone sources.  *@out is NULL for a full send. */
static int choose_parent(struct job *j, const struct subvolume *sv, const struct subvolume **out)
{
	struct choice *choices = NULL;
	size_t best;
	int ret = 0;

	*out = j->has_parent ? &j->parent : NULL;
	if (!j->has_parent && j->source_count) {
		choices = calloc(j->source_count, sizeof(*choices));
		if (!choices)
			return error_nomem(j->source_count * sizeof(*choices));
		ret = send_choose_parent(j->fs, sv, j->sources, j->source_count, choices, &best);
		if (!ret)
			*out = &j->sources[best];
	}
	if (j->a->explain)
		explain(j, sv, choices);
	free(choices);
	return ret;
}

static int send_one(struct job *j, size_t i)
{
	const struct arguments *a = j->a;
	struct send_request r = {.options = a->plan,
				 .clones = j->sources,
				 .clone_count = j->source_count,
				 .progress = &j->progress};
	struct subvolume sv;
	u64 bytes;
	int ret = subvolume_find(j->fs, a->subvols[i], &sv);

	if (!ret && !a->quiet) {
		progress_hide(&j->progress);
		fprintf(stderr, "At subvol %s\n", a->subvols[i]);
	}
	r.subvolume = &sv;
	if (!ret)
		ret = choose_parent(j, &sv, &r.parent);
	if (!ret) {
		r.options.omit_header = a->one_stream && i;
		r.options.omit_end = a->one_stream && i + 1 < a->subvol_count;
		ret = send_subvolume(j->fs, &r, &j->sink.sink, &bytes);
	}
	if (ret)
		return error_wrap(ret, "send %s", a->subvols[i]);
	/* Without -p each subvolume may be built upon by the next ones. */
	return a->clone_count && !a->parent ? add_source(j, &sv) : 0;
}

/* An existing file is used as it is, as it may be one that this user could not have made. */
static int open_output(const char *file, int *fd)
{
	*fd = STDOUT_FILENO;
	if (file) {
		*fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
		if (*fd < 0 && errno == ENOENT)
			*fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (*fd < 0)
			return error_errno(errno, "cannot create '%s'", file);
	}
	if (isatty(*fd))
		return error_set(EINVAL, "not dumping send stream into a terminal, redirect it into a file");
	return 0;
}

static int close_output(const char *file, int fd)
{
	if (file && close(fd))
		return error_errno(errno, "write to %s", file);
	return 0;
}

static int run(const struct arguments *a)
{
	struct job j = {.a = a};
	int fd = -1, ret = open_output(a->file, &fd);

	if (!ret)
		ret = image_open(NAME, a->image, &a->devices, NULL, &j.fs);
	if (!ret)
		ret = find_sources(&j);
	fd_sink_init(&j.sink, fd, a->file ? a->file : "standard output");
	progress_init(&j.progress, a->quiet);
	for (size_t i = 0; i < a->subvol_count && !ret; i++)
		ret = send_one(&j, i);
	progress_hide(&j.progress);
	if (!ret)
		ret = close_output(a->file, fd);
	if (!ret && a->verbose)
		fprintf(stderr, "%" PRIu64 " bytes sent\n", j.progress.bytes);
	filesystem_free(j.fs);
	free(j.sources);
	return ret ? command_failed(NAME) : 0;
}

enum {
	OPTION_PROTO = 256,
	OPTION_NO_DATA,
	OPTION_COMPRESSED,
	OPTION_CLONE_ALL,
	OPTION_EXPLAIN,
	OPTION_DEVICE,
};

static const struct option options[] = {
	{"proto", required_argument, NULL, OPTION_PROTO},
	{"no-data", no_argument, NULL, OPTION_NO_DATA},
	{"compressed-data", no_argument, NULL, OPTION_COMPRESSED},
	{"clone-all", no_argument, NULL, OPTION_CLONE_ALL},
	{"explain", no_argument, NULL, OPTION_EXPLAIN},
	{"device", required_argument, NULL, OPTION_DEVICE},
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
		return command_misused(NAME, USAGE, "--proto %s: 0 to %d are known", text,
				       STREAM_VERSION_MAX);
	*proto = n ? (u32)n : PROTO_HIGHEST;
	return 0;
}

static int parse_option(struct arguments *a, int option, char **argv)
{
	switch (option) {
	case 'e':
		a->one_stream = true;
		return 0;
	case 'f':
		a->file = optarg;
		return 0;
	case 'p':
		if (a->parent)
			return command_misused(NAME, USAGE, "you cannot have more than one parent (-p)");
		a->parent = optarg;
		return 0;
	case 'c':
		a->clones[a->clone_count++] = optarg;
		return 0;
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
		return image_devices_add(&a->devices, optarg) ? command_failed(NAME) : 0;
	case 'q':
		a->quiet = true;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	default:
		return command_bad_option(NAME, USAGE, option, argv);
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	int status = 0;

	opterr = 0;
	for (int c; !status && (c = getopt_long(argc, argv, ":ef:p:c:qv", options, NULL)) != -1;)
		status = parse_option(a, c, argv);
	if (status)
		return status;
	if (argc - optind < 2)
		return command_misused(NAME, USAGE, "an image and a subvolume are needed");
	if (a->plan.compressed_data && a->plan.proto == 1)
		return command_misused(NAME, USAGE,
				       "--compressed-data requires protocol version >= 2 (requested 1)");
	if (!a->plan.proto)
		a->plan.proto = a->plan.compressed_data ? 2 : 1;
	a->image = argv[optind];
	a->subvols = argv + optind + 1;
	a->subvol_count = (size_t)(argc - optind - 1);
	return 0;
}

int send_command(int argc, char **argv)
{
	struct arguments a = {.clones = calloc((size_t)argc, sizeof(char *))};
	int status = EXIT_FAILED;

	if (a.clones)
		status = parse(&a, argc, argv);
	if (a.clones && !status)
		status = run(&a);
	image_devices_release(&a.devices);
	free(a.clones);
	return status;
}
