/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly ls: list a directory of an image. */
#include "cli/ls.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/image.h"
#include "files/dir.h"
#include "files/file.h"
#include "files/location.h"

#define NAME "btrfly ls"
#define USAGE NAME " [-l] [--json] [--device DEV]... IMAGE [PATH]"

#define LINK_MAX_BYTES 4096 /* PATH_MAX, with its NUL */

struct listing {
	struct filesystem *fs;
	struct data_reader *data;
	bool details; /* wanted of each inode */
	struct inode dir;
	struct ls_row *rows;
	size_t count, capacity;
};

static int read_target(struct listing *l, const struct location *at, char **out)
{
	char target[LINK_MAX_BYTES];
	struct file_reader f;
	int ret = file_reader_init(&f, l->fs, l->data, &at->subvolume.tree, at->ino);

	if (ret)
		return ret;
	ret = file_read_link(&f, target, sizeof(target));
	file_reader_release(&f);
	if (ret)
		return ret;
	*out = strdup(target);
	return *out ? 0 : error_nomem(strlen(target));
}

static int read_inode(const struct location *at, struct inode *out)
{
	struct cursor c;
	int ret;

	cursor_init(&c, &at->subvolume.tree);
	ret = inode_read(&c, at->ino, out);
	cursor_release(&c);
	if (ret == -ENOENT)
		return error_set(EIO, "inode %" PRIu64 " is missing", at->ino);
	return ret;
}

static int fill_details(struct listing *l, const struct location *at, struct ls_row *row)
{
	int ret;

	if (at->ino == EMPTY_SUBVOL_DIR_OBJECTID) {
		/* Where a snapshot's source has a subvolume; the kernel makes up such a directory too. */
		row->inode = (struct inode){.ino = at->ino, .mode = S_IFDIR | 0755, .nlink = 1,
					    .mtime = l->dir.mtime};
		return 0;
	}
	ret = read_inode(at, &row->inode);
	if (!ret && S_ISLNK(row->inode.mode))
		ret = read_target(l, at, &row->target);
	if (at->ino == at->subvolume.root_dirid)
		row->subvolume = at->subvolume.id;
	return ret;
}

static int add_row(struct listing *l, const char *name, size_t len, struct ls_row **out)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 256;
		struct ls_row *grown = reallocarray(l->rows, capacity, sizeof(*grown));

		if (!grown)
			return error_nomem(capacity * sizeof(*grown));
		l->rows = grown;
		l->capacity = capacity;
	}
	l->rows[l->count] = (struct ls_row){.name = strndup(name, len), .name_len = len};
	if (!l->rows[l->count].name)
		return error_nomem(len);
	*out = &l->rows[l->count++];
	return 0;
}

static int list_directory(struct listing *l, const struct location *dir)
{
	struct dir_entry entry;
	struct ls_row *row;
	struct cursor c;
	u64 index = 0;
	int ret = 0;

	if (dir->ino == EMPTY_SUBVOL_DIR_OBJECTID)
		return 0;
	cursor_init(&c, &dir->subvolume.tree);
	if (l->details)
		ret = read_inode(dir, &l->dir);
	while (!ret && (ret = dir_next(&c, dir->ino, &index, &entry)) > 0) {
		struct location at;

		ret = add_row(l, entry.name, entry.name_len, &row);
		if (ret || !l->details)
			continue;
		ret = location_enter(l->fs, dir, entry.name, entry.name_len, &at);
		if (ret == -ENOENT)
			ret = error_set(EIO, "it has an index and cannot be found by name");
		if (!ret)
			ret = fill_details(l, &at, row);
		if (ret)
			error_wrap(ret, "%.*s", entry.name_len, entry.name);
	}
	cursor_release(&c);
	return ret;
}

static int list_path(struct listing *l, const char *path)
{
	struct location at;
	struct ls_row *row;
	int ret = location_find(l->fs, path, &at);

	if (ret)
		return ret;
	if (at.type == FT_DIR) {
		ret = list_directory(l, &at);
	} else {
		ret = add_row(l, path, strlen(path), &row);
		if (!ret && l->details)
			ret = fill_details(l, &at, row);
	}
	return ret ? error_wrap(ret, "%s", path) : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct ls_row *x = a, *y = b;
	int order = memcmp(x->name, y->name, min_u64(x->name_len, y->name_len));

	return order ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static int run(const char *image, const struct image_devices *devices, const char *path, bool details,
	       void (*print)(const struct ls_row *rows, size_t count))
{
	struct listing l = {.details = details};
	int ret = image_open(NAME, image, devices, NULL, &l.fs);

	if (!ret)
		ret = data_reader_new(l.fs, &l.data);
	if (!ret)
		ret = list_path(&l, path);
	if (!ret) {
		if (l.count)
			qsort(l.rows, l.count, sizeof(*l.rows), by_name);
		print(l.rows, l.count);
	}
	for (size_t i = 0; i < l.count; i++) {
		free(l.rows[i].name);
		free(l.rows[i].target);
	}
	free(l.rows);
	data_reader_free(l.data);
	filesystem_free(l.fs);
	return ret ? command_failed(NAME) : command_printed(NAME);
}

int ls_command(int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_DEVICE };
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON},
		{"device", required_argument, NULL, OPTION_DEVICE},
		{0},
	};
	struct image_devices devices = {0};
	bool details = false, json = false;
	int status;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":l", options, NULL)) != -1;) {
		switch (c) {
		case 'l': details = true; break;
		case OPTION_JSON: json = true; break;
		case OPTION_DEVICE:
			if (image_devices_add(&devices, optarg)) {
				status = command_failed(NAME);
				goto out;
			}
			break;
		default: status = command_bad_option(NAME, USAGE, c, argv); goto out;
		}
	}
	if (argc - optind < 1 || argc - optind > 2)
		status = command_misused(NAME, USAGE, "one image, and at most one path, is wanted");
	else
		status = image_check_operands(NAME, USAGE, "PATH", argv + optind, (size_t)(argc - optind));
	if (!status)
		status = run(argv[optind], &devices, argc - optind == 2 ? argv[optind + 1] : "/",
			     details || json, json ? ls_print_json : details ? ls_print_long : ls_print_short);
out:
	image_devices_release(&devices);
	return status;
}
