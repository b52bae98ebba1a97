/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly filesystem show: what the superblocks say, in the form of btrfs-progs. */
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <uuid/uuid.h>

#include "cli/command.h"
#include "cli/filesystem.h"
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
	if (f->label[0])
		printf("Label: '%s'  uuid: %s\n", f->label, uuid);
	else
		printf("Label: none  uuid: %s\n", uuid);
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

static struct json_object *json_device(const struct device *d, const struct dev_item *item)
{
	struct json_object *o = json_object_new_object();
	char uuid[UUID_STR_LEN], path[PATH_MAX];

	uuid_unparse(item->uuid, uuid);
	json_object_object_add(o, "devid", json_object_new_uint64(le64_get(item->devid)));
	json_object_object_add(o, "uuid", json_object_new_string(uuid));
	json_object_object_add(o, "size", json_object_new_uint64(le64_get(item->total_bytes)));
	json_object_object_add(o, "used", json_object_new_uint64(le64_get(item->bytes_used)));
	json_object_object_add(o, "path", json_object_new_string(full_path(d, path)));
	return o;
}

static void show_json(const struct volume *v)
{
	const struct volume_facts *f = volume_facts(v);
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();
	char uuid[UUID_STR_LEN];

	uuid_unparse(f->fsid, uuid);
	json_object_object_add(o, "label", json_object_new_string(f->label));
	json_object_object_add(o, "uuid", json_object_new_string(uuid));
	json_object_object_add(o, "generation", json_object_new_uint64(f->generation));
	json_object_object_add(o, "total_devices", json_object_new_uint64(f->num_devices));
	json_object_object_add(o, "bytes_used", json_object_new_uint64(f->bytes_used));
	json_object_object_add(o, "log_pending", json_object_new_boolean(f->log_root != 0));
	for (size_t i = 0; i < volume_device_count(v); i++) {
		struct dev_item item;
		const struct device *d = volume_device(v, i, &item);

		json_object_array_add(devices, json_device(d, &item));
	}
	json_object_object_add(o, "devices", devices);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
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
	if (volume_open_paths((const char *const *)argv + optind, (size_t)(argc - optind), &v))
		return command_failed(NAME);
	if (json)
		show_json(v);
	else
		show_text(v, unit);
	volume_free(v);
	return command_printed(NAME);
}
