/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device/sysfs.h"

#define SECTOR 512

static u64 sum(u64 a, u64 b)
{
	u64 c;

	return __builtin_add_overflow(a, b, &c) ? UINT64_MAX : c;
}

static void add(struct storage *s, const struct storage_layer *layer)
{
	if (s->count < STORAGE_LAYERS_MAX)
		s->layer[s->count++] = *layer;
}

/* The part of @above that lies below @size, as seen from beneath, where it begins at @start. */
static struct storage_layer shifted(const struct storage_layer *above, u64 start, u64 size)
{
	struct storage_layer below = {.mapped = above->mapped};

	below.from = sum(start, min_u64(above->from, size));
	below.to = sum(start, min_u64(above->to, size));
	return below;
}

/* "8:16" in the file @name. */
static bool read_number(int dir, const char *name, dev_t *out)
{
	char line[32];
	unsigned major, minor;

	if (!sysfs_read_line(dir, name, line, sizeof(line)) || sscanf(line, "%u:%u", &major, &minor) != 2)
		return false;
	*out = makedev(major, minor);
	return true;
}

/* A partition lies on its disk. */
static void add_disk(struct storage *s, int dir, const struct storage_layer *above)
{
	struct storage_layer below;
	u64 number, start, size;

	if (!sysfs_read_u64(dir, "partition", &number) || !sysfs_read_u64(dir, "start", &start) ||
	    !sysfs_read_u64(dir, "size", &size))
		return;
	below = shifted(above, start * SECTOR, size * SECTOR);
	below.is_block = true;
	if (read_number(dir, "../dev", &below.dev))
		add(s, &below);
}

static void set_file(struct storage_layer *l, const struct stat *st)
{
	l->is_block = S_ISBLK(st->st_mode);
	l->dev = l->is_block ? st->st_rdev : st->st_dev;
	l->ino = l->is_block ? 0 : st->st_ino;
}

/* A loop device lies on a file, or on another block device. */
static void add_backing(struct storage *s, int dir, const struct storage_layer *above)
{
	char path[PATH_MAX];
	struct storage_layer below;
	u64 offset = 0, limit = 0;
	struct stat st;

	if (!sysfs_read_line(dir, "loop/backing_file", path, sizeof(path)) || stat(path, &st))
		return;
	sysfs_read_u64(dir, "loop/offset", &offset);
	sysfs_read_u64(dir, "loop/sizelimit", &limit);
	below = shifted(above, offset, limit ? limit : UINT64_MAX);
	set_file(&below, &st);
	add(s, &below);
}

/* What dm and md make of other devices. */
static void add_slaves(struct storage *s, int dir)
{
	int fd = openat(dir, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *slaves = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!slaves) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(slaves))) {
		struct storage_layer below = {.is_block = true, .mapped = true, .to = UINT64_MAX};
		char path[NAME_MAX + 8];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/dev", entry->d_name);
		if (read_number(fd, path, &below.dev))
			add(s, &below);
	}
	closedir(slaves);
}

/* A file lies somewhere on its filesystem's device.  One without, or with several (btrfs), numbers from 0:1 on. */
static void add_filesystem(struct storage *s, const struct storage_layer *file)
{
	const struct storage_layer below = {.is_block = true, .mapped = true, .dev = file->dev, .to = UINT64_MAX};

	if (major(file->dev))
		add(s, &below);
}

static void add_beneath(struct storage *s, const struct storage_layer *above)
{
	char path[64];
	int dir;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(above->dev), minor(above->dev));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	add_disk(s, dir, above);
	add_backing(s, dir, above);
	add_slaves(s, dir);
	close(dir);
}

void storage_find(const struct stat *st, struct storage *out)
{
	struct storage_layer top = {.to = UINT64_MAX};

	out->count = 0;
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return;
	set_file(&top, st);
	add(out, &top);
	for (size_t i = 0; i < out->count; i++) {
		const struct storage_layer above = out->layer[i];

		if (above.is_block)
			add_beneath(out, &above);
		else
			add_filesystem(out, &above);
	}
}

static bool layers_shared(const struct storage_layer *a, const struct storage_layer *b)
{
	return a->is_block == b->is_block && a->dev == b->dev && a->ino == b->ino &&
	       !(a->mapped && b->mapped) && a->from < b->to && b->from < a->to;
}

bool storage_shared(const struct storage *a, const struct storage *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (layers_shared(&a->layer[i], &b->layer[k]))
				return true;
	return false;
}
