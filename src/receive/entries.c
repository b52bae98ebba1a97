/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/entries.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define BLOCK_SIZE 32768

/* Places in the text: the level's first name, the current one and the one behind it. */
struct entries_level {
	size_t start, current, next;
};

int entries_init(struct entries *e, struct host *host)
{
	*e = (struct entries){.host = host, .block = malloc(BLOCK_SIZE)};
	return e->block ? 0 : error_nomem(BLOCK_SIZE);
}

void entries_release(struct entries *e)
{
	free(e->block);
	buffer_release(&e->text);
	buffer_release(&e->levels);
}

static struct entries_level *innermost(const struct entries *e)
{
	return (struct entries_level *)(e->levels.data + e->levels.len) - 1;
}

static int begin_level(struct entries *e)
{
	const struct entries_level l = {e->text.len, e->text.len, e->text.len};

	return buffer_append(&e->levels, &l, sizeof(l));
}

static int append(struct entries *e, const char *name)
{
	return buffer_append(&e->text, name, strlen(name) + 1);
}

/* The names in the block's first @len bytes. */
static int append_block(struct entries *e, size_t len)
{
	const struct dirent64 *d;
	int ret = 0;

	for (size_t at = 0; !ret && at < len; at += d->d_reclen) {
		d = (const struct dirent64 *)(e->block + at);
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			ret = append(e, d->d_name);
	}
	return ret;
}

static int read_names(struct entries *e, int fd, size_t max)
{
	const struct host_ops *ops = e->host->ops;
	size_t start = e->text.len;
	ssize_t len = ops->seek(e->host, fd, 0, SEEK_SET);
	int ret = 0;

	while (!ret && len >= 0 && e->text.len - start <= max) {
		len = ops->entries(e->host, fd, e->block, BLOCK_SIZE);
		if (!len)
			return 0;
		if (len > 0)
			ret = append_block(e, (size_t)len);
	}
	return len < 0 ? error_errno(errno, "read the directory") : ret;
}

int entries_push(struct entries *e, int fd, size_t max)
{
	int ret = begin_level(e);

	if (ret)
		return ret;
	ret = read_names(e, fd, max);
	if (ret)
		entries_pop(e);
	return ret;
}

int entries_push_one(struct entries *e, const char *name)
{
	int ret = begin_level(e);

	if (ret)
		return ret;
	ret = append(e, name);
	if (ret)
		entries_pop(e);
	return ret;
}

void entries_pop(struct entries *e)
{
	e->text.len = innermost(e)->start;
	e->levels.len -= sizeof(struct entries_level);
}

const char *entries_next(struct entries *e)
{
	struct entries_level *l = innermost(e);

	if (l->next == e->text.len)
		return NULL;
	l->current = l->next;
	l->next += strlen(entries_current(e)) + 1;
	return entries_current(e);
}

const char *entries_current(const struct entries *e)
{
	return (const char *)e->text.data + innermost(e)->current;
}

bool entries_none(const struct entries *e)
{
	return innermost(e)->start == e->text.len;
}
