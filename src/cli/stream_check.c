/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly stream check: everything that can be known of a stream without writing. */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/stream.h"
#include "receive/rehearsal.h"

#define NAME "btrfly stream check"
#define USAGE NAME " [--json] [-q] [FILE|-]"

struct totals {
	u64 commands, bytes;
};

static struct totals totals_of(const struct rehearsal *r)
{
	struct totals t = {0};

	for (u16 i = 0; i <= STREAM_C_MAX; i++) {
		t.commands += r->count[i];
		t.bytes += r->bytes[i];
	}
	t.bytes += r->streams * sizeof(struct stream_header);
	return t;
}

static const char *plural(u64 n)
{
	return n == 1 ? "" : "s";
}

static void show_text(const struct rehearsal *r)
{
	struct totals t = totals_of(r);
	char uuid[UUID_STR_LEN];

	printf("%" PRIu64 " stream%s (version %u), %" PRIu64 " subvolume%s, %" PRIu64 " commands, %" PRIu64
	       " bytes, %" PRIu64 " bytes of file data\n",
	       r->streams, plural(r->streams), r->version, r->subvolumes, plural(r->subvolumes), t.commands,
	       t.bytes, r->data);
	for (u16 i = 0; i <= STREAM_C_MAX; i++)
		if (r->count[i])
			printf("%-16s%12" PRIu64 "%16" PRIu64 "\n", stream_command_name(i), r->count[i],
			       r->bytes[i]);
	for (const struct known_uuid *k = NULL; (k = rehearsal_next_need(r, k));) {
		uuid_unparse_lower(k->uuid, uuid);
		printf("needs uuid=%s transid=%" PRIu64 "\n", uuid, k->ctransid);
	}
}

static void show_json(const struct rehearsal *r)
{
	struct totals t = totals_of(r);
	struct json_line j;

	json_line_begin(&j, stdout);
	json_line_u64(&j, "streams", r->streams);
	json_line_u64(&j, "version", r->version);
	json_line_u64(&j, "subvolumes", r->subvolumes);
	json_line_u64(&j, "commands", t.commands);
	json_line_u64(&j, "bytes", t.bytes);
	json_line_u64(&j, "data", r->data);
	json_line_list_begin(&j, "by_command");
	for (u16 i = 0; i <= STREAM_C_MAX; i++) {
		if (!r->count[i])
			continue;
		json_line_item_begin(&j);
		json_line_string(&j, "command", stream_command_name(i));
		json_line_u64(&j, "count", r->count[i]);
		json_line_u64(&j, "bytes", r->bytes[i]);
		json_line_item_end(&j);
	}
	json_line_list_end(&j);
	json_line_list_begin(&j, "needs");
	for (const struct known_uuid *k = NULL; (k = rehearsal_next_need(r, k));) {
		json_line_item_begin(&j);
		json_line_uuid(&j, "uuid", k->uuid);
		json_line_u64(&j, "transid", k->ctransid);
		json_line_item_end(&j);
	}
	json_line_list_end(&j);
	json_line_end(&j);
}

static int check(int fd, bool json, bool quiet)
{
	struct progress progress;
	struct stream_pump pump = {.fd = fd, .max_errors = 1, .progress = &progress};
	struct rehearsal *r = calloc(1, sizeof(*r));
	struct stat st;
	int ret;

	if (!r)
		return error_nomem(sizeof(*r));
	progress_init(&progress, quiet);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		progress.total_bytes = (u64)st.st_size;
	ret = rehearsal_init(r, NULL);
	if (!ret)
		ret = stream_pump_run(&pump, &r->sink);
	progress_hide(&progress);
	if (!ret && !quiet)
		json ? show_json(r) : show_text(r);
	rehearsal_release(r);
	free(r);
	return ret;
}

int stream_check_command(int argc, char **argv)
{
	enum { OPTION_JSON = 256 };
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON},
		{"quiet", no_argument, NULL, 'q'},
		{0},
	};
	bool json = false, quiet = false;
	int fd = STDIN_FILENO, ret;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":q", options, NULL)) != -1;) {
		switch (c) {
		case OPTION_JSON: json = true; break;
		case 'q': quiet = true; break;
		default: return command_bad_option(NAME, USAGE, c, argv);
		}
	}
	if (argc - optind > 1)
		return command_misused(NAME, USAGE, "one stream at a time");
	ret = command_check_words(NAME, USAGE, "FILE", argv + optind, (size_t)(argc - optind));
	if (ret)
		return ret;
	if (optind < argc && strcmp(argv[optind], "-")) {
		fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			error_errno(errno, "cannot open %s", argv[optind]);
			return command_failed(NAME);
		}
	}
	ret = check(fd, json, quiet);
	if (fd != STDIN_FILENO)
		close(fd);
	return ret ? command_failed(NAME) : command_printed(NAME);
}
