/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly send: write the send stream of a subvolume. */
#include "cli/send.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "send/send.h"

#define NAME "btrfly send"
#define USAGE NAME " [-p PARENT] [-c CLONE-SRC]... [-f FILE] [-q|-v] IMAGE SUBVOL"

#define CLONES_MAX 4096

struct arguments {
	const char *file;
	const char *parent;
	const char *clone[CLONES_MAX];
	size_t clone_count;
	struct plan_options plan;
};

static int run(const struct arguments *a, const char *image, const char *word)
{
	const struct filesystem_options options = {0};
	struct send_request r = {.options = a->plan};
	struct subvolume send, parent, *clones = NULL;
	struct filesystem *fs = NULL;
	struct fd_sink sink;
	int fd = STDOUT_FILENO, ret;

	ret = filesystem_open(&image, 1, &options, &fs);
	if (!ret)
		ret = subvolume_find(fs, word, &send);
	if (!ret && a->parent) {
		ret = subvolume_find(fs, a->parent, &parent);
		r.parent = &parent;
	}
	if (!ret && (a->clone_count || a->parent)) {
		clones = calloc(a->clone_count + 1, sizeof(*clones));
		for (size_t i = 0; i < a->clone_count && !ret; i++)
			ret = subvolume_find(fs, a->clone[i], &clones[r.clone_count++]);
		if (!ret && a->parent)
			clones[r.clone_count++] = parent;
		r.clones = clones;
	}
	r.subvolume = &send;
	if (!ret && a->file) {
		fd = open(a->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			ret = error_errno(errno, "open %s", a->file);
	}
	if (!ret) {
		fd_sink_init(&sink, fd, a->file ? a->file : "standard output");
		ret = send_subvolume(fs, &r, &sink.sink);
		if (ret)
			error_wrap(ret, "send %s", word);
	}
	free(clones);
	filesystem_free(fs);
	return ret ? command_failed(NAME) : 0;
}

int send_command(int argc, char **argv)
{
	static const struct option options[] = {{"proto", required_argument, NULL, 'P'},
						{"no-data", no_argument, NULL, 'N'},
						{"compressed-data", no_argument, NULL, 'C'},
						{0}};
	static struct arguments a = {.plan = {.proto = 1}};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":f:p:c:qve", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			a.file = optarg;
			break;
		case 'p':
			a.parent = optarg;
			break;
		case 'c':
			if (a.clone_count < CLONES_MAX)
				a.clone[a.clone_count++] = optarg;
			break;
		case 'P':
			a.plan.proto = (u32)atoi(optarg);
			break;
		case 'N':
			a.plan.no_data = true;
			break;
		case 'C':
			a.plan.compressed_data = true;
			break;
		case 'q':
		case 'v':
			break;
		default:
			return command_bad_option(NAME, USAGE, opt, argv);
		}
	}
	if (argc - optind != 2)
		return command_misused(NAME, USAGE, "an image and a subvolume are needed");
	return run(&a, argv[optind], argv[optind + 1]);
}
