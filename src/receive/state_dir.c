/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "base/seed.h"
#include "receive/entries.h"
#include "receive/file.h"

/* More than the journal of a tree of which a million nodes could not be made. */
#define CONTENT_MAX (256u << 20)

/* What a file is that this process makes here: filesystems may give everything to one user, and servers may take root's
 * rights away. */
static int look_at_new(struct host *h, int at, struct stat *st)
{
	char name[STATE_FILE_MAX];
	int fd;

	/* Another thread may ask at the same time, and a killed run leaves its file behind. */
	snprintf(name, sizeof(name), "owner.%016llx", (unsigned long long)seed_new());
	fd = h->ops->open(h, at, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;

	int ret = h->ops->stat(h, fd, ".", st) ? -errno : 0;

	h->ops->unlink(h, at, name, 0);
	host_close(h, fd);
	return ret;
}

bool state_dir_is_ours(struct host *h, int at, const struct stat *st)
{
	struct stat made;

	return st->st_uid == h->user || (!look_at_new(h, at, &made) && st->st_uid == made.st_uid);
}

/* @at is the directory in which it lies, or itself. */
static int check_owner(struct host *h, int at, const struct stat *st, const char *name)
{
	if (state_dir_is_ours(h, at, st))
		return 0;
	return error_set(EPERM, "%s is owned by user %lu and not by user %lu, who runs this: what it says is not believed",
			 name, (unsigned long)st->st_uid, (unsigned long)h->user);
}

/* Users' attributes are not everywhere, and the others are the privileged's. */
static const char *const marks[] = {"user.btrfly.state", "trusted.btrfly.state"};

bool state_dir_is_mark(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strcmp(key, marks[i]))
			return true;
	return false;
}

/* 1, 0 or an error. */
static int is_empty(struct host *h, int fd)
{
	struct entries e;
	int ret = entries_init(&e, h);

	if (!ret)
		ret = entries_push(&e, fd, 0);
	if (!ret)
		ret = entries_none(&e);
	entries_release(&e);
	return ret;
}

/* Some filesystems keep no attributes at all. */
static void set_mark(struct host *h, int fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!h->ops->setxattr(h, fd, ".", marks[i], "1", 1))
			return;
}

/* Whether it is marked, or cannot be. */
static bool may_be_marked(struct host *h, int fd, const struct stat *st)
{
	bool possible = false;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		/* Others could have set it themselves where they may write. */
		if (h->ops->getxattr(h, fd, ".", marks[i], NULL, 0) >= 0)
			return !(st->st_mode & 0022);
		/* To ordinary users the privileged's are never there. */
		possible |= errno == ENODATA && (!i || !h->user);
	}
	return !possible;
}

/* Whether nobody else can give what lies in DIR another name. */
static bool is_private(struct host *h, int dir)
{
	struct stat st;

	if (h->ops->stat(h, dir, ".", &st) || (st.st_uid != h->user && st.st_uid))
		return false;
	return !(st.st_mode & 0022) || (st.st_mode & S_ISVTX);
}

/* Some filesystems give everything to one user, or to all, and tell nobody apart. */
static bool keeps_rights(struct host *h, int at)
{
	struct stat st;

	return !look_at_new(h, at, &st) && st.st_uid == h->user && !(st.st_mode & 0077);
}

/* @fd is DIR/.btrfly, which was made just now or was there before. */
static int check_made(struct host *h, int dir, int fd, bool made)
{
	struct stat st;
	int ret = h->ops->stat(h, fd, ".", &st) ? error_errno(errno, "stat %s", STATE_DIRECTORY) : 0;

	if (!ret)
		ret = check_owner(h, fd, &st, STATE_DIRECTORY);
	if (ret)
		return ret;
	/* Another run may have been here since, or it is not what was made. */
	ret = made ? is_empty(h, fd) : 0;
	if (ret < 0)
		return ret;
	if (ret) {
		set_mark(h, fd);
		return 0;
	}
	if (is_private(h, dir) || may_be_marked(h, fd, &st) || !keeps_rights(h, fd))
		return 0;
	return error_set(EPERM, "%s does not bear the mark of what btrfly makes, and others can rename what lies beside it: what "
				"it says is not believed", STATE_DIRECTORY);
}

