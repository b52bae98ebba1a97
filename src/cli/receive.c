/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly receive: apply a stream, or print it. */
#include "cli/receive.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/receive_words.h"
#include "receive/btrfs_search.h"
#include "receive/directory.h"
#include "receive/mounted.h"
#include "receive/receive.h"
#include "stream/print.h"

#define NAME "btrfly receive"
#define USAGE                                                                                      \
	NAME " [-f FILE] [-e] [-C] [-m ROOTMOUNT] [-E NERR] [--force-decompress] [--sparse] "      \
	     "[--strict] [--untrusted] [--plain] [--resume] [--force-parent] [-q|-v] DIR\n"                      \
	     "       " NAME " --dump [--json] [-f FILE] [-E NERR]"

struct options {
	struct stream_pump pump;
	struct receive_options receive;
	const char *file, *dir;
	bool dump, json, chroot;
	bool plain; /* treat DIR as a plain directory, also on btrfs */
	int verbosity; /* btrfs-progs' count: 1 says which subvolume it is at */
};

struct dump_sink {
	struct stream_sink sink;
	struct stream_printer printer;
};

static int dump_header(struct stream_sink *s, u32 version)
{
	return stream_printer_header(&CONTAINER_OF(s, struct dump_sink, sink)->printer, version);
}

static int dump_command(struct stream_sink *s, const struct decoded_command *c)
{
	return stream_printer_command(&CONTAINER_OF(s, struct dump_sink, sink)->printer, c);
}

static void dump_failed(struct stream_sink *s, const struct decoded_command *c)
{
	command_failed(NAME);
}

static int dump(struct options *o)
{
	struct dump_sink d = {.sink = {dump_header, dump_command, dump_failed}};
	int ret = stream_printer_init(&d.printer, stdout, o->json);

	/* As btrfs-progs does: the first stream alone. */
	o->pump.stop_at_end = true;
	if (!ret)
		ret = stream_pump_run(&o->pump, &d.sink);
	stream_printer_release(&d.printer);
	if (!ret && fflush(stdout))
		ret = error_errno(errno, "cannot write the dump");
	return ret;
}

struct watcher {
	struct receive_watch watch;
	struct progress progress;
	int verbosity;
};

static void watch_command(struct receive_watch *w, const struct decoded_command *c)
{
	struct watcher *me = CONTAINER_OF(w, struct watcher, watch);

	if (me->verbosity > 1 || c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT) {
		progress_hide(&me->progress);
		receive_say(c, me->verbosity);
	}
}

static void watch_failure(struct receive_watch *w)
{
	progress_hide(&CONTAINER_OF(w, struct watcher, watch)->progress);
	command_failed(NAME);
}

/* The target that DIR is, and with -C nothing outside of it left in reach. */
static int open_target(const struct options *o, struct target **t)
{
	int dir = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;
	struct host host;

	if (dir < 0)
		return error_errno(errno, "cannot open destination directory %s", o->dir);
	host_init(&host);
	ret = !o->plain && btrfs_search_allowed(&host, dir) ? mounted_target_new(t, dir, &o->receive) :
						       directory_target_new(t, dir, &o->receive);
	if (ret || !o->chroot)
		return ret;
	if (fchdir(dir) || chroot(".")) {
		ret = error_errno(errno, "failed to chroot to %s", o->dir);
		(*t)->ops->free(*t);
		return ret;
	}
	if (o->verbosity > 0)
		fprintf(stderr, "Chroot to %s\n", o->dir);
	return 0;
}

static void say_warning(void *arg, const char *message)
{
	struct watcher *w = arg;

	progress_hide(&w->progress);
	fprintf(stderr, NAME ": warning: %s\n", message);
}

static void say_skipped(const struct target *t)
{
	char text[1024];

	if (skipped_text(&t->skipped, text, sizeof(text)))
		fprintf(stderr, NAME ": skipped: %s\n", text);
	if (!t->skipped_before)
		return;
	skipped_kinds_text(t->skipped_before, text, sizeof(text));
	fprintf(stderr, NAME ": skipped by an earlier run: %s\n", text);
}

static int receive(struct options *o)
{
	struct watcher w = {.watch = {watch_command, watch_failure}, .verbosity = o->verbosity};
	struct target *t;
	struct stat st;
	int ret;

	o->receive.warn = say_warning;
	o->receive.warn_arg = &w;
	ret = open_target(o, &t);
	if (ret)
		return ret;
	progress_init(&w.progress, o->verbosity != 1);
	if (!fstat(o->pump.fd, &st) && S_ISREG(st.st_mode))
		w.progress.total_bytes = (u64)st.st_size;
	o->pump.progress = &w.progress;
	ret = receive_stream(&o->pump, t, &w.watch);
	progress_hide(&w.progress);

	const char *where = t->ops->where(t);

	if (ret && where)
		error_set(-ret, "%s; what came so far is in %s/%s: --resume %s, '%s' removes it", error_message(), o->dir,
			  where, t->begins_anew ? "leaves it and begins anew" : "goes on with it", t->removal);
	if (!ret)
		say_skipped(t);
	t->ops->free(t);
	return ret;
}

