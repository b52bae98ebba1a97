/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "base/seed.h"
#include "receive/file.h"

/* More than the journal of a tree of which a million nodes could not be made. */
#define CONTENT_MAX (256u << 20)

/* Who owns what this process makes here: filesystems may give everything to one user, and servers may take root's
 * rights away. */
static int owner_here(struct host *h, int at, uid_t *owner)
{
	char name[STATE_FILE_MAX];
	struct stat st;
	int fd;

	/* Another thread may ask at the same time, and a killed run leaves its file behind. */
	snprintf(name, sizeof(name), "owner.%016llx", (unsigned long long)seed_new());
	fd = h->ops->open(h, at, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;

	int ret = h->ops->stat(h, fd, ".", &st) ? -errno : 0;

	h->ops->unlink(h, at, name, 0);
	host_close(h, fd);
	*owner = st.st_uid;
	return ret;
}

bool state_dir_is_ours(struct host *h, int at, const struct stat *st)
{
	uid_t owner = h->user;

	return st->st_uid == owner || (!owner_here(h, at, &owner) && st->st_uid == owner);
}

/* @at is the directory in which it lies, or itself. */
static int check_owner(struct host *h, int at, const struct stat *st, const char *name)
{
	if (state_dir_is_ours(h, at, st))
		return 0;
	return error_set(EPERM, "%s is owned by user %lu and not by user %lu, who runs this: what it says is not believed",
			 name, (unsigned long)st->st_uid, (unsigned long)h->user);
}

int state_dir_open(struct host *h, int dir, bool make)
{
	struct stat st;
	int fd, ret;

	if (make && h->ops->mkdir(h, dir, STATE_DIRECTORY, 0755) && errno != EEXIST)
		return error_errno(errno, "create %s", STATE_DIRECTORY);
	fd = h->ops->open(h, dir, STATE_DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return error_errno(errno, "open %s", STATE_DIRECTORY);
	ret = h->ops->stat(h, fd, ".", &st) ? error_errno(errno, "stat %s", STATE_DIRECTORY) : 0;
	if (!ret)
		ret = check_owner(h, fd, &st, STATE_DIRECTORY);
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
