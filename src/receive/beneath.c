/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. Every kept descriptor was reached from the root without following a symlink, and none of its
 *    path's components has been renamed or removed since: the tree's owner tells beneath_forget().
 * 2. Every kept descriptor is open for reading, so that fchmod() works on it.
 */
#include "receive/beneath.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "receive/grant.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY)

void beneath_init(struct beneath *b, struct host *host, int root)
{
	*b = (struct beneath){.host = host, .root = root, .may_grant = host->user != 0};
	for (size_t i = 0; i < BENEATH_KEPT; i++)
		b->kept[i].fd = -1;
}

static void drop(struct host *host, struct beneath_dir *d)
{
	if (d->fd >= 0)
		host_close(host, d->fd);
	d->fd = -1;
	d->used = 0;
}

void beneath_release(struct beneath *b)
{
	for (size_t i = 0; i < BENEATH_KEPT; i++)
		drop(b->host, &b->kept[i]);
}

/* A directory on the way; its owner may have to be let in to search it. */
struct step {
	int fd;
	struct opening opening;
};

/* Returns @ret, or, where that is 0, the negative errno of a mode that could not be put back. */
static int leave(const struct beneath *b, struct step *s, int ret)
{
	int closed = opening_end(&s->opening, b->host, s->fd, ".");

	if (s->fd != b->root)
		host_close(b->host, s->fd);
	return ret ? ret : closed;
}

static bool let_in(struct host *host, struct step *s)
{
	struct stat st;

	if (host->ops->stat(host, s->fd, ".", &st) || st.st_uid != host->user || (st.st_mode & 0100))
		return false;
	return !opening_begin(&s->opening, host, s->fd, ".", &st, 0100);
}

/* From one directory into the next, and put the first one's mode back. */
static int step_into(const struct beneath *b, struct step *at, const char *name)
{
	struct step next = {.fd = grant_open_directory(b->host, at->fd, name)};
	int ret = next.fd < 0 ? -errno : 0;

	if (ret == -EACCES && b->may_grant && let_in(b->host, at)) {
		next.fd = grant_open_directory(b->host, at->fd, name);
		ret = next.fd < 0 ? -errno : 0;
	}
	ret = leave(b, at, ret);
	if (!ret)
		*at = next;
	else if (next.fd >= 0)
		host_close(b->host, next.fd);
	return ret;
}

/* The rest of a path, and the component in front of it. */
struct components {
	const char *rest, *end;
	char name[NAME_MAX + 1];
};

/* 1, 0 at the path's end, -ENAMETOOLONG where it has a longer component than there are. */
static int next_component(struct components *c)
{
	if (c->rest >= c->end)
		return 0;

	const char *slash = memchr(c->rest, '/', c->end - c->rest);
	size_t len = (slash ? slash : c->end) - c->rest;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(c->name, c->rest, len);
	c->name[len] = '\0';
	c->rest += len + 1;
	return 1;
}

static int open_by_steps(const struct beneath *b, const char *text, size_t len)
{
	struct components c = {.rest = text, .end = text + len};
	struct step at = {.fd = b->root};
	int ret;

	while ((ret = next_component(&c)) > 0) {
		ret = step_into(b, &at, c.name);
		if (ret)
			return ret;
	}
	return ret ? leave(b, &at, ret) : at.fd;
}

static int open_at_once(struct beneath *b, const char *text, size_t len)
{
	char path[TREE_PATH_MAX + 1];
	int fd;

	if (len > TREE_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, text, len);
	path[len] = '\0';
	fd = b->host->ops->open_beneath(b->host, b->root, path, OPEN_DIRECTORY);
	return fd < 0 ? -errno : fd;
}

/* O_NOFOLLOW with O_DIRECTORY says ENOTDIR of a symlink: say what it is. */
static bool leads_through_symlink(const struct beneath *b, const char *text, size_t len)
{
	struct components c = {.rest = text, .end = text + len};
	struct host *host = b->host;
	int fd = b->root;
	bool found = false;

	while (!found && fd >= 0 && next_component(&c) > 0) {
		struct stat st;
		int next = -1;

		if (!host->ops->stat(host, fd, c.name, &st)) {
			found = S_ISLNK(st.st_mode);
			next = host->ops->open(host, fd, c.name, OPEN_DIRECTORY, 0);
		}
		if (fd != b->root)
			host_close(host, fd);
		fd = next;
	}
	if (fd >= 0 && fd != b->root)
		host_close(host, fd);
	return found;
}

static int open_directory(struct beneath *b, const char *text, size_t len)
{
	int fd = -ENOSYS;

	if (!b->by_steps) {
		fd = open_at_once(b, text, len);
		/* EPERM comes from filters that do not know the call. */
		b->by_steps = fd == -ENOSYS || fd == -EPERM;
	}
	if (b->by_steps || fd == -EACCES || fd == -ENAMETOOLONG || fd == -EAGAIN)
		fd = open_by_steps(b, text, len);
	if (fd >= 0)
		return fd;
	if (fd == -ELOOP || (fd == -ENOTDIR && leads_through_symlink(b, text, len)))
		return error_set(ELOOP, "the path leads through a symlink");
	return error_errno(-fd, "cannot open the directory that it lies in");
}

int beneath_open_parent(struct beneath *b, const char *text, size_t len, const char **name)
{
	const char *slash = memrchr(text, '/', len);

	*name = !len ? "." : slash ? slash + 1 : text;
	return slash ? open_directory(b, text, slash - text) : b->root;
}

void beneath_close(struct beneath *b, int fd)
{
	if (fd != b->root)
		host_close(b->host, fd);
}

static struct beneath_dir *oldest(struct beneath *b)
{
	struct beneath_dir *d = &b->kept[0];

	for (size_t i = 1; i < BENEATH_KEPT; i++)
		if (b->kept[i].used < d->used)
			d = &b->kept[i];
	return d;
}

int beneath_parent(struct beneath *b, const struct tree_path *p)
{
	if (!p->parent_len)
		return b->root;
	for (size_t i = 0; i < BENEATH_KEPT; i++) {
		struct beneath_dir *d = &b->kept[i];

		if (d->fd >= 0 && d->path.len == p->parent_len &&
		    !memcmp(d->path.text, p->text, p->parent_len)) {
			d->used = ++b->clock;
			return d->fd;
		}
	}

	struct beneath_dir *d = oldest(b);

	drop(b->host, d);
	memcpy(d->path.text, p->text, p->parent_len);
	d->path.text[p->parent_len] = '\0';
	d->path.len = p->parent_len;

	int fd = open_directory(b, d->path.text, d->path.len);

	if (fd < 0)
		return fd;
	d->fd = fd;
	d->used = ++b->clock;
	return fd;
}

void beneath_forget(struct beneath *b, const struct tree_path *p)
{
	for (size_t i = 0; i < BENEATH_KEPT; i++)
		if (b->kept[i].fd >= 0 && tree_path_covers(p, b->kept[i].path.text, b->kept[i].path.len))
			drop(b->host, &b->kept[i]);
}
