/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly send: write the send streams of subvolumes. */
#include "cli/send.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/image.h"
#include "cli/send_arguments.h"
#include "cli/size.h"
#include "send/choose.h"
#include "send/send.h"

#define NAME SEND_NAME
/* What is being sent with what. */
struct job {
	const struct send_arguments *a;
	struct filesystem *fs;
	struct subvolume parent;
	bool has_parent;
	struct subvolume *sources; /* clone sources, the parent among them */
	size_t source_count;
	struct fd_sink sink;
	struct progress progress;
	u64 skip;            /* bytes of what is still to be sent that are not wanted */
	struct json_line json; /* -n --json */
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

/* -n: what the stream would be. */
static int measure(struct job *j, const struct send_request *r, const char *subvol)
{
	struct send_measures m;
	char size[SIZE_TEXT_MAX];
	int ret = send_measure(j->fs, r, &m);

	if (ret)
		return ret;
	if (!j->a->json) {
		printf("stream size: %" PRIu64 " bytes (%s)\ncommands: %" PRIu64 "\nfile data: %" PRIu64
		       " bytes\ninodes: %" PRIu64 "\n",
		       m.bytes, size_text(m.bytes, SIZE_IEC, size), m.commands, m.data_bytes, m.inodes);
		return 0;
	}
	json_line_begin(&j->json, stdout);
	json_line_bytes(&j->json, "subvolume", subvol, strlen(subvol));
	json_line_u64(&j->json, "bytes", m.bytes);
	json_line_u64(&j->json, "commands", m.commands);
	json_line_u64(&j->json, "data_bytes", m.data_bytes);
	json_line_u64(&j->json, "inodes", m.inodes);
	json_line_end(&j->json);
	return 0;
}

static int write_stream(struct job *j, struct send_request *r)
{
	struct send_measures m;
	u64 bytes;
	int ret;

	/* On a terminal the plan is made once beforehand: it tells what there is to do. */
	if (j->progress.on) {
		ret = send_measure(j->fs, r, &m);
		if (ret)
			return ret;
		j->progress.total_bytes += m.bytes - min_u64(m.bytes, j->skip);
	}
	r->from_offset = j->skip;
	ret = send_subvolume(j->fs, r, &j->sink.sink, &bytes);
	if (!ret)
		j->skip -= min_u64(j->skip, bytes);
	return ret;
}

static int send_one(struct job *j, size_t i)
{
	const struct send_arguments *a = j->a;
	struct send_request r = {.options = a->plan,
				 .clones = j->sources,
				 .clone_count = j->source_count,
				 .threads = a->threads,
				 .progress = &j->progress};
	struct subvolume sv;
	int ret = subvolume_find(j->fs, a->subvols[i], &sv);

	if (!ret && !a->quiet) {
		progress_hide(&j->progress);
		fprintf(stderr, "At subvol %s\n", a->subvols[i]);
	}
	r.subvolume = &sv;
	if (!ret)
		ret = choose_parent(j, &sv, &r.parent);
	r.options.omit_header = a->one_stream && i;
	r.options.omit_end = a->one_stream && i + 1 < a->subvol_count;
	if (!ret)
		ret = a->dry_run ? measure(j, &r, a->subvols[i]) : write_stream(j, &r);
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

static int send_all(struct job *j)
{
	int ret = find_sources(j);

	for (size_t i = 0; i < j->a->subvol_count && !ret; i++)
		ret = send_one(j, i);
	progress_hide(&j->progress);
	if (!ret && !j->a->dry_run && j->skip)
		ret = error_set(EINVAL,
				"--from-offset %" PRIu64 ": the stream ends %" PRIu64 " bytes before",
				j->a->from_offset, j->skip);
	return ret;
}

static int run(const struct send_arguments *a)
{
	const struct filesystem_options options = {.memory = a->memory};
	struct job j = {.a = a, .skip = a->from_offset};
	int fd = -1, ret = a->dry_run ? 0 : open_output(a->file, &fd);

	if (!ret)
		ret = image_open(NAME, a->image, &a->devices, &options, &j.fs);
	fd_sink_init(&j.sink, fd, a->file ? a->file : "standard output");
	progress_init(&j.progress, a->quiet || a->dry_run);
	if (a->progress && !a->dry_run)
		progress_force(&j.progress);
	if (!ret)
		ret = send_all(&j);
	if (!ret && !a->dry_run)
		ret = close_output(a->file, fd);
	if (!ret && a->verbose)
		fprintf(stderr, "%" PRIu64 " bytes sent\n", j.progress.bytes);
	filesystem_free(j.fs);
	free(j.sources);
	return ret ? command_failed(NAME) : command_printed(NAME);
}

int send_command(int argc, char **argv)
{
	struct send_arguments a;
	int status = send_arguments_parse(&a, argc, argv);

	if (!status)
		status = run(&a);
	send_arguments_release(&a);
	return status;
}
