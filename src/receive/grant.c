/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/grant.h"

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
	if (name && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISLNK(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 0600) != 0600) {
		g->mode = st.st_mode & 07777;
		g->changed = !at_chmod(dir, name, g->mode | 0600);
	}
	return g->dir_changed || g->changed;
}

void grant_end(struct grant *g)
{
	if (g->changed)
		at_chmod(g->dir, g->name, g->mode);
	if (g->dir_changed)
		fchmod(g->dir, g->dir_mode);
}
