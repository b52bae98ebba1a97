/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/grant.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/at.h"

bool grant_begin(struct grant *g, int dir, const char *name)
{
	struct stat st;

	*g = (struct grant){.dir = dir, .name = name};
	if (!geteuid())
		return false;
	if (!fstat(dir, &st) && st.st_uid == geteuid() && (st.st_mode & 0700) != 0700) {
		g->dir_mode = st.st_mode & 07777;
		g->dir_changed = !fchmod(dir, g->dir_mode | 0700);
	}
	if (name && !at_stat(dir, name, &st) && !S_ISLNK(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 0600) != 0600) {
		g->mode = st.st_mode & 07777;
		g->changed = !at_chmod(dir, name, g->mode | 0600);
	}
	return g->dir_changed || g->changed;
}

int grant_open_directory(int dir, const char *name)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(dir, name, how);

	if (fd >= 0 || errno != EACCES || !geteuid() || at_stat(dir, name, &st))
		return fd;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		errno = EACCES;
		return -1;
	}
	if (at_chmod(dir, name, (st.st_mode & 07777) | 0700))
		return -1;
	fd = openat(dir, name, how);

	int reason = errno;

	at_chmod(dir, name, st.st_mode & 07777);
	errno = reason;
	return fd;
}

void grant_end(struct grant *g)
{
	if (g->changed)
		at_chmod(g->dir, g->name, g->mode);
	if (g->dir_changed)
		fchmod(g->dir, g->dir_mode);
}
