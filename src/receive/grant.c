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

int grant_open_directory(struct host *host, int dir, const char *name)
{
	const int how = O_RDONLY | O_DIRECTORY;
	struct stat st;
	int fd = host->ops->open(host, dir, name, how, 0);

	if (fd >= 0 || errno != EACCES || !host->user || host->ops->stat(host, dir, name, &st))
		return fd;
	if (!S_ISDIR(st.st_mode) || st.st_uid != host->user) {
		errno = EACCES;
		return -1;
	}
	if (host->ops->chmod(host, dir, name, (st.st_mode & 07777) | 0700))
		return -1;
	fd = host->ops->open(host, dir, name, how, 0);

	int reason = errno;

	host->ops->chmod(host, dir, name, st.st_mode & 07777);
	errno = reason;
	return fd;
}

void grant_end(struct grant *g)
{
	struct host *host = g->host;

	if (g->changed)
		host->ops->chmod(host, g->dir, g->name, g->mode);
	if (g->dir_changed)
		host->ops->chmod(host, g->dir, ".", g->dir_mode);
}
