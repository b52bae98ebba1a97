/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly send: write the send streams of subvolumes. */
#include "cli/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/image.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "cli/size.h"
#include "send/prefix.h"
#include "send/send.h"

#define NAME SEND_NAME

struct job {
	const struct send_arguments *a;
	struct filesystem *fs;
	struct selection selection;
	struct output output;
	struct fd_sink sink;
	struct progress progress;
	u64 skip;            /* bytes of what is still to be sent that are not wanted */
	struct json_line json; /* -n --json */
};

static struct send_request request_of(struct job *j, size_t i)
{
	const struct send_arguments *a = j->a;
	const struct selected *it = &j->selection.items[i];
	struct send_request r = {.subvolume = &it->subvolume,
				 .parent = it->parent,
				 .clones = j->selection.sources,
				 .clone_count = it->source_count,
				 .options = a->plan,
				 .threads = a->threads,
				 .from_offset = j->skip,
				 .progress = &j->progress};

	r.options.omit_header = a->one_stream && i;
	r.options.omit_end = a->one_stream && i + 1 < a->subvol_count;
	return r;
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

static int write_stream(struct job *j, const struct send_request *r)
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
	ret = send_subvolume(j->fs, r, &j->sink.sink, &bytes);
	if (!ret)
		j->skip -= min_u64(j->skip, bytes);
	return ret;
}

static int send_one(struct job *j, size_t i)
{
	const struct send_request r = request_of(j, i);
	const char *word = j->selection.items[i].word;
	int ret;

	if (!j->a->quiet) {
		progress_hide(&j->progress);
		fprintf(stderr, "At subvol %s\n", word);
	}
	ret = j->a->dry_run ? measure(j, &r, word) : write_stream(j, &r);
	return ret ? error_wrap(ret, "send %s", word) : 0;
}

static int send_all(struct job *j)
{
	int ret = 0;

	for (size_t i = 0; i < j->selection.count && !ret; i++)
		ret = send_one(j, i);
	progress_hide(&j->progress);
	if (!ret && !j->a->dry_run && j->skip)
		ret = error_set(EINVAL,
				"--from-offset %" PRIu64 ": the stream ends %" PRIu64 " bytes before",
				j->a->from_offset, j->skip);
	return ret;
}

/* How much of the stream lies in the draft already goes into j->skip; the draft is only read. */
static int compare_draft(struct job *j)
{
	const struct draft *d = &j->output.draft;
	struct prefix x;
	int ret = prefix_init(&x, d->fd, d->path);

	for (size_t i = 0; i < j->selection.count && !ret; i++) {
		const struct send_request r = request_of(j, i);

		ret = send_compare(j->fs, &r, &x);
		if (ret < 0)
			error_wrap(ret, "send %s", j->selection.items[i].word);
	}
	/* 1: it ends within the stream. */
	ret = ret > 0 ? 0 : ret ? ret : prefix_finish(&x);
	if (!ret)
		j->skip = x.offset;
	prefix_release(&x);
	return ret ? error_wrap(ret, "--resume") : 0;
}

static int send_to_output(struct job *j)
{
	const struct send_arguments *a = j->a;
	int ret = output_open(&j->output, a->file, a->resume, j->fs->volume);

	if (!ret && j->output.draft.kept)
		ret = compare_draft(j);
	if (!ret && j->output.draft.kept && !a->quiet)
		fprintf(stderr, "Going on behind byte %" PRIu64 " of %s\n", j->skip, j->output.draft.path);
	if (!ret)
		ret = output_begin(&j->output, j->output.draft.kept ? j->skip : 0);
	if (!ret) {
		fd_sink_init(&j->sink, j->output.fd, j->output.name);
		ret = send_all(j);
	}
	if (!ret)
		ret = output_finish(&j->output);
	if (ret)
		output_fail(&j->output, ret, !a->from_offset);
	output_release(&j->output);
	return ret;
}

static int run(const struct send_arguments *a)
{
	const struct filesystem_options options = {.memory = a->memory};
	struct job j = {.a = a, .skip = a->from_offset};
	int ret = image_open(NAME, a->image, &a->devices, &options, &j.fs);

	progress_init(&j.progress, a->quiet || a->dry_run);
	if (a->progress && !a->dry_run)
		progress_force(&j.progress);
	if (!ret)
		ret = selection_find(&j.selection, j.fs, a);
	if (!ret)
		ret = a->dry_run ? send_all(&j) : send_to_output(&j);
	if (!ret && a->verbose)
		fprintf(stderr, "%" PRIu64 " bytes sent\n", j.progress.bytes);
	selection_release(&j.selection);
	filesystem_free(j.fs);
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
