/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/subvolume.h"

#include <stdio.h>
#include <time.h>
#include <uuid/uuid.h>

#include "cli/command.h"

static const struct command commands[] = {
	{"list", "all subvolumes and snapshots", subvolume_list_command},
	{"show", "what is known of one subvolume", subvolume_show_command},
	{0},
};

int subvolume_command(int argc, char **argv)
{
	return command_dispatch("btrfly subvolume", commands, argc, argv);
}

const char *subvolume_uuid_text(const u8 *uuid, char *buf)
{
	if (uuid_is_null(uuid))
		snprintf(buf, UUID_TEXT_MAX, "-");
	else
		uuid_unparse_lower(uuid, buf);
	return buf;
}

const char *subvolume_time_text(const struct timestamp *t, bool with_zone, char *buf)
{
	time_t sec = t->sec;
	struct tm tm;

	if (!sec || !localtime_r(&sec, &tm) ||
	    !strftime(buf, TIME_TEXT_MAX, with_zone ? "%Y-%m-%d %X %z" : "%Y-%m-%d %X", &tm))
		snprintf(buf, TIME_TEXT_MAX, "-");
	return buf;
}

/* Kernels before 3.6 knew it of snapshots alone. */
u64 subvolume_made_in(const struct subvolume *s)
{
	return s->otransid ? s->otransid : s->root_offset;
}

static void json_uuid(struct json_line *j, const char *key, const u8 *uuid)
{
	if (!uuid_is_null(uuid))
		json_line_uuid(j, key, uuid);
}

static void json_time(struct json_line *j, const char *key, const struct timestamp *t)
{
	if (t->sec)
		json_line_time(j, key, t->sec, t->nsec);
}

void subvolume_json(struct json_line *j, const struct subvolume *s, const char *path)
{
	json_line_u64(j, "id", s->id);
	json_line_string(j, "path", path);
	json_line_u64(j, "generation", s->generation);
	json_line_u64(j, "cgeneration", subvolume_made_in(s));
	json_line_u64(j, "parent", s->parent_id);
	json_line_u64(j, "top_level", s->parent_id);
	json_line_string(j, "flags", s->flags & ROOT_SUBVOL_RDONLY ? "readonly" : "");
	json_time(j, "otime", &s->otime);
	json_uuid(j, "uuid", s->uuid);
	json_uuid(j, "parent_uuid", s->parent_uuid);
	json_uuid(j, "received_uuid", s->received_uuid);
}
