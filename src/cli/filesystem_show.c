/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly filesystem show: what the superblocks say, in the form of btrfs-progs. */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/filesystem.h"
#include "cli/image.h"
#include "cli/name.h"
#include "cli/size.h"
#include "volume/volume.h"

#define NAME "btrfly filesystem show"
#define USAGE NAME " [--raw|--iec|--si] [--json] IMAGE|DEVICE..."

/* The path as btrfs-progs shows it, from the root; or as it was given. */
static const char *full_path(const struct device *d, char *buf)
{
	return realpath(d->name, buf) ? buf : d->name;
}

static void show_text(const struct volume *v, enum size_unit unit)
{
	const struct volume_facts *f = volume_facts(v);
	char uuid[UUID_STR_LEN], size[SIZE_TEXT_MAX], used[SIZE_TEXT_MAX], path[PATH_MAX];

	uuid_unparse(f->fsid, uuid);
	if (f->label[0]) {
		printf("Label: '");
		path_print(stdout, f->label);
		printf("'  uuid: %s\n", uuid);
	} else {
		printf("Label: none  uuid: %s\n", uuid);
	}
	printf("\tTotal devices %" PRIu64 " FS bytes used %s\n", f->num_devices,
	       size_text(f->bytes_used, unit, used));
	for (size_t i = 0; i < volume_device_count(v); i++) {
		struct dev_item item;
		const struct device *d = volume_device(v, i, &item);

		printf("\tdevid %4" PRIu64 " size %s used %s path %s\n", le64_get(item.devid),
		       size_text(le64_get(item.total_bytes), unit, size),
		       size_text(le64_get(item.bytes_used), unit, used), full_path(d, path));
	}
	if (volume_device_count(v) < f->num_devices)
		printf("\t*** Some devices missing\n");
	printf("\n");
}

static void show_json(const struct volume *v)
{
	const struct volume_facts *f = volume_facts(v);
	struct json_line j;
	char path[PATH_MAX];

	json_line_begin(&j, stdout);
	json_line_bytes(&j, "label", f->label, strlen(f->label));
	json_line_uuid(&j, "uuid", f->fsid);
	json_line_u64(&j, "generation", f->generation);
	json_line_u64(&j, "log_root", f->log_root);
	json_line_u64(&j, "total_devices", f->num_devices);
	json_line_u64(&j, "bytes_used", f->bytes_used);
	json_line_list_begin(&j, "devices");
	for (size_t i = 0; i < volume_device_count(v); i++) {
		struct dev_item item;
		const char *name = full_path(volume_device(v, i, &item), path);

		json_line_item_begin(&j);
		json_line_u64(&j, "devid", le64_get(item.devid));
		json_line_uuid(&j, "uuid", item.uuid);
		json_line_u64(&j, "size", le64_get(item.total_bytes));
		json_line_u64(&j, "used", le64_get(item.bytes_used));
		json_line_bytes(&j, "path", name, strlen(name));
		json_line_item_end(&j);
	}
	json_line_list_end(&j);
	json_line_end(&j);
}

int filesystem_show_command(int argc, char **argv)
{
	enum { OPTION_IEC = 256, OPTION_SI, OPTION_JSON };
	static const struct option options[] = {
		{"raw", no_argument, NULL, 'b'},
		{"human-readable", no_argument, NULL, OPTION_IEC},
		{"iec", no_argument, NULL, OPTION_IEC},
		{"si", no_argument, NULL, OPTION_SI},
		{"json", no_argument, NULL, OPTION_JSON},
		{0},
	};
	enum size_unit unit = SIZE_IEC;
	bool json = false;
	struct volume *v;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":b", options, NULL)) != -1) {
		switch (c) {
		case 'b': unit = SIZE_RAW; break;
		case OPTION_IEC: unit = SIZE_IEC; break;
		case OPTION_SI: unit = SIZE_SI; break;
		case OPTION_JSON: json = true; break;
		default: return command_bad_option(NAME, USAGE, c, argv);
		}
	}
	if (optind == argc)
		return command_misused(NAME, USAGE, "no image or device was given");
	c = command_check_words(NAME, USAGE, "IMAGE|DEVICE", argv + optind, (size_t)(argc - optind));
	if (c)
		return c;
	if (volume_open_paths((const char *const *)argv + optind, (size_t)(argc - optind), &v))
		return command_failed(NAME);
	if (image_check_stdout(v)) {
		volume_free(v);
		return command_failed(NAME);
	}
	if (json)
		show_json(v);
	else
		show_text(v, unit);
	volume_free(v);
	return command_printed(NAME);
}