int state_dir_open(struct host *h, int dir, bool make)
{
	bool made = make && !h->ops->mkdir(h, dir, STATE_DIRECTORY, 0700);
	int fd, ret;

	if (make && !made && errno != EEXIST)
		return error_errno(errno, "create %s", STATE_DIRECTORY);
	fd = h->ops->open(h, dir, STATE_DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return error_errno(errno, "open %s", STATE_DIRECTORY);
	ret = check_made(h, dir, fd, made);
	if (!ret)
		return fd;
	host_close(h, fd);
	return ret;
}

void state_dir_name(char name[STATE_FILE_MAX], const u8 *uuid, const char *suffix)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(uuid, text);
	snprintf(name, STATE_FILE_MAX, "%s%s", text, suffix);
}

int state_dir_open_file(struct host *h, int at, const char *name, int flags)
{
	char text[STATE_FILE_MAX + sizeof(STATE_DIRECTORY)];
	struct stat st;
	int fd, ret;

	snprintf(text, sizeof(text), "%s/%s", STATE_DIRECTORY, name);
	fd = h->ops->open(h, at, name, flags | O_NONBLOCK | O_NOCTTY, STATE_FILE_MODE);
	if (fd < 0)
		return error_errno(errno, "open %s", text);
	ret = h->ops->stat(h, fd, ".", &st) ? error_errno(errno, "stat %s", text) : 0;
	if (!ret && !S_ISREG(st.st_mode))
		ret = error_set(EINVAL, "%s is no regular file", text);
	if (!ret && st.st_nlink > 1)
		ret = error_set(EPERM, "%s has other names, too: what it says is not believed", text);
	if (!ret)
		ret = check_owner(h, at, &st, text);
	if (!ret)
		return fd;
	host_close(h, fd);
	return ret;
}

int state_dir_read(struct host *h, int fd, const char *name, struct buffer *b)
{
	u64 size = 0;
	int ret = file_size(h, fd, &size);

	if (!ret && size > CONTENT_MAX)
		ret = error_set(EFBIG, "%s/%s has %llu bytes, more than %u", STATE_DIRECTORY, name,
				(unsigned long long)size, CONTENT_MAX);
	if (!ret)
		ret = buffer_reserve(b, size);
	for (u64 at = 0; !ret && at < size;) {
		ssize_t n = h->ops->pread(h, fd, b->data + b->len, size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(errno, "read %s/%s", STATE_DIRECTORY, name);
		if (!n)
			break;
		b->len += (size_t)n;
		at += (u64)n;
	}
	return ret;
}

static int write_durably(struct host *h, int fd, const struct buffer *b)
{
	int ret = file_write(h, fd, b->data, b->len, 0);

	if (!ret && h->ops->sync(h, fd))
		ret = error_errno(errno, "flush");
	if (h->ops->close(h, fd) && !ret)
		ret = error_errno(errno, "close");
	return ret;
}

int state_dir_replace(struct host *h, int at, const char *name, const struct buffer *b)
{
	char fresh[STATE_FILE_MAX + 8];
	int fd, ret;

	/* What a killed run left of it may be somebody else's link. */
	snprintf(fresh, sizeof(fresh), "%s.new", name);
	h->ops->unlink(h, at, fresh, 0);
	fd = h->ops->open(h, at, fresh, O_WRONLY | O_CREAT | O_EXCL, STATE_FILE_MODE);
	if (fd < 0)
		return error_errno(errno, "create %s/%s", STATE_DIRECTORY, fresh);
	ret = write_durably(h, fd, b);
	if (ret)
		error_wrap(ret, "%s/%s", STATE_DIRECTORY, fresh);
	else if (h->ops->rename(h, at, fresh, at, name, 0) || host_sync_directory(h, at))
		ret = error_errno(errno, "write %s/%s", STATE_DIRECTORY, name);
	if (ret)
		h->ops->unlink(h, at, fresh, 0);
	return ret;
}
