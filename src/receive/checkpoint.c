/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file: a header of fixed size, of which checkpoint_advance() writes eight and eight bytes in one
 * call; then strings with a NUL behind each: the partial tree's name, and the notes: "m" or "f" in front
 * of a path, with the flags as a number and ":" behind the "f", and "t" in front of the root's times.
 */
#include "receive/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "receive/file.h"
#include "receive/record.h"

#define MAGIC "btrfly-partial-1"

struct checkpoint_header {
	char magic[16];
	char boot[48]; /* of /proc/sys/kernel/random/boot_id, zero-filled */
	le64 commands;
	le64 digest;
};

/* Which run of the machine this is; all zero where it is not to be known. */
static void read_boot(char boot[48])
{
	static char cached[48];
	static bool known;

	if (!known) {
		int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

		known = true;
		if (fd >= 0) {
			if (read(fd, cached, sizeof(cached) - 1) < 0)
				memset(cached, 0, sizeof(cached));
			close(fd);
		}
	}
	memcpy(boot, cached, sizeof(cached));
}

void checkpoint_prepare(void)
{
	char boot[48];

	read_boot(boot);
}

static int append_path(struct buffer *b, const char *front, const struct path_entry *e)
{
	int ret = buffer_append(b, front, strlen(front));

	return ret ? ret : buffer_append(b, e->text, e->len + 1);
}

static int append_times(struct buffer *b, const struct timespec times[2])
{
	char text[128];
	int len = snprintf(text, sizeof(text), "t%lld %ld %lld %ld", (long long)times[0].tv_sec,
			   times[0].tv_nsec, (long long)times[1].tv_sec, times[1].tv_nsec);

	return buffer_append(b, text, (size_t)len + 1);
}

static int format(const struct checkpoint *c, const struct tree_notes *n, struct buffer *b)
{
	struct checkpoint_header h = {.magic = MAGIC, .commands = le64_of(c->commands),
				      .digest = le64_of(c->digest)};
	struct path_entry *e = NULL;
	char front[32];
	int ret;

	read_boot(h.boot);
	ret = buffer_append(b, &h, sizeof(h));
	if (!ret)
		ret = buffer_append(b, c->partial, strlen(c->partial) + 1);
	while (!ret && (e = path_table_next(&n->missing, e)))
		ret = append_path(b, "m", e);
	e = NULL;
	while (!ret && (e = path_table_next(&n->flags, e))) {
		snprintf(front, sizeof(front), "f%llu:", (unsigned long long)e->value);
		ret = append_path(b, front, e);
	}
	if (!ret && n->has_times)
		ret = append_times(b, n->times);
	return ret;
}

int checkpoint_save(struct checkpoint *c, const struct tree_notes *n)
{
	struct host *host = c->host;
	struct buffer b = {0};
	int ret = format(c, n, &b);

	if (c->fd >= 0)
		host_close(host, c->fd);
	c->fd = -1;
	if (!ret)
		ret = record_replace(host, c->dir, c->file, &b, false);
	buffer_release(&b);
	if (ret)
		return ret;
	c->fd = host->ops->open(host, c->dir, c->file, O_RDWR, 0);
	return c->fd < 0 ? error_errno(errno, "open %s/%s", RECORD_DIRECTORY, c->file) : 0;
}

static void set_file(struct checkpoint *c, const u8 *uuid)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(uuid, text);
	snprintf(c->file, sizeof(c->file), "%s.partial", text);
}

int checkpoint_create(struct checkpoint *c, struct host *host, int dir, const u8 *uuid, const char *partial)
{
	static const struct tree_notes nothing;

	checkpoint_init(c);
	c->host = host;
	c->dir = record_directory(host, dir, true);
	if (c->dir < 0)
		return c->dir;
	set_file(c, uuid);
	snprintf(c->partial, sizeof(c->partial), "%s", partial);
	return checkpoint_save(c, &nothing);
}