static int parse_count(const char *text, u64 *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || end == text || *end || *text == '-' ? -EINVAL : 0;
}

enum {
	OPTION_DUMP = 256,
	OPTION_JSON,
	OPTION_DECOMPRESS,
	OPTION_SPARSE,
	OPTION_STRICT,
	OPTION_UNTRUSTED,
	OPTION_PLAIN,
	OPTION_RESUME,
	OPTION_FORCE_PARENT,
};

static const struct option long_options[] = {
	{"chroot", no_argument, NULL, 'C'},
	{"max-errors", required_argument, NULL, 'E'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"dump", no_argument, NULL, OPTION_DUMP},
	{"json", no_argument, NULL, OPTION_JSON},
	{"force-decompress", no_argument, NULL, OPTION_DECOMPRESS},
	{"sparse", no_argument, NULL, OPTION_SPARSE},
	{"strict", no_argument, NULL, OPTION_STRICT},
	{"untrusted", no_argument, NULL, OPTION_UNTRUSTED},
	{"plain", no_argument, NULL, OPTION_PLAIN},
	{"resume", no_argument, NULL, OPTION_RESUME},
	{"force-parent", no_argument, NULL, OPTION_FORCE_PARENT},
	{0},
};

/* 0, or the exit status of wrong usage. */
static int parse_option(struct options *o, int option, char **argv)
{
	switch (option) {
	case 'C': o->chroot = true; return 0;
	case 'e': o->pump.stop_at_end = true; return 0;
	case 'f':
		o->file = optarg;
		return command_check_words(NAME, USAGE, "-f FILE", &optarg, 1);
	case 'm': /* nothing here needs to know where the filesystem is mounted */
		return command_check_words(NAME, USAGE, "-m ROOTMOUNT", &optarg, 1);
	case 'E':
		if (parse_count(optarg, &o->pump.max_errors))
			return command_misused(NAME, USAGE, "'%s' is no number of errors", optarg);
		return 0;
	case 'q': o->verbosity = 0; return 0;
	case 'v': o->verbosity++; return 0;
	case OPTION_DUMP: o->dump = true; return 0;
	case OPTION_JSON: o->json = true; return 0;
	case OPTION_DECOMPRESS: o->receive.force_decompress = true; return 0;
	case OPTION_SPARSE: o->receive.sparse = true; return 0;
	case OPTION_STRICT: o->receive.strict = true; return 0;
	case OPTION_UNTRUSTED: o->receive.untrusted = true; return 0;
	case OPTION_PLAIN: o->plain = true; return 0;
	case OPTION_RESUME: o->receive.resume = true; return 0;
	case OPTION_FORCE_PARENT: o->receive.force_parent = true; return 0;
	}
	return command_bad_option(NAME, USAGE, option, argv);
}

/* 0, or the exit status of wrong usage. */
static int parse(struct options *o, int argc, char **argv)
{
	int status = 0;

	opterr = 0;
	for (int c; !status && (c = getopt_long(argc, argv, ":Cef:m:E:qv", long_options, NULL)) != -1;)
		status = parse_option(o, c, argv);
	if (status)
		return status;
	if (o->dump && optind != argc)
		return command_misused(NAME, USAGE, "--dump takes no directory");
	if (!o->dump && optind != argc - 1)
		return command_misused(NAME, USAGE, "one directory is needed");
	if (o->json && !o->dump)
		return command_misused(NAME, USAGE, "--json goes with --dump");
	o->dir = argv[optind];
	return command_check_words(NAME, USAGE, "DIR", argv + optind, (size_t)(argc - optind));
}

int receive_command(int argc, char **argv)
{
	struct options o = {.pump = {.fd = STDIN_FILENO, .max_errors = 1}, .verbosity = 1};
	int ret = parse(&o, argc, argv);

	if (ret)
		return ret;
	if (o.file) {
		o.pump.fd = open(o.file, O_RDONLY | O_CLOEXEC);
		if (o.pump.fd < 0) {
			error_errno(errno, "cannot open %s", o.file);
			return command_failed(NAME);
		}
	}
	ret = o.dump ? dump(&o) : receive(&o);
	if (o.file)
		close(o.pump.fd);
	return ret ? command_failed(NAME) : 0;
}
