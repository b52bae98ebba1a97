/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "receive/file.h"

#define FORMAT "btrfly-received-1"
#define RECORD_MAX (64u << 20)

int record_directory(struct host *host, int dir, bool make)
{
	if (make && host->ops->mkdir(host, dir, RECORD_DIRECTORY, 0755) && errno != EEXIST)
		return error_errno(errno, "create %s", RECORD_DIRECTORY);

	int fd = host->ops->open(host, dir, RECORD_DIRECTORY, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? error_errno(errno, "open %s", RECORD_DIRECTORY) : fd;
}

int record_read_file(struct host *host, int dir, const char *name, struct buffer *b)
{
	int fd = host->ops->open(host, dir, name, O_RDONLY | O_NONBLOCK, 0);
	int ret = fd < 0 ? error_errno(errno, "open %s/%s", RECORD_DIRECTORY, name) : 0;
	u64 size = 0;

	if (!ret)
		ret = file_size(host, fd, &size);
	if (!ret && size > RECORD_MAX)
		ret = error_set(EINVAL, "%s/%s has %llu bytes, more than %u", RECORD_DIRECTORY, name,
				(unsigned long long)size, RECORD_MAX);
	if (!ret)
		ret = buffer_reserve(b, size + 1);
	while (!ret && b->len < size) {
		ssize_t n = host->ops->pread(host, fd, b->data + b->len, size - b->len, (off_t)b->len);

		if (n <= 0)
			ret = error_errno(n ? errno : EIO, "read %s/%s", RECORD_DIRECTORY, name);
		else
			b->len += n;
	}
	if (fd >= 0)
		host_close(host, fd);
	return ret;
}

/* The next string of the file, NULL at its end or where it is damaged. */
static const char *next(const struct buffer *b, size_t *at)
{
	const char *text = (const char *)b->data + *at;
	const char *end = *at < b->len ? memchr(text, '\0', b->len - *at) : NULL;

	if (!end)
		return NULL;
	*at += end - text + 1;
	return text;
}

static int parse(struct record *r, const struct buffer *b)
{
	size_t at = 0;
	const char *format = next(b, &at), *transid = next(b, &at), *name = next(b, &at), *path;
	int ret = 0;

	if (!name || strcmp(format, FORMAT) || !*name || strlen(name) >= sizeof(r->name) ||
	    strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	r->ctransid = strtoull(transid, NULL, 10);
	memcpy(r->name, name, strlen(name) + 1);
	while (!ret && (path = next(b, &at)))
		ret = path_table_put(&r->missing, path, strlen(path), 0);
	if (!ret && at != b->len)
		ret = -EINVAL;
	return ret;
}

int record_read(struct record *r, struct host *host, int dir, const u8 *uuid)
{
	char text[UUID_STR_LEN];
	struct buffer b = {0};

	*r = (struct record){0};
	memcpy(r->uuid, uuid, sizeof(r->uuid));
	uuid_unparse_lower(uuid, text);

	int at = record_directory(host, dir, false);
	int ret = at < 0 ? at : record_read_file(host, at, text, &b);

	if (!ret && parse(r, &b))
		ret = error_set(EINVAL, "%s/%s is damaged", RECORD_DIRECTORY, text);
	if (at >= 0)
		host_close(host, at);
	buffer_release(&b);
	if (ret)
		record_release(r);
	return ret;
}

static int append(struct buffer *b, const char *text)
{
	return buffer_append(b, text, strlen(text) + 1);
}

static int format(const struct record *r, struct buffer *b)
{
	char transid[32];
	struct path_entry *e = NULL;
	int ret = append(b, FORMAT);

	snprintf(transid, sizeof(transid), "%llu", (unsigned long long)r->ctransid);
	if (!ret)
		ret = append(b, transid);
	if (!ret)
		ret = append(b, r->name);
	while (!ret && (e = path_table_next(&r->missing, e)))
		ret = append(b, e->text);
	return ret;
}

int record_replace(struct host *host, int dir, const char *name, const struct buffer *b, bool durable)
{
	char fresh[NAME_MAX + 1];

	snprintf(fresh, sizeof(fresh), "%s.new", name);

	int fd = host->ops->open(host, dir, fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int ret = fd < 0 ? error_errno(errno, "create %s/%s", RECORD_DIRECTORY, fresh) : 0;

	if (!ret)
		ret = file_write(host, fd, b->data, b->len, 0);
	if (!ret && durable && host->ops->sync(host, fd))
		ret = error_errno(errno, "flush %s/%s", RECORD_DIRECTORY, fresh);
	if (fd >= 0 && host->ops->close(host, fd) && !ret)
		ret = error_errno(errno, "close %s/%s", RECORD_DIRECTORY, fresh);
	if (!ret && (host->ops->rename(host, dir, fresh, dir, name, 0) ||
		     (durable && host->ops->sync(host, dir))))
		ret = error_errno(errno, "write %s/%s", RECORD_DIRECTORY, name);
	return ret;
}

int record_write(const struct record *r, struct host *host, int dir)
{
	char text[UUID_STR_LEN];
	struct buffer b = {0};
	int at = record_directory(host, dir, true);
	int ret = at < 0 ? at : format(r, &b);

	uuid_unparse_lower(r->uuid, text);
	if (!ret)
		ret = record_replace(host, at, text, &b, true);
	if (at >= 0)
		host_close(host, at);
	buffer_release(&b);
	return ret;
}

void record_release(struct record *r)
{
	path_table_release(&r->missing);
}