int checkpoint_advance(struct checkpoint *c, u64 commands, u64 digest)
{
	le64 both[2] = {le64_of(commands), le64_of(digest)};

	c->commands = commands;
	c->digest = digest;
	return file_write(c->host, c->fd, both, sizeof(both), offsetof(struct checkpoint_header, commands));
}

/* The file's header, and its strings behind it in @b. */
static int read_whole(struct checkpoint *c, struct checkpoint_header *h, struct buffer *b)
{
	int ret = record_read_file(c->host, c->dir, c->file, b);

	if (ret)
		return ret;
	if (b->len < sizeof(*h) + 1 || b->data[b->len - 1])
		return error_set(EINVAL, "%s/%s is damaged", RECORD_DIRECTORY, c->file);
	memcpy(h, b->data, sizeof(*h));
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)))
		return error_set(EINVAL, "%s/%s is damaged", RECORD_DIRECTORY, c->file);
	return 0;
}

int checkpoint_open(struct checkpoint *c, struct host *host, int dir, const u8 *uuid)
{
	struct checkpoint_header h;
	struct buffer b = {0};
	char boot[48];
	int ret;

	checkpoint_init(c);
	c->host = host;
	c->dir = record_directory(host, dir, false);
	if (c->dir < 0)
		return c->dir;
	set_file(c, uuid);
	ret = read_whole(c, &h, &b);
	read_boot(boot);
	if (!ret && (memcmp(boot, h.boot, sizeof(boot)) || !*boot))
		ret = error_set(ESTALE, "the machine was started again since, and what of the partial tree "
					"reached the disk is not known: remove it and begin anew");
	if (!ret) {
		snprintf(c->partial, sizeof(c->partial), "%s", (char *)b.data + sizeof(h));
		c->commands = le64_get(h.commands);
		c->digest = le64_get(h.digest);
		c->fd = host->ops->open(host, c->dir, c->file, O_RDWR, 0);
		if (c->fd < 0)
			ret = error_errno(errno, "open %s/%s", RECORD_DIRECTORY, c->file);
	}
	buffer_release(&b);
	if (ret)
		checkpoint_release(c);
	return ret;
}

/* One string behind the first. */
static int load_note(struct tree_notes *n, const char *text)
{
	struct timespec t[2];
	long long a, m;
	char *path;
	u64 value;

	switch (*text) {
	case 'm':
		return path_table_put(&n->missing, text + 1, strlen(text + 1), 0);
	case 'f':
		value = strtoull(text + 1, &path, 10);
		path += *path == ':';
		return path_table_put(&n->flags, path, strlen(path), value);
	case 't':
		if (sscanf(text, "t%lld %ld %lld %ld", &a, &t[0].tv_nsec, &m, &t[1].tv_nsec) != 4)
			return -EINVAL;
		t[0].tv_sec = a;
		t[1].tv_sec = m;
		tree_notes_set_times(n, t[0], t[1]);
		return 0;
	}
	return -EINVAL;
}

int checkpoint_load(struct checkpoint *c, struct tree_notes *n)
{
	struct checkpoint_header h;
	struct buffer b = {0};
	int ret = read_whole(c, &h, &b);

	for (size_t at = sizeof(h) + strlen(c->partial) + 1; !ret && at < b.len;) {
		ret = load_note(n, (char *)b.data + at);
		if (ret == -EINVAL)
			error_set(EINVAL, "%s/%s is damaged", RECORD_DIRECTORY, c->file);
		at += strlen((char *)b.data + at) + 1;
	}
	buffer_release(&b);
	return ret;
}

void checkpoint_release(struct checkpoint *c)
{
	struct host *host = c->host;

	if (c->fd >= 0)
		host_close(host, c->fd);
	if (c->dir >= 0)
		host_close(host, c->dir);
	checkpoint_init(c);
}

void checkpoint_remove(struct checkpoint *c)
{
	struct host *host = c->host;

	if (c->dir >= 0)
		host->ops->unlink(host, c->dir, c->file, 0);
	checkpoint_release(c);
}
