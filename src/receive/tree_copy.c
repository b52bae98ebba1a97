/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. @path is the file at hand in both trees; both are reached by it through struct beneath, so no
 *    more than a few directories are open however deep the tree is.
 * 2. A directory gets its attributes behind everything in it: its times stay, and a default ACL is
 *    not handed down.
 * 3. A file with several names is copied at the first one met, and linked to that at the others.
 */
#include "receive/tree_copy.h"

#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/escape.h"
#include "receive/beneath.h"
#include "receive/entries.h"
#include "receive/file.h"
#include "receive/flags.h"
#include "receive/grant.h"

#define XATTR_LIST_MAX 65536
#define XATTR_VALUE_MAX 65536

/* A file with several names. */
struct linked {
	struct map_node node; /* by inode number */
	size_t len;
	char text[]; /* the name under which it was copied */
};

struct tree_copy {
	struct host *host;
	struct beneath from, to;
	struct tree_path path;
	struct map linked;
	struct tree_notes *notes;
	dev_t device;
	struct file_copier copier;
	bool no_reflinks;
	char *list, *value; /* extended attributes */
	struct entries entries;
};

static int copy_directory(struct tree_copy *c);

/* One more component; the caller cuts it off again with leave(). */
static int enter(struct tree_copy *c, const char *name)
{
	size_t n = strlen(name), at = c->path.len ? c->path.len + 1 : 0;

	if (at + n > TREE_PATH_MAX)
		return error_set(ENAMETOOLONG, "the path is longer than %u", TREE_PATH_MAX);
	if (at)
		c->path.text[at - 1] = '/';
	memcpy(c->path.text + at, name, n + 1);
	c->path.parent_len = c->path.len;
	c->path.len = at + n;
	return 0;
}

static void leave(struct tree_copy *c)
{
	const char *slash;

	c->path.len = c->path.parent_len;
	c->path.text[c->path.len] = '\0';
	slash = strrchr(c->path.text, '/');
	c->path.parent_len = slash ? slash - c->path.text : 0;
}

/* The attribute's length, or a negative errno. */
static int try_read_xattr(struct tree_copy *c, int from, const char *name, const char *key)
{
	ssize_t n = c->host->ops->getxattr(c->host, from, name, key, c->value, XATTR_VALUE_MAX);

	return n < 0 ? -errno : (int)n;
}

/* Users' attributes are read with the right to read the file. */
static int read_xattr(struct tree_copy *c, int from, const char *name, const char *key)
{
	int n = try_read_xattr(c, from, name, key);
	struct grant g;

	if (n == -EACCES && grant_begin(&g, c->host, from, name))
		n = grant_end(&g, try_read_xattr(c, from, name, key));
	return n;
}

/* Access lists, or all other attributes. */
static int copy_some_xattrs(struct tree_copy *c, int from, int to, const char *name, ssize_t len,
			    bool access)
{
	struct host *host = c->host;

	for (char *key = c->list; key < c->list + len; key += strlen(key) + 1) {
		if (!strncmp(key, "system.posix_acl_", 17) != access)
			continue;

		int n = read_xattr(c, from, name, key);

		if (n < 0)
			return error_errno(-n, "read an attribute");
		/* What is not to be set here the parent has from the host, not from a stream. */
		if (host->ops->setxattr(host, to, name, key, c->value, (size_t)n) && errno != EPERM &&
		    errno != EOPNOTSUPP)
			return error_errno(errno, "set an attribute");
	}
	return 0;
}

/* The access list may take the right to set more from the owner himself, so it comes last. */
static int copy_xattrs(struct tree_copy *c, int from, int to, const char *name)
{
	struct host *host = c->host;
	ssize_t len = host->ops->listxattr(host, from, name, c->list, XATTR_LIST_MAX);
	int ret;

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : error_errno(errno, "list the attributes");
	ret = copy_some_xattrs(c, from, to, name, len, false);
	return ret ? ret : copy_some_xattrs(c, from, to, name, len, true);
}

/* What a filesystem says that has no flags, or not this one. */
static bool lacks_flags(int ret)
{
	return ret == -EOPNOTSUPP || ret == -ENOTTY || ret == -EINVAL || ret == -ENOSYS || ret == -EPERM;
}

/* Flags last: they may forbid all else. */
static int copy_flags(struct tree_copy *c, int from, int to, const char *name)
{
	u32 flags;
	int ret = flags_read(c->host, from, name, &flags);

	if (lacks_flags(ret))
		return 0;
	if (ret)
		return error_errno(-ret, "read the flags");
	if (!flags)
		return 0;
	if (flags & FLAGS_THAT_FORBID) {
		const struct note forbid = {.flags = flags & FLAGS_THAT_FORBID};

		ret = tree_notes_put(c->notes, &c->path, &forbid);
		if (ret)
			return ret;
	}
	ret = flags_change(c->host, to, name, ~FLAGS_THAT_FORBID, flags & ~FLAGS_THAT_FORBID);
	return !ret || lacks_flags(ret) ? 0 : error_errno(-ret, "set the flags");
}

