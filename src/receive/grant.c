/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/grant.h"

#include <errno.h>

bool grant_begin(struct grant *g, struct host *host, int dir, const char *name)
{
	struct stat st;

	*g = (struct grant){.host = host, .dir = dir, .name = name};
	if (!host->user)
		return false;
	if (!host->ops->stat(host, dir, ".", &st) && st.st_uid == host->user && (st.st_mode & 0700) != 0700) {
		g->dir_mode = st.st_mode & 07777;
		g->dir_changed = !host->ops->chmod(host, dir, ".", g->dir_mode | 0700);
	}
	if (name && !host->ops->stat(host, dir, name, &st) && !S_ISLNK(st.st_mode) &&
	    st.st_uid == host->user && (st.st_mode & 0600) != 0600) {
		g->mode = st.st_mode & 07777;
		g->changed = !host->ops->chmod(host, dir, name, g->mode | 0600);
	}
	return g->dir_changed || g->changed;
}

int grant_end(struct grant *g, int ret)
{
	struct host *host = g->host;

	if (g->changed && host->ops->chmod(host, g->dir, g->name, g->mode) && ret >= 0)
		ret = -errno;
	if (g->dir_changed && host->ops->chmod(host, g->dir, ".", g->dir_mode) && ret >= 0)
		ret = -errno;
	return ret;
}

int grant_end_open(struct grant *g, int fd)
{
	int ret = grant_end(g, fd);

	if (ret < 0 && fd >= 0)
		host_close(g->host, fd);
	return ret;
}

static int open_directory(struct host *host, int dir, const char *name)
{
	int fd = host->ops->open(host, dir, name, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? -errno : fd;
}

/* The directory alone, not the one that it lies in. */
static int open_granted(struct host *host, int dir, const char *name)
{
	struct grant g = {.host = host, .dir = dir, .name = name};
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != host->user)
		return -EACCES;
	g.mode = st.st_mode & 07777;
	if (host->ops->chmod(host, dir, name, g.mode | 0700))
		return -errno;
	g.changed = true;
	return grant_end_open(&g, open_directory(host, dir, name));
}

int grant_open_directory(struct host *host, int dir, const char *name)
{
	int fd = open_directory(host, dir, name);

	if (fd == -EACCES && host->user)
		fd = open_granted(host, dir, name);
	if (fd >= 0)
		return fd;
	errno = -fd;
	return -1;
}
