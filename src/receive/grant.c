/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/grant.h"

#include <errno.h>

#include "receive/opened.h"
#include "receive/skipped.h"

int opening_begin(struct opening *o, struct host *host, int dir, const char *name, const struct stat *st, mode_t bits)
{
	mode_t mode = st->st_mode & 07777;
	int ret = 0;

	*o = (struct opening){0};
	if (host->opened)
		ret = opened_add(host->opened, host, dir, name, mode, &o->note);
	if (!ret && host->ops->chmod(host, dir, name, mode | bits)) {
		ret = -errno;
		opening_forget(o, host);
	}
	o->changed = !ret;
	o->mode = mode;
	return ret;
}

int opening_end(struct opening *o, struct host *host, int dir, const char *name)
{
	if (!o->changed)
		return 0;
	/* What cannot be put back now stays noted. */
	if (host->ops->chmod(host, dir, name, o->mode))
		return -errno;
	opening_forget(o, host);
	return 0;
}

void opening_forget(struct opening *o, struct host *host)
{
	if (o->note)
		opened_remove(host->opened, o->note);
	*o = (struct opening){0};
}

/* @name, NULL for the directory itself, if it is the user's and lacks some of @bits. */
static int open_up(struct opening *o, struct host *host, int dir, const char *name, mode_t bits)
{
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (S_ISLNK(st.st_mode) || st.st_uid != host->user || (st.st_mode & bits) == bits)
		return 0;
	return opening_begin(o, host, dir, name, &st, bits);
}

bool grant_begin(struct grant *g, struct host *host, int dir, const char *name)
{
	*g = (struct grant){.host = host, .dir = dir, .name_dir = dir, .name = name};
	if (!host->user)
		return false;
	g->error = open_up(&g->dir_mode, host, dir, ".", 0700);
	if (!g->error && name) {
		g->error = open_up(&g->name_mode, host, dir, name, 0600);
		/* That is for the call to say. */
		if (g->error == -ENOENT || g->error == -EACCES)
			g->error = 0;
	}
	return g->dir_mode.changed || g->name_mode.changed || g->error;
}

int grant_end(struct grant *g, int ret)
{
	struct host *host = g->host;
	int name_ret = g->name ? opening_end(&g->name_mode, host, g->name_dir, g->name) : 0;
	int dir_ret = opening_end(&g->dir_mode, host, g->dir, ".");
	int closed = name_ret ? name_ret : dir_ret;

	if (g->new_note && !name_ret)
		opened_remove(host->opened, g->new_note);
	/* What stays open is no refusal that could be counted. */
	if (closed)
		return skipped_because(-closed) ? -EIO : closed;
	/* A disk that fails is no lack of rights. */
	return ret == -EACCES && g->error ? g->error : ret;
}

int grant_end_open(struct grant *g, int fd)
{
	int ret = grant_end(g, fd);

	if (ret < 0 && fd >= 0)
		host_close(g->host, fd);
	return ret;
}

void grant_will_move(struct grant *g, int dir, const char *to)
{
	struct opened *o = g->host->opened;

	/* Without it the mode is not put back after a kill at the worst moment, and nothing else. */
	if (g->name_mode.note && opened_add(o, g->host, dir, to, g->name_mode.mode, &g->new_note))
		g->new_note = 0;
}

void grant_moved(struct grant *g, int dir, const char *to)
{
	g->name_dir = dir;
	g->name = to;
}

static int open_directory(struct host *host, int dir, const char *name)
{
	int fd = host->ops->open(host, dir, name, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? -errno : fd;
}

/* The directory alone, not the one that it lies in. */
static int open_granted(struct host *host, int dir, const char *name)
{
	struct grant g = {.host = host, .dir = dir, .name_dir = dir, .name = name};
	struct stat st;
	int ret;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != host->user)
		return -EACCES;
	ret = opening_begin(&g.name_mode, host, dir, name, &st, 0700);
	return ret ? ret : grant_end_open(&g, open_directory(host, dir, name));
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