static int copy_attributes(struct tree_copy *c, int from, int to, const char *name,
			   const struct stat *st)
{
	struct host *host = c->host;
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	int ret;

	/* A user's copy is his, as the parent is. */
	if (host->ops->chown(host, to, name, st->st_uid, st->st_gid) && errno != EPERM)
		return error_errno(errno, "chown");
	ret = copy_xattrs(c, from, to, name);
	if (ret)
		return ret;
	if (!S_ISLNK(st->st_mode) && host->ops->chmod(host, to, name, st->st_mode & 07777))
		return error_errno(errno, "chmod");
	if (host->ops->utimens(host, to, name, times))
		return error_errno(errno, "set the times");
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? copy_flags(c, from, to, name) : 0;
}

static int copy_content(struct tree_copy *c, int source, int fd, u64 size)
{
	if (!c->no_reflinks) {
		if (!size || !c->host->ops->ioctl(c->host, fd, FICLONE, (void *)(uintptr_t)source))
			return 0;
		c->no_reflinks = errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV;
	}
	return file_copy(&c->copier, source, 0, size, fd, 0);
}

static int open_source(struct host *host, int dir, const char *name)
{
	int fd = host->ops->open(host, dir, name, O_RDONLY | O_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int copy_file(struct tree_copy *c, int from, int to, const char *name, const struct stat *st)
{
	struct host *host = c->host;
	int source = open_source(host, from, name);
	struct grant g;

	if (source == -EACCES && grant_begin(&g, host, from, name))
		source = grant_end_open(&g, open_source(host, from, name));
	if (source < 0)
		return error_errno(-source, "open");

	int fd = host->ops->open(host, to, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	int ret = fd < 0 ? error_errno(errno, "create") : 0;

	if (!ret)
		ret = copy_content(c, source, fd, (u64)st->st_size);
	if (fd >= 0 && host->ops->close(host, fd) && !ret)
		ret = error_errno(errno, "close");
	host_close(host, source);
	return ret;
}

static int copy_symlink(struct host *host, int from, int to, const char *name)
{
	char target[TREE_PATH_MAX + 1];
	ssize_t n = host->ops->readlink(host, from, name, target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target))
		return error_errno(n < 0 ? errno : ENAMETOOLONG, "read the symlink");
	target[n] = '\0';
	return host->ops->symlink(host, target, to, name) ? error_errno(errno, "create") : 0;
}

/* The directory of the first name may be whole already, and closed. */
static int link_granted(struct host *host, int from, const char *first, int to, const char *name)
{
	int ret = host->ops->link(host, from, first, to, name) ? -errno : 0;
	struct grant g;

	if (ret == -EACCES && grant_begin(&g, host, from, NULL)) {
		ret = host->ops->link(host, from, first, to, name) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	return ret;
}

/* 1 when the file was linked to its copy under another name. */
static int link_to_copy(struct tree_copy *c, int to, const char *name, const struct stat *st)
{
	struct map_node *n = map_find(&c->linked, st->st_ino);
	size_t len = c->path.len;
	struct linked *l;

	if (n) {
		struct tree_path first;

		l = CONTAINER_OF(n, struct linked, node);

		int ret = tree_path_set(&first, (struct stream_bytes){l->text, (u32)l->len});
		int dir = ret ? ret : beneath_parent(&c->to, &first);

		if (dir < 0)
			return dir;
		ret = link_granted(c->host, dir, tree_path_name(&first), to, name);
		return ret ? error_errno(-ret, "link") : 1;
	}
	l = malloc(sizeof(*l) + len + 1);
	if (!l)
		return error_nomem(sizeof(*l) + len + 1);
	l->len = len;
	memcpy(l->text, c->path.text, len + 1);
	map_add(&c->linked, &l->node, st->st_ino);
	return 0;
}

static int make_copy(struct tree_copy *c, int from, int to, const char *name, const struct stat *st)
{
	struct host *host = c->host;

	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(c, from, to, name, st);
	case S_IFLNK:
		return copy_symlink(host, from, to, name);
	case S_IFDIR:
		if (host->ops->mkdir(host, to, name, 0700))
			return error_errno(errno, "create");
		/* What is mounted there is no part of the tree. */
		return st->st_dev == c->device ? copy_directory(c) : 0;
	}
	if (!host->ops->mknod(host, to, name, st->st_mode & (S_IFMT | 0600), st->st_rdev))
		return 0;
	return error_errno(errno, "create");
}

/* The file at c->path. */
static int copy_entry(struct tree_copy *c)
{
	int from = beneath_parent(&c->from, &c->path);
	int to = from < 0 ? from : beneath_parent(&c->to, &c->path);
	const char *name = tree_path_name(&c->path);
	struct stat st;
	int ret = 0;

	if (to < 0)
		return to;
	if (c->host->ops->stat(c->host, from, name, &st))
		return error_errno(errno, "stat");
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		ret = link_to_copy(c, to, name, &st);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	ret = make_copy(c, from, to, name, &st);
	if (!ret && S_ISDIR(st.st_mode)) {
		/* Far below, other directories were opened instead of these two. */
		from = beneath_parent(&c->from, &c->path);
		to = from < 0 ? from : beneath_parent(&c->to, &c->path);
		ret = to < 0 ? to : 0;
	}
	return ret ? ret : copy_attributes(c, from, to, name, &st);
}

/* A directory that its owner closed to himself, opened up while it is copied. */
struct opened_up {
	int fd; /* -1: it was open enough */
	mode_t mode;
};

static int open_up(struct host *host, int dir, struct opened_up *o)
{
	struct stat st;

	o->fd = -1;
	if (!host->user || host->ops->stat(host, dir, ".", &st) || st.st_uid != host->user ||
	    (st.st_mode & 0500) == 0500)
		return 0;
	o->mode = st.st_mode & 07777;
	if (host->ops->chmod(host, dir, ".", o->mode | 0500))
		return error_errno(errno, "open the directory up");
	o->fd = host->ops->open(host, dir, ".", O_RDONLY | O_DIRECTORY, 0);
	if (o->fd < 0)
		return error_errno(errno, "open the directory up");
	return 0;
}

static void close_again(struct host *host, struct opened_up *o)
{
	if (o->fd < 0)
		return;
	host->ops->chmod(host, o->fd, ".", o->mode);
	host_close(host, o->fd);
}

/* The names in the directory @dir, one behind the other and each with its NUL. */
static int read_names(struct tree_copy *c, int dir, struct buffer *names)
{
	const char *name;
	int ret = entries_start(&c->entries, dir);

	while (!ret && (ret = entries_next(&c->entries, &name)) > 0)
		ret = buffer_append(names, name, strlen(name) + 1);
	return ret;
}

/* The directory at c->path itself: the one in which its "." lies. */
static int source_directory(struct tree_copy *c)
{
	int ret = enter(c, ".");

	if (ret)
		return ret;
	ret = beneath_parent(&c->from, &c->path);
	leave(c);
	return ret;
}

/* Recursion is bounded by the path's length: at most a directory for every second byte. */
static int copy_directory(struct tree_copy *c)
{
	struct buffer names = {0};
	struct opened_up up;
	int dir = source_directory(c);
	int ret = dir < 0 ? dir : open_up(c->host, dir, &up);

	if (ret)
		return ret;
	ret = read_names(c, dir, &names);
	for (size_t at = 0; !ret && at < names.len;) {
		const char *name = (const char *)names.data + at;

		at += strlen(name) + 1;
		ret = enter(c, name);
		if (!ret)
			ret = copy_entry(c);
		if (!ret)
			leave(c);
	}
	close_again(c->host, &up);
	buffer_release(&names);
	return ret;
}

static int copy_root(struct tree_copy *c, int from, int to)
{
	struct stat st;
	int ret;

	if (c->host->ops->stat(c->host, from, ".", &st))
		return error_errno(errno, "stat");
	c->device = st.st_dev;
	ret = copy_directory(c);
	return ret ? ret : copy_attributes(c, from, to, ".", &st);
}

int tree_copy(struct host *host, int from, int to, struct tree_notes *notes)
{
	struct tree_copy c = {.host = host, .notes = notes};
	struct map_node *n;
	int ret = map_init(&c.linked);

	if (ret)
		return ret;
	file_copier_init(&c.copier, host);
	beneath_init(&c.from, host, from);
	beneath_init(&c.to, host, to);
	c.list = malloc(XATTR_LIST_MAX);
	c.value = malloc(XATTR_VALUE_MAX);
	ret = c.list && c.value ? entries_init(&c.entries, host) : error_nomem(XATTR_VALUE_MAX);
	if (!ret)
		ret = copy_root(&c, from, to);
	if (ret < 0 && c.path.len) {
		char text[512];

		escape_text(text, sizeof(text), c.path.text, c.path.len);
		error_wrap(ret, "copy of the parent's '%s'", text);
	}
	file_copier_release(&c.copier);
	entries_release(&c.entries);
	free(c.list);
	free(c.value);
	beneath_release(&c.from);
	beneath_release(&c.to);
	while ((n = map_iterate(&c.linked, NULL))) {
		map_remove(&c.linked, n);
		free(CONTAINER_OF(n, struct linked, node));
	}
	map_release(&c.linked);
	return ret;
}
