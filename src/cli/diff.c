/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/diff.h"

#include <getopt.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/image.h"

#define NAME "btrfly diff"
#define USAGE NAME " [--json | -0] [--ranges] [--data] [--device DEV]... IMAGE OLD NEW"

typedef void print_change(const struct change *it, const char *path, const char *from);

static int print_all(struct comparison *c, print_change *print)
{
	const struct change *it;
	const char *path, *from;
	int ret;

	while ((ret = comparison_next(c, &it, &path, &from)) > 0)
		print(it, path, from);
	return ret;
}

static int run(char **operands, const struct image_devices *devices, const struct content_options *options,
	       print_change *print)
{
	struct subvolume old, new;
	struct filesystem *fs = NULL;
	struct comparison *c = NULL;
	int ret = image_open(NAME, operands[0], devices, NULL, &fs);

	if (!ret)
		ret = subvolume_find(fs, operands[1], &old);
	if (!ret)
		ret = subvolume_find(fs, operands[2], &new);
	if (!ret)
		ret = comparison_new(fs, &old, &new, options, &c);
	if (!ret)
		ret = print_all(c, print);
	comparison_free(c);
	filesystem_free(fs);
	return ret ? command_failed(NAME) : command_printed(NAME);
}

static int check_operands(char **words)
{
	static const char *const names[] = {"IMAGE", "OLD", "NEW"};
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !status; i++)
		status = command_check_words(NAME, USAGE, names[i], words + i, 1);
	return status;
}

int diff_command(int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_RANGES, OPTION_DATA, OPTION_DEVICE };
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON},
		{"ranges", no_argument, NULL, OPTION_RANGES},
		{"data", no_argument, NULL, OPTION_DATA},
		{"device", required_argument, NULL, OPTION_DEVICE},
		{0},
	};
	struct content_options content = {0};
	struct image_devices devices = {0};
	bool json = false, fields = false;
	int status;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":0", options, NULL)) != -1;) {
		switch (c) {
		case '0': fields = true; break;
		case OPTION_JSON: json = true; break;
		case OPTION_RANGES: content.ranges = true; break;
		case OPTION_DATA: content.data = true; break;
		case OPTION_DEVICE:
			if (image_devices_add(&devices, optarg)) {
				status = command_failed(NAME);
				goto out;
			}
			break;
		default: status = command_bad_option(NAME, USAGE, c, argv); goto out;
		}
	}
	if (json && fields)
		status = command_misused(NAME, USAGE, "--json and -0 exclude each other");
	else if (argc - optind != 3)
		status = command_misused(NAME, USAGE, "an image and two subvolumes are wanted");
	else
		status = check_operands(argv + optind);
	if (!status)
		status = run(argv + optind, &devices, &content,
			     json ? diff_print_json : fields ? diff_print_fields : diff_print_line);
out:
	image_devices_release(&devices);
	return status;
}
