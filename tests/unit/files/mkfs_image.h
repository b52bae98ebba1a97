/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small filesystems for the tests of this folder, made by mkfs.btrfs from a directory, without root. */
#ifndef BTRFLY_TESTS_MKFS_IMAGE_H
#define BTRFLY_TESTS_MKFS_IMAGE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "files/filesystem.h"
#include "files/location.h"

struct image {
	char dir[64];
	char path[96];
	int fd; /* for damage */
	struct filesystem *fs;
};

static bool have_mkfs(void)
{
	return !system("PATH=$PATH:/usr/sbin:/sbin command -v mkfs.btrfs >/dev/null");
}

static void image_new(struct image *m)
{
	snprintf(m->dir, sizeof(m->dir), "/tmp/btrfly-unit-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	snprintf(m->path, sizeof(m->path), "%s/root", m->dir);
	assert_int_equal(mkdir(m->path, 0755), 0);
	snprintf(m->path, sizeof(m->path), "%s/image", m->dir);
	m->fd = -1;
	m->fs = NULL;
}

static void image_put(struct image *m, const char *name, const void *data, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/root/%s", m->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void image_make(struct image *m, const char *options)
{
	const char *paths[] = {m->path};
	char command[512];

	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/sbin:/sbin; truncate -s 256M %s && "
		 "mkfs.btrfs -q %s --rootdir %s/root %s >/dev/null 2>&1", m->path, options, m->dir, m->path);
	assert_int_equal(system(command), 0);
	m->fd = open(m->path, O_RDWR);
	assert_true(m->fd >= 0);
	if (filesystem_open(paths, 1, NULL, &m->fs))
		fail_msg("%s", error_message());
}

static void image_release(struct image *m)
{
	char command[128];

	filesystem_free(m->fs);
	close(m->fd);
	snprintf(command, sizeof(command), "rm -r %s", m->dir);
	assert_int_equal(system(command), 0);
}

#endif
