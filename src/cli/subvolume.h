/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly subvolume: commands on subvolumes. */
#ifndef BTRFLY_CLI_SUBVOLUME_H
#define BTRFLY_CLI_SUBVOLUME_H

#include "base/json.h"
#include "files/subvolume.h"

int subvolume_command(int argc, char **argv);
int subvolume_list_command(int argc, char **argv);
int subvolume_show_command(int argc, char **argv);

/* What the subcommands print in the same way: a uuid or "-"; a time of the local zone, whose
 * difference from UTC is put behind it if @with_zone is set, or "-" where it is 0. */
#define UUID_TEXT_MAX 37
const char *subvolume_uuid_text(const u8 *uuid, char *buf);
#define TIME_TEXT_MAX 64
const char *subvolume_time_text(const struct timestamp *t, bool with_zone, char *buf);

/* The transaction that made the subvolume, where it is known. */
u64 subvolume_made_in(const struct subvolume *s);

/* The members that describe a subvolume. */
void subvolume_json(struct json_line *j, const struct subvolume *s, const char *path);

#endif
