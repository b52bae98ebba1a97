/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly subvolume show: one subvolume, in the form of btrfs-progs. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/image.h"
#include "cli/name.h"
#include "cli/subvolume.h"

#define NAME "btrfly subvolume show"
#define USAGE NAME " [--json] [--device DEV]... IMAGE SUBVOL | -r ID IMAGE | -u UUID IMAGE"

struct request {
	const char *word; /* NULL: by id; that 0: by uuid */
	u64 id;
	uuid_t uuid;
	struct subvolume found;
	bool json;
	struct json_line line;
};

static int match_uuid(const struct subvolume *s, const char *path, void *arg)
{
	struct request *r = arg;

	if (memcmp(s->uuid, r->uuid, UUID_SIZE))
		return 0;
	r->found = *s;
	return 1;
}

static int find(struct filesystem *fs, struct request *r)
{
	char text[UUID_TEXT_MAX];
	int ret;

	if (r->word)
		return subvolume_find(fs, r->word, &r->found);
	if (r->id)
		return subvolume_get(fs, r->id, &r->found);
	ret = subvolume_get(fs, FS_TREE_OBJECTID, &r->found);
	if (ret || !memcmp(r->found.uuid, r->uuid, UUID_SIZE))
		return ret;
	ret = subvolume_each(fs, match_uuid, r);
	if (!ret)
		return error_set(ENOENT, "no subvolume has the uuid %s", subvolume_uuid_text(r->uuid, text));
	return ret < 0 ? ret : 0;
}

static int show_snapshot(const struct subvolume *s, const char *path, void *arg)
{
	struct request *r = arg;

	if (uuid_is_null(r->found.uuid) || memcmp(s->parent_uuid, r->found.uuid, UUID_SIZE))
		return 0;
	if (r->json) {
		json_line_item_begin(&r->line);
		json_line_u64(&r->line, "id", s->id);
		json_line_string(&r->line, "path", path);
		json_line_item_end(&r->line);
		return 0;
	}
	fputs("\t\t\t\t", stdout);
	path_print(stdout, path);
	putchar('\n');
	return 0;
}

static void show_text(const struct subvolume *s, const char *path)
{
	bool top = s->id == FS_TREE_OBJECTID;
	char text[TIME_TEXT_MAX];

	path_print(stdout, top ? "/" : path);
	fputs("\n\tName: \t\t\t", stdout);
	path_print(stdout, top ? "<FS_TREE>" : s->name);
	printf("\n\tUUID: \t\t\t%s\n", subvolume_uuid_text(s->uuid, text));
	printf("\tParent UUID: \t\t%s\n", subvolume_uuid_text(s->parent_uuid, text));
	printf("\tReceived UUID: \t\t%s\n", subvolume_uuid_text(s->received_uuid, text));
	printf("\tCreation time: \t\t%s\n", subvolume_time_text(&s->otime, true, text));
	printf("\tSubvolume ID: \t\t%" PRIu64 "\n", s->id);
	printf("\tGeneration: \t\t%" PRIu64 "\n", s->generation);
	printf("\tGen at creation: \t%" PRIu64 "\n", s->otransid);
	printf("\tParent ID: \t\t%" PRIu64 "\n", s->parent_id);
	printf("\tTop level ID: \t\t%" PRIu64 "\n", s->parent_id);
	printf("\tFlags: \t\t\t%s\n", s->flags & ROOT_SUBVOL_RDONLY ? "readonly" : "-");
	printf("\tSend transid: \t\t%" PRIu64 "\n", s->stransid);
	printf("\tSend time: \t\t%s\n", subvolume_time_text(&s->stime, true, text));
	printf("\tReceive transid: \t%" PRIu64 "\n", s->rtransid);
	printf("\tReceive time: \t\t%s\n", subvolume_time_text(&s->rtime, true, text));
	printf("\tSnapshot(s):\n");
}

static int show(struct filesystem *fs, struct request *r, const char *path)
{
	const struct subvolume *s = &r->found;
	int ret;

	if (!uuid_is_null(s->received_uuid) && !(s->flags & ROOT_SUBVOL_RDONLY))
		fprintf(stderr, NAME ": warning: the subvolume was received but can be written to:"
				     " it is no base for incremental streams\n");
	if (!r->json) {
		show_text(s, path);
		return subvolume_each(fs, show_snapshot, r);
	}
	json_line_begin(&r->line, stdout);
	subvolume_json(&r->line, s, path);
	json_line_u64(&r->line, "stransid", s->stransid);
	json_line_u64(&r->line, "rtransid", s->rtransid);
	if (s->stime.sec)
		json_line_time(&r->line, "stime", s->stime.sec, s->stime.nsec);
	if (s->rtime.sec)
		json_line_time(&r->line, "rtime", s->rtime.sec, s->rtime.nsec);
	json_line_list_begin(&r->line, "snapshots");
	ret = subvolume_each(fs, show_snapshot, r);
	json_line_list_end(&r->line);
	json_line_end(&r->line);
	return ret;
}

static int run(struct request *r, const char *image, const struct image_devices *devices)
{
	struct buffer path = {0};
	struct filesystem *fs = NULL;
	int ret = image_open(NAME, image, devices, NULL, &fs);

	if (!ret)
		ret = find(fs, r);
	if (!ret)
		ret = subvolume_path(fs, &r->found, &path);
	if (!ret)
		ret = show(fs, r, (const char *)path.data);
	buffer_release(&path);
	filesystem_free(fs);
	return ret ? command_failed(NAME) : command_printed(NAME);
}

int subvolume_show_command(int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_DEVICE };
	static const struct option options[] = {
		{"rootid", required_argument, NULL, 'r'},
		{"uuid", required_argument, NULL, 'u'},
		{"json", no_argument, NULL, OPTION_JSON},
		{"device", required_argument, NULL, OPTION_DEVICE},
		{0},
	};
	struct image_devices devices = {0};
	const char *id = NULL, *uuid = NULL;
	struct request r = {0};
	char *end;
	int status;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":r:u:", options, NULL)) != -1;) {
		switch (c) {
		case 'r': id = optarg; break;
		case 'u': uuid = optarg; break;
		case OPTION_JSON: r.json = true; break;
		case OPTION_DEVICE:
			if (image_devices_add(&devices, optarg)) {
				status = command_failed(NAME);
				goto out;
			}
			break;
		default: status = command_bad_option(NAME, USAGE, c, argv); goto out;
		}
	}
	if (id)
		r.id = strtoull(id, &end, 10);
	if (id && (!r.id || *end || *id == '-')) {
		status = command_misused(NAME, USAGE, "'%s' is not a subvolume's id", id);
	} else if (uuid && uuid_parse(uuid, r.uuid)) {
		status = command_misused(NAME, USAGE, "'%s' is not a uuid", uuid);
	} else if (argc - optind != 1 + (!id && !uuid) || (id && uuid)) {
		status = command_misused(NAME, USAGE, "an image and one subvolume are wanted");
	} else {
		status = image_check_operands(NAME, USAGE, "SUBVOL", argv + optind, (size_t)(argc - optind));
	}
	if (!status) {
		r.word = id || uuid ? NULL : argv[optind + 1];
		status = run(&r, argv[optind], &devices);
	}
out:
	image_devices_release(&devices);
	return status;
}
