/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. The file's first @end bytes are the magic number and whole entries.  What goes beyond is cut off: after a failed
 *    write at once, after a kill when it is opened.
 * 2. @fd is locked, and the file that bears @name.  Whoever gets the lock looks whether it still is: its holder may
 *    have removed it, or put a new one in its place, which was locked before it had the name.
 */
#include "receive/journal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "receive/entries.h"
#include "receive/file.h"

#define MAGIC "btrfly-journal-1"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define SUFFIX ".journal"

#define LONG_MIN (1u << 20)  /* shorter journals are left as they are */
#define COLLECT_MAX (1u << 16)
#define TRIES 100 /* against processes that open and remove it in turns */

void journal_init(struct journal *j, struct host *h)
{
	*j = (struct journal){.host = h, .dir = -1, .fd = -1};
}

bool journal_is_open(const struct journal *j)
{
	return j->fd >= 0;
}

bool journal_is_new(const struct journal *j)
{
	return j->fd >= 0 && j->end == MAGIC_SIZE;
}

struct buffer *journal_buffer(struct journal *j)
{
	return &j->out;
}

static bool look_through(struct host *h, int fd, const char *name, bool (*wanted)(void *arg, struct entry *e), void *arg)
{
	struct buffer b = {0};
	struct entry e;
	bool found = false;

	if (!state_dir_read(h, fd, name, &b))
		for (size_t at = MAGIC_SIZE; at < b.len && entry_next(b.data, b.len, &at, &e) == 1;)
			found |= wanted(arg, &e);
	buffer_release(&b);
	return found;
}

static bool note_process(void *arg, struct entry *e)
{
	if (e->type == ENTRY_RUN)
		*(u64 *)arg = entry_u64(e);
	return false;
}

static int busy(struct journal *j, int fd)
{
	u64 pid = 0;

	look_through(j->host, fd, j->name, note_process, &pid);

	if (pid)
		return error_set(EBUSY, "process %llu is receiving this subvolume here", (unsigned long long)pid);
	return error_set(EBUSY, "another process is receiving this subvolume here");
}

static bool is_busy(struct host *h, int at, const char *name, bool (*wanted)(void *arg, struct entry *e), void *arg)
{
	size_t len = strlen(name), suffix = sizeof(SUFFIX) - 1;
	int fd;
	bool found;

	if (len < suffix || len >= STATE_FILE_MAX || strcmp(name + len - suffix, SUFFIX))
		return false;
	fd = state_dir_open_file(h, at, name, O_RDONLY);
	if (fd < 0)
		return false;
	found = h->ops->lock(h, fd) && errno == EWOULDBLOCK && look_through(h, fd, name, wanted, arg);
	host_close(h, fd);
	return found;
}

bool journal_find_busy(const struct journal *own, int dir, bool (*wanted)(void *arg, struct entry *e), void *arg)
{
	struct host *h = own->host;
	int at = state_dir_open(h, dir, false);
	struct entries names;
	const char *name;
	bool found = false;

	if (at < 0)
		return false;
	if (!entries_init(&names, h) && !entries_push(&names, at, SIZE_MAX))
		while (!found && (name = entries_next(&names)))
			found = strcmp(name, own->name) && is_busy(h, at, name, wanted, arg);
	entries_release(&names);
	host_close(h, at);
	return found;
}

/* 1 where the file @fd bears the name, 0 where another does, or none, or an error. */
static int bears_name(struct journal *j, int fd)
{
	struct host *h = j->host;
	struct stat mine, named;

	if (h->ops->stat(h, fd, ".", &mine))
		return error_errno(errno, "stat %s/%s", STATE_DIRECTORY, j->name);
	if (h->ops->stat(h, j->dir, j->name, &named))
		return errno == ENOENT ? 0 : error_errno(errno, "stat %s/%s", STATE_DIRECTORY, j->name);
	return named.st_ino == mine.st_ino;
}

/* 0, -EAGAIN where it is not the file of that name any more, or an error. */
static int lock(struct journal *j, int fd)
{
	struct host *h = j->host;
	int ret;

	/* Where nothing can be locked, nothing more can be done. */
	if (h->ops->lock(h, fd) && errno == EWOULDBLOCK)
		return busy(j, fd);
	ret = bears_name(j, fd);
	return ret == 1 ? 0 : ret ? ret : -EAGAIN;
}

