/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/diff.h"
#include "cli/kind.h"
#include "cli/name.h"

static const char *const words[] = {
	[CHANGE_REMOVED] = "removed",
	[CHANGE_ADDED] = "added",
	[CHANGE_RENAMED] = "renamed",
	[CHANGE_MODIFIED] = "modified",
};

static const char letters[] = {
	[CHANGE_REMOVED] = 'D',
	[CHANGE_ADDED] = 'A',
	[CHANGE_RENAMED] = 'R',
};

static void print_letters(const struct change *it)
{
	if (it->kind != CHANGE_MODIFIED)
		putchar(letters[it->kind]);
	if (it->content)
		putchar('M');
	if (it->metadata)
		putchar('P');
}

static void print_range(const struct byte_range *r)
{
	printf("[%" PRIu64 ", %" PRIu64 ")", r->start, r->end);
}

void diff_print_line(const struct change *it, const char *path, const char *from)
{
	print_letters(it);
	putchar('\t');
	if (from) {
		path_print(stdout, from);
		putchar('\t');
	}
	path_print(stdout, path);
	putchar('\n');
	for (size_t i = 0; i < it->range_count; i++) {
		putchar('\t');
		print_range(&it->ranges[i]);
		putchar('\n');
	}
}

static void print_field(const char *text)
{
	fputs(text, stdout);
	putchar('\0');
}

void diff_print_fields(const struct change *it, const char *path, const char *from)
{
	print_letters(it);
	putchar('\0');
	if (from)
		print_field(from);
	print_field(path);
	for (size_t i = 0; i < it->range_count; i++) {
		print_range(&it->ranges[i]);
		putchar('\0');
	}
}

static void json_metadata(struct json_line *j, u32 what)
{
	static const struct {
		u32 bit;
		const char *name;
	} parts[] = {
		{METADATA_MODE, "mode"},   {METADATA_OWNER, "owner"},   {METADATA_GROUP, "group"},
		{METADATA_FLAGS, "flags"}, {METADATA_XATTRS, "xattrs"}, {METADATA_MTIME, "mtime"},
	};

	json_line_list_begin(j, "metadata");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (what & parts[i].bit)
			json_line_item_string(j, parts[i].name);
	json_line_list_end(j);
}

void diff_print_json(const struct change *it, const char *path, const char *from)
{
	struct json_line j;

	json_line_begin(&j, stdout);
	json_line_string(&j, "path", path);
	json_line_string(&j, "change", words[it->kind]);
	if (from)
		json_line_string(&j, "from", from);
	json_line_string(&j, "type", it->mode ? kind_name(it->mode) : "subvolume");
	json_line_u64(&j, it->mode ? "inode" : "subvolume", it->ino);
	if (it->content)
		json_line_bool(&j, "content", true);
	if (it->metadata)
		json_metadata(&j, it->metadata);
	if (it->range_count) {
		json_line_list_begin(&j, "ranges");
		for (size_t i = 0; i < it->range_count; i++) {
			json_line_item_begin(&j);
			json_line_u64(&j, "start", it->ranges[i].start);
			json_line_u64(&j, "end", it->ranges[i].end);
			json_line_item_end(&j);
		}
		json_line_list_end(&j);
	}
	json_line_end(&j);
}
