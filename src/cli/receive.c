/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly receive: apply a stream, or print it. */
#include "cli/receive.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "stream/print.h"
#include "stream/pump.h"

#define NAME "btrfly receive"
#define USAGE NAME " --dump [--json] [-f FILE] [-E NERR]"

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

static void say_failure(struct stream_sink *s)
{
	command_failed(NAME);
}

static int dump(struct stream_pump *pump, bool json)
{
	struct dump_sink d = {.sink = {dump_header, dump_command, say_failure}};
	int ret = stream_printer_init(&d.printer, stdout, json);

	/* As btrfs-progs does: the first stream alone. */
	pump->stop_at_end = true;
	if (!ret)
		ret = stream_pump_run(pump, &d.sink);
	stream_printer_release(&d.printer);
	if (!ret && fflush(stdout))
		ret = error_errno(errno, "cannot write the dump");
	return ret;
}

static int parse_count(const char *text, u64 *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || end == text || *end || *text == '-' ? -EINVAL : 0;
}

int receive_command(int argc, char **argv)
{
	enum { OPTION_DUMP = 256, OPTION_JSON };
	static const struct option options[] = {
		{"max-errors", required_argument, NULL, 'E'},
		{"dump", no_argument, NULL, OPTION_DUMP},
		{"json", no_argument, NULL, OPTION_JSON},
		{0},
	};
	struct stream_pump pump = {.fd = STDIN_FILENO, .max_errors = 1};
	const char *file = NULL;
	bool json = false, dumping = false;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":f:E:", options, NULL)) != -1;) {
		switch (c) {
		case 'f': file = optarg; break;
		case 'E':
			if (parse_count(optarg, &pump.max_errors))
				return command_misused(NAME, USAGE, "'%s' is no number of errors", optarg);
			break;
		case OPTION_DUMP: dumping = true; break;
		case OPTION_JSON: json = true; break;
		default: return command_bad_option(NAME, USAGE, c, argv);
		}
	}
	if (!dumping)
		return command_misused(NAME, USAGE, "only --dump so far");
	if (optind != argc)
		return command_misused(NAME, USAGE, "--dump takes no directory");
	if (file) {
		pump.fd = open(file, O_RDONLY | O_CLOEXEC);
		if (pump.fd < 0) {
			error_errno(errno, "cannot open %s", file);
			return command_failed(NAME);
		}
	}

	int ret = dump(&pump, json);

	if (file)
		close(pump.fd);
	return ret ? command_failed(NAME) : 0;
}
