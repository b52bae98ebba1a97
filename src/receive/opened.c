/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariant: a note stands in the journal before the mode is changed; so every mode that may be another one than the
 * tree's owner gave is noted there.
 */
#include "receive/opened.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "receive/beneath.h"
#include "receive/grant.h"
#include "receive/journal.h"

static int make_room(struct opened *o)
{
	size_t capacity = o->capacity ? o->capacity * 2 : 16;
	struct opened_mode *grown;

	if (o->count < o->capacity)
		return 0;
	grown = reallocarray(o->mode, capacity, sizeof(*grown));
	if (!grown)
		return error_nomem(capacity * sizeof(*grown));
	o->mode = grown;
	o->capacity = capacity;
	return 0;
}

int opened_write(struct journal *j, const struct opened_mode *m)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(j), ENTRY_OPENED);
	entry_put_u64(&w, m->serial);
	entry_put_u32(&w, m->mode);
	entry_put(&w, m->path, m->len);
	return journal_append(j, &w);
}

/* In memory alone. */
static int push(struct opened *o, u64 serial, const char *path, size_t len, mode_t mode)
{
	int ret = make_room(o);
	char *copy = ret ? NULL : malloc(len + 1);

	if (ret)
		return ret;
	if (!copy)
		return error_nomem(len + 1);
	memcpy(copy, path, len);
	copy[len] = '\0';
	o->mode[o->count++] = (struct opened_mode){.serial = serial, .mode = mode, .len = len, .path = copy};
	o->last_serial = max_u64(o->last_serial, serial);
	return 0;
}

static void take_out(struct opened *o, size_t i)
{
	free(o->mode[i].path);
	o->count--;
	memmove(&o->mode[i], &o->mode[i + 1], (o->count - i) * sizeof(*o->mode));
}

static size_t find(const struct opened *o, u64 serial)
{
	size_t i = o->count;

	/* They come and go like a stack's. */
	while (i && o->mode[i - 1].serial != serial)
		i--;
	return i ? i - 1 : o->count;
}

/* The path of @name in @dir from DIR in @text, which has room for PATH_MAX and a name; 0 where it is not known. */
static size_t find_path(struct opened *o, struct host *h, int dir, const char *name, char *text)
{
	char base[PATH_MAX];
	ssize_t base_len = h->ops->path(h, o->dir, base, sizeof(base));
	ssize_t len = h->ops->path(h, dir, text, PATH_MAX);
	size_t name_len = strlen(name);

	if (base_len <= 0 || len < base_len || len == PATH_MAX || memcmp(text, base, (size_t)base_len))
		return 0;
	len -= base_len;
	memmove(text, text + base_len, (size_t)len);
	if (strcmp(name, ".")) {
		text[len++] = '/';
		memcpy(text + len, name, name_len);
		len += (ssize_t)name_len;
	}
	/* DIR itself is nobody's to open up, and in front of all else is a slash; a longer one would not be read again. */
	if (len < 2 || text[0] != '/' || len - 1 > TREE_PATH_MAX)
		return 0;
	memmove(text, text + 1, (size_t)len - 1);
	return (size_t)len - 1;
}

int opened_add(struct opened *o, struct host *h, int dir, const char *name, mode_t mode, u64 *serial)
{
	char text[PATH_MAX + NAME_MAX + 2];
	size_t len;
	int ret;

	*serial = 0;
	if (!o->journal || !journal_is_open(o->journal))
		return 0;
	len = find_path(o, h, dir, name, text);
	if (!len)
		return 0;
	ret = push(o, o->last_serial + 1, text, len, mode);
	if (ret)
		return ret;
	ret = opened_write(o->journal, &o->mode[o->count - 1]);
	if (ret)
		take_out(o, o->count - 1);
	else
		*serial = o->last_serial;
	return ret;
}

void opened_remove(struct opened *o, u64 serial)
{
	size_t i = find(o, serial);
	struct entry_writer w;

	if (i == o->count)
		return;
	take_out(o, i);
	if (!o->journal || !journal_is_open(o->journal))
		return;
	entry_begin(&w, journal_buffer(o->journal), ENTRY_CLOSED);
	entry_put_u64(&w, serial);
	journal_append(o->journal, &w);
}

static int put_back(struct host *h, int dir, const char *name, mode_t mode)
{
	struct stat st;

	if (h->ops->stat(h, dir, name, &st))
		return errno == ENOENT ? 0 : -errno;
	/* Whatever the note says, closing only takes bits away. */
	if (S_ISLNK(st.st_mode) || st.st_uid != h->user || !(st.st_mode & 07777 & ~mode))
		return 0;
	return h->ops->chmod(h, dir, name, st.st_mode & mode) ? -errno : 0;
}

/* What lies above it may be closed again already. */
static int put_back_granted(struct beneath *from_dir, const char *path, size_t len, mode_t mode)
{
	struct host *h = from_dir->host;
	const char *name;
	struct grant g;
	int ret, dir = beneath_open_parent(from_dir, path, len, &name);

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP ? 0 : dir;
	ret = put_back(h, dir, name, mode);
	if (ret == -EACCES && grant_begin(&g, h, dir, NULL)) {
		ret = put_back(h, dir, name, mode);
		ret = grant_end(&g, ret);
	}
	beneath_close(from_dir, dir);
	return ret ? error_errno(-ret, "put the mode of '%s' back", path) : 0;
}

/* Others may be noted while it is done. */
static int close_newest(struct opened *o, struct beneath *from_dir)
{
	const struct opened_mode m = o->mode[o->count - 1];
	char *path = strndup(m.path, m.len);
	int ret = path ? put_back_granted(from_dir, path, m.len, m.mode) : error_nomem(m.len);

	free(path);
	if (!ret)
		opened_remove(o, m.serial);
	return ret;
}

int opened_close_all(struct opened *o, struct host *h)
{
	/* It is too big for a stack. */
	struct beneath *from_dir = o->count ? malloc(sizeof(*from_dir)) : NULL;
	int ret = 0;

	if (o->count && !from_dir)
		return error_nomem(sizeof(*from_dir));
	if (from_dir)
		beneath_init(from_dir, h, o->dir);
	while (!ret && o->count)
		ret = close_newest(o, from_dir);
	free(from_dir);
	return ret;
}

int opened_read(struct opened *o, struct entry *e)
{
	u64 serial = entry_u64(e);
	mode_t mode = e->type == ENTRY_OPENED ? entry_u32(e) & 07777 : 0;
	struct tree_path p;
	size_t len, i;
	const char *path = entry_rest(e, &len);

	if (e->bad)
		return -EINVAL;
	if (e->type == ENTRY_OPENED) {
		if (!len || memchr(path, '\0', len) || tree_path_set(&p, (struct stream_bytes){path, (u32)len}))
			return -EINVAL;
		return push(o, serial, path, len, mode);
	}
	i = find(o, serial);
	if (i < o->count)
		take_out(o, i);
	return 0;
}

void opened_release(struct opened *o)
{
	while (o->count)
		take_out(o, o->count - 1);
	free(o->mode);
	*o = (struct opened){.journal = o->journal, .dir = o->dir};
}