static int open_once(struct journal *j, bool make)
{
	int fd = state_dir_open_file(j->host, j->dir, j->name, O_RDWR | (make ? O_CREAT : 0));
	int ret = fd < 0 ? fd : lock(j, fd);

	if (ret) {
		if (fd >= 0)
			host_close(j->host, fd);
		return ret;
	}
	j->fd = fd;
	return 0;
}

static int open_locked(struct journal *j, bool make)
{
	for (int i = 0; i < TRIES; i++) {
		int ret = open_once(j, make);

		if (ret != -EAGAIN)
			return ret;
	}
	return error_set(EBUSY, "other processes keep making and removing %s/%s", STATE_DIRECTORY, j->name);
}

static int put_magic(struct journal *j)
{
	int ret = file_write(j->host, j->fd, MAGIC, MAGIC_SIZE, 0);

	if (ret)
		return error_wrap(ret, "%s/%s", STATE_DIRECTORY, j->name);
	j->end = MAGIC_SIZE;
	return 0;
}

static int open_in(struct journal *j, int dir, const u8 *uuid, bool make)
{
	struct host *h = j->host;
	u64 size = 0;
	int ret;

	j->dir = state_dir_open(h, dir, make);
	if (j->dir < 0)
		return j->dir;
	state_dir_name(j->name, uuid, SUFFIX);
	ret = open_locked(j, make);
	if (!ret)
		ret = file_size(h, j->fd, &size);
	if (!ret && !size && make)
		ret = put_magic(j);
	if (ret)
		journal_release(j);
	return ret;
}

int journal_open(struct journal *j, int dir, const u8 *uuid, bool make)
{
	int ret = -ENOENT;

	journal_release(j);
	/* Whoever received another subvolume here takes the directory away when it is empty. */
	for (int i = 0; ret == -ENOENT && i < (make ? TRIES : 1); i++)
		ret = open_in(j, dir, uuid, make);
	return ret;
}

static int damaged(const struct journal *j)
{
	return error_set(EINVAL, "%s/%s is damaged: remove it and begin anew", STATE_DIRECTORY, j->name);
}

static int read_entries(struct journal *j, const struct buffer *b, int (*each)(void *arg, struct entry *e), void *arg)
{
	size_t at = MAGIC_SIZE;
	struct entry e;
	int ret;

	/* Killed in the midst of its first write. */
	if (b->len < MAGIC_SIZE && !memcmp(b->data, MAGIC, b->len))
		return put_magic(j);
	if (b->len < MAGIC_SIZE || memcmp(b->data, MAGIC, MAGIC_SIZE))
		return damaged(j);
	j->end = at;
	while ((ret = entry_next(b->data, b->len, &at, &e)) == 1) {
		ret = each(arg, &e);
		if (!ret && e.bad)
			ret = -EINVAL;
		if (ret)
			return ret == -EINVAL ? damaged(j) : ret;
		j->end = at;
	}
	if (ret)
		return damaged(j);
	j->fresh = at;
	if (at < b->len && j->host->ops->truncate(j->host, j->fd, (off_t)at))
		return error_errno(errno, "truncate %s/%s", STATE_DIRECTORY, j->name);
	return 0;
}

int journal_read(struct journal *j, int (*each)(void *arg, struct entry *e), void *arg)
{
	struct buffer b = {0};
	int ret = buffer_reserve(&b, MAGIC_SIZE);

	if (!ret)
		ret = state_dir_read(j->host, j->fd, j->name, &b);
	if (!ret)
		ret = read_entries(j, &b, each, arg);
	buffer_release(&b);
	return ret;
}

static int flush(struct journal *j)
{
	int ret = 0;

	if (!j->out.len)
		return 0;
	if (j->fd >= 0)
		ret = file_write(j->host, j->fd, j->out.data, j->out.len, j->end);
	if (ret) {
		error_wrap(ret, "%s/%s", STATE_DIRECTORY, j->name);
		/* If this fails as well, what is there too much has no whole entry at its end. */
		j->host->ops->truncate(j->host, j->fd, (off_t)j->end);
	} else {
		j->end += j->out.len;
	}
	buffer_clear(&j->out);
	return ret;
}

