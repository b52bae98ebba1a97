/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asked of sysfs, where each mounted btrfs has a directory devices/.  The list of mounts would not do: it
 * names one device of several, those of this mount namespace alone, and by paths.
 */
#include "device/mounted.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device/sysfs.h"

#define SYSFS_BTRFS "/sys/fs/btrfs"

/* Whether the block device whose sysfs directory is @dir is, or lies on, what @st describes. */
static bool same_device(int dir, const struct stat *st)
{
	char line[PATH_MAX + 16], number[32];
	struct stat backing;

	if (S_ISBLK(st->st_mode)) {
		snprintf(number, sizeof(number), "%u:%u", major(st->st_rdev), minor(st->st_rdev));
		return sysfs_read_line(dir, "dev", line, sizeof(line)) && !strcmp(line, number);
	}
	return sysfs_read_line(dir, "loop/backing_file", line, sizeof(line)) && !stat(line, &backing) &&
	       backing.st_dev == st->st_dev && backing.st_ino == st->st_ino;
}

static bool filesystem_has(int btrfs, const char *fsid, const struct stat *st)
{
	char path[NAME_MAX + 16];
	struct dirent *entry;
	bool found = false;
	DIR *devices;
	int fd;

	snprintf(path, sizeof(path), "%s/devices", fsid);
	fd = openat(btrfs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	devices = fd < 0 ? NULL : fdopendir(fd);
	if (!devices) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(devices))) {
		int dir = entry->d_name[0] == '.' ? -1
						  : openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0)
			continue;
		found = same_device(dir, st);
		close(dir);
	}
	closedir(devices);
	return found;
}

bool device_is_mounted(const struct device *d)
{
	struct dirent *entry;
	bool found = false;
	struct stat st;
	DIR *btrfs;

	if (d->fd < 0 || fstat(d->fd, &st))
		return false;
	btrfs = opendir(SYSFS_BTRFS);
	if (!btrfs)
		return false;
	while (!found && (entry = readdir(btrfs)))
		found = entry->d_name[0] != '.' && filesystem_has(dirfd(btrfs), entry->d_name, &st);
	closedir(btrfs);
	return found;
}