int journal_append(struct journal *j, struct entry_writer *w)
{
	int ret = entry_end(w);

	if (ret)
		return ret;
	return j->collecting && j->out.len < COLLECT_MAX ? 0 : flush(j);
}

int journal_advance(struct journal *j, u64 commands, u64 digest)
{
	struct entry_writer w;
	int ret;

	if (j->fd < 0)
		return 0;
	entry_begin(&w, &j->out, ENTRY_ADVANCE);
	entry_put_u64(&w, commands);
	entry_put_u64(&w, digest);
	entry_put(&w, j->pending.data, j->pending.len);
	ret = journal_append(j, &w);
	if (!ret)
		buffer_clear(&j->pending);
	return ret;
}

bool journal_is_long(const struct journal *j)
{
	return j->fd >= 0 && j->end > 2 * j->fresh + LONG_MIN;
}

/* A new file in the journal's place, which is locked already when it comes there. */
static int write_anew(struct journal *j, const char *fresh, int (*fill)(void *arg), void *arg)
{
	struct host *h = j->host;
	int ret;

	h->ops->unlink(h, j->dir, fresh, 0);
	j->fd = h->ops->open(h, j->dir, fresh, O_RDWR | O_CREAT | O_EXCL, STATE_FILE_MODE);
	if (j->fd < 0)
		return error_errno(errno, "create %s/%s", STATE_DIRECTORY, fresh);
	h->ops->lock(h, j->fd);
	ret = put_magic(j);
	if (ret)
		return ret;
	j->collecting = true;
	ret = fill(arg);
	if (!ret)
		ret = flush(j);
	j->collecting = false;
	/* A crash of the machine must not leave the name with nothing behind it. */
	if (!ret && h->ops->sync(h, j->fd))
		ret = error_errno(errno, "flush %s/%s", STATE_DIRECTORY, fresh);
	if (!ret && h->ops->rename(h, j->dir, fresh, j->dir, j->name, 0))
		ret = error_errno(errno, "write %s/%s", STATE_DIRECTORY, j->name);
	return ret;
}

int journal_rewrite(struct journal *j, int (*fill)(void *arg), void *arg)
{
	char fresh[STATE_FILE_MAX + 8];
	const int fd = j->fd;
	const u64 end = j->end;
	int ret;

	if (fd < 0)
		return 0;
	snprintf(fresh, sizeof(fresh), "%s.new", j->name);
	ret = write_anew(j, fresh, fill, arg);
	if (!ret) {
		host_close(j->host, fd);
	} else {
		buffer_clear(&j->out);
		if (j->fd >= 0)
			host_close(j->host, j->fd);
		j->host->ops->unlink(j->host, j->dir, fresh, 0);
		j->fd = fd;
		j->end = end;
	}
	j->fresh = j->end;
	return ret;
}

int journal_sync(struct journal *j)
{
	if (j->fd >= 0 && (j->host->ops->sync(j->host, j->fd) || host_sync_directory(j->host, j->dir)))
		return error_errno(errno, "flush %s/%s", STATE_DIRECTORY, j->name);
	return 0;
}

void journal_release(struct journal *j)
{
	if (j->fd >= 0)
		host_close(j->host, j->fd);
	if (j->dir >= 0)
		host_close(j->host, j->dir);
	buffer_release(&j->pending);
	buffer_release(&j->out);
	journal_init(j, j->host);
}

int journal_remove(struct journal *j)
{
	int ret = j->fd >= 0 ? bears_name(j, j->fd) : 0;

	/* Somebody may have removed it, and another process made one of its own. */
	if (ret == 1) {
		ret = j->host->ops->unlink(j->host, j->dir, j->name, 0) && errno != ENOENT ? -errno : 0;
		if (ret)
			error_errno(-ret, "remove %s/%s", STATE_DIRECTORY, j->name);
	}
	journal_release(j);
	return ret;
}
