/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. Of either tree one directory is open, the one at hand: a descent in each, side by side.  What the directories
 *    above it still need is on the heap: their names in @entries, what they were like in @directories.  @path leads
 *    to the name at hand.
 * 2. A directory gets its attributes behind everything in it: its times stay, and a default ACL is
 *    not handed down.
 * 3. A file with several names is copied at the first one met, and linked to that at the others.
 * 4. Content, owner, mode, times and attributes of a file's copy are those of one file, whatever has its name in the parent
 *    from one call to the next: whoever may write there is not to have one's content with the other's rights.
 * 5. A directory of the parent that its owner closed to himself is opened up while it or one beneath it is at hand,
 *    and no longer, whatever fails.
 */
#include "receive/tree_copy.h"

#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/escape.h"
#include "receive/beneath.h"
#include "receive/descent.h"
#include "receive/entries.h"
#include "receive/file.h"
#include "receive/flags.h"
#include "receive/grant.h"
#include "receive/host_root.h"
#include "receive/lending.h"
#include "receive/state_dir.h"

#define XATTR_LIST_MAX 65536
#define XATTR_VALUE_MAX 65536

/* A file with several names. */
struct linked {
	struct map_node node; /* by inode number */
	size_t len;
	char text[]; /* the path under which it was copied */
};

/* A directory that is being copied. */
struct directory {
	struct stat st;  /* what it was like */
	size_t path_len; /* of the directory above */
	struct opening opening; /* where its owner closed it to himself */
};

struct tree_copy {
	struct host *host;
	struct descent from, to;
	struct beneath copies; /* from the copy's root, to files that have more names */
	struct entries entries;
	struct buffer directories; /* struct directory, the root first */
	struct buffer path;
	struct map linked;
	struct tree_notes *notes;
	struct file_copier copier;
	dev_t device;
	bool no_reflinks;
	char *list, *value; /* extended attributes */
};

static const char *path_text(const struct tree_copy *c)
{
	return c->path.len ? (const char *)c->path.data : "";
}

/* One more component; the caller cuts it off again. */
static int append_name(struct tree_copy *c, const char *name)
{
	size_t old = c->path.len;
	int ret = old ? buffer_append(&c->path, "/", 1) : 0;

	if (!ret)
		ret = buffer_append(&c->path, name, strlen(name));
	if (ret)
		c->path.len = old;
	return ret;
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

/* Something in the parent's tree. */
struct original {
	int dir;
	const char *name; /* "." is what @dir is open on */
	struct stat st;
	bool is_root; /* owner, mode and access list are noted in place of being given */
};

static int give_xattr(struct tree_copy *c, const struct original *from, int to, const char *name, const char *key, size_t len)
{
	struct host *host = c->host;

	if (from->is_root && !strcmp(key, HOST_ROOT_ACCESS))
		return tree_notes_set_access(c->notes, c->value, len, true);
	/* What is not to be set here the parent has from the host, not from a stream. */
	if (host->ops->setxattr(host, to, name, key, c->value, len) && errno != EPERM && errno != EOPNOTSUPP)
		return error_errno(errno, "set an attribute");
	return 0;
}

/* Access lists, or all other attributes. */
static int copy_some_xattrs(struct tree_copy *c, const struct original *from, int to, const char *name, ssize_t len,
			    bool access)
{
	for (char *key = c->list; key < c->list + len; key += strlen(key) + 1) {
		if (!strncmp(key, "system.posix_acl_", 17) != access || state_dir_is_mark(key))
			continue;

		int n = read_xattr(c, from->dir, from->name, key);

		if (n < 0)
			return error_errno(-n, "read an attribute");

		int ret = give_xattr(c, from, to, name, key, (size_t)n);

		if (ret)
			return ret;
	}
	return 0;
}

/* The access list may take the right to set more from the owner himself, so it comes last. */
static int copy_xattrs(struct tree_copy *c, const struct original *from, int to, const char *name)
{
	struct host *host = c->host;
	ssize_t len = host->ops->listxattr(host, from->dir, from->name, c->list, XATTR_LIST_MAX);
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

		ret = tree_notes_put_path(c->notes, path_text(c), c->path.len, &forbid);
		if (ret)
			return ret;
	}
	ret = flags_change(c->host, to, name, ~FLAGS_THAT_FORBID, flags & ~FLAGS_THAT_FORBID);
	return !ret || lacks_flags(ret) ? 0 : error_errno(-ret, "set the flags");
}

static int give_owner(struct tree_copy *c, const struct original *from, int to, const char *name)
{
	const struct stat *st = &from->st;

	if (from->is_root && c->host->keeps_owners && st->st_uid != c->host->user) {
		int ret = tree_notes_leave_out(c->notes, SKIPPED_OWNER);

		if (ret)
			return ret;
	}
	if (from->is_root)
		return tree_notes_set_owner(c->notes, st->st_uid, st->st_gid, true);
	/* A user's copy is his, as the parent is. */
	if (c->host->ops->chown(c->host, to, name, st->st_uid, st->st_gid) && !skipped_because(errno))
		return error_errno(errno, "chown");
	return 0;
}

/* And nothing is lent that is not the owner's. */
static int give_mode(struct tree_copy *c, const struct original *from, int to, const char *name)
{
	const struct stat *st = &from->st;

	if (from->is_root)
		return tree_notes_set_mode(c->notes, st->st_mode, true);
	if (!S_ISLNK(st->st_mode) && c->host->ops->chmod(c->host, to, name, st->st_mode & 07777))
		return error_errno(errno, "chmod");
	return lending_copied(c->host, to, name, st, c->notes);
}

/* All but the flags. */
static int copy_attributes(struct tree_copy *c, const struct original *from, int to, const char *name)
{
	const struct stat *st = &from->st;
	struct host *host = c->host;
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	int ret;

	ret = give_owner(c, from, to, name);
	if (!ret)
		ret = copy_xattrs(c, from, to, name);
	if (!ret)
		ret = give_mode(c, from, to, name);
	if (ret)
		return ret;
	return host->ops->utimens(host, to, name, times) ? error_errno(errno, "set the times") : 0;
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

/* The regular file @name, open and still the one that @st is of. */
static int open_original(struct tree_copy *c, const char *name, struct stat *st)
{
	struct host *host = c->host;
	const ino_t inode = st->st_ino;
	int dir = c->from.fd, fd = open_source(host, dir, name);
	struct grant g;
	int ret;

	if (fd == -EACCES && grant_begin(&g, host, dir, name))
		fd = grant_end_open(&g, open_source(host, dir, name));
	if (fd < 0)
		return error_errno(-fd, "open");
	if (host->ops->stat(host, fd, ".", st))
		ret = error_errno(errno, "stat");
	else if (!S_ISREG(st->st_mode) || st->st_ino != inode)
		ret = error_set(ESTALE, "it was replaced meanwhile");
	else
		return fd;
	host_close(host, fd);
	return ret;
}

static int copy_file_content(struct tree_copy *c, int source, const char *name, u64 size)
{
	struct host *host = c->host;
	int fd = host->ops->open(host, c->to.fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	int ret = fd < 0 ? error_errno(errno, "create") : 0;

	if (!ret)
		ret = copy_content(c, source, fd, size);
	if (fd >= 0 && host->ops->close(host, fd) && !ret)
		ret = error_errno(errno, "close");
	return ret;
}

static int copy_file(struct tree_copy *c, const char *name, const struct stat *st)
{
	struct original from = {.name = ".", .st = *st};
	int ret;

	from.dir = open_original(c, name, &from.st);
	if (from.dir < 0)
		return from.dir;
	ret = copy_file_content(c, from.dir, name, (u64)from.st.st_size);
	if (!ret)
		ret = copy_attributes(c, &from, c->to.fd, name);
	host_close(c->host, from.dir);
	return ret ? ret : copy_flags(c, c->from.fd, c->to.fd, name);
}

static int copy_symlink(struct tree_copy *c, const char *name)
{
	struct host *host = c->host;
	char target[TREE_PATH_MAX + 1];
	ssize_t n = host->ops->readlink(host, c->from.fd, name, target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target))
		return error_errno(n < 0 ? errno : ENAMETOOLONG, "read the symlink");
	target[n] = '\0';
	return host->ops->symlink(host, target, c->to.fd, name) ? error_errno(errno, "create") : 0;
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

static int link_to(struct tree_copy *c, const struct linked *l, const char *name)
{
	const char *first;
	int ret, dir = beneath_open_parent(&c->copies, l->text, l->len, &first);

	if (dir < 0)
		return dir;
	ret = link_granted(c->host, dir, first, c->to.fd, name);
	beneath_close(&c->copies, dir);
	return ret ? error_errno(-ret, "link") : 0;
}

static int remember_name(struct tree_copy *c, ino_t inode)
{
	struct linked *l = malloc(sizeof(*l) + c->path.len + 1);

	if (!l)
		return error_nomem(sizeof(*l) + c->path.len + 1);
	l->len = c->path.len;
	memcpy(l->text, c->path.data, l->len);
	l->text[l->len] = '\0';
	map_add(&c->linked, &l->node, inode);
	return 0;
}

/* 1 when the file was linked to its copy under another name. */
static int link_to_copy(struct tree_copy *c, const char *name, const struct stat *st)
{
	struct map_node *n = map_find(&c->linked, st->st_ino);
	int ret;

	if (!n)
		return remember_name(c, st->st_ino);
	ret = link_to(c, CONTAINER_OF(n, struct linked, node), name);
	return ret ? ret : 1;
}

static int make_node(struct tree_copy *c, const char *name, const struct stat *st)
{
	struct host *host = c->host;

	if (S_ISLNK(st->st_mode))
		return copy_symlink(c, name);
	if (host->ops->mknod(host, c->to.fd, name, st->st_mode & (S_IFMT | 0600), st->st_rdev))
		return error_errno(errno, "create");
	return 0;
}

static int make_copy(struct tree_copy *c, const char *name, const struct stat *st)
{
	const struct original from = {.dir = c->from.fd, .name = name, .st = *st};
	int ret;

	if (S_ISREG(st->st_mode))
		return copy_file(c, name, st);
	ret = make_node(c, name, st);
	return ret ? ret : copy_attributes(c, &from, c->to.fd, name);
}

/* A directory's own attributes. */
static int copy_directory_attributes(struct tree_copy *c, int dir, int to, const char *name, const struct stat *st)
{
	const struct original from = {.dir = dir, .name = name, .st = *st, .is_root = !c->path.len};
	int ret = copy_attributes(c, &from, to, name);

	return ret ? ret : copy_flags(c, dir, to, name);
}

static struct directory *innermost(const struct tree_copy *c)
{
	return (struct directory *)(c->directories.data + c->directories.len) - 1;
}

/* The directory at hand in the parent's tree, for its owner. */
static int open_up(struct tree_copy *c, struct directory *d)
{
	struct host *host = c->host;
	int ret;

	if (!host->user || d->st.st_uid != host->user || (d->st.st_mode & 0500) == 0500)
		return 0;
	ret = opening_begin(&d->opening, host, c->from.fd, ".", &d->st, 0500);
	return ret ? error_errno(-ret, "open the directory up") : 0;
}

static int close_again(struct tree_copy *c, int fd, struct directory *d)
{
	int ret = opening_end(&d->opening, c->host, fd, ".");

	return ret ? error_errno(-ret, "put the directory's mode back") : 0;
}

/* A directory that lies in the one at hand, where @path_len of the path lead, or the root. */
static int add_directory(struct tree_copy *c, const struct stat *st, size_t path_len)
{
	const struct directory d = {.st = *st, .path_len = path_len};

	return buffer_append(&c->directories, &d, sizeof(d));
}

/* The directory at hand in both trees is the innermost one. */
static int begin_directory(struct tree_copy *c)
{
	int ret = open_up(c, innermost(c));

	return ret ? ret : entries_push(&c->entries, c->from.fd, SIZE_MAX);
}

static int copy_directory(struct tree_copy *c, const char *name, const struct stat *st, size_t path_len)
{
	struct host *host = c->host;
	int ret;

	if (host->ops->mkdir(host, c->to.fd, name, 0700))
		return error_errno(errno, "create");
	/* What is mounted there is no part of the tree. */
	if (st->st_dev != c->device) {
		ret = copy_directory_attributes(c, c->from.fd, c->to.fd, name, st);
		if (!ret)
			c->path.len = path_len;
		return ret;
	}
	ret = add_directory(c, st, path_len);
	if (!ret)
		ret = descent_enter(&c->to, name, 0);
	if (!ret)
		ret = descent_enter(&c->from, name, st->st_ino);
	return ret ? ret : begin_directory(c);
}

/* @name in the directory at hand. */
static int copy_entry(struct tree_copy *c, const char *name)
{
	size_t path_len = c->path.len;
	struct stat st;
	int ret = append_name(c, name);

	if (ret)
		return ret;
	if (c->host->ops->stat(c->host, c->from.fd, name, &st))
		return error_errno(errno, "stat");
	if (S_ISDIR(st.st_mode))
		return copy_directory(c, name, &st, path_len);
	if (st.st_nlink > 1)
		ret = link_to_copy(c, name, &st);
	if (!ret)
		ret = make_copy(c, name, &st);
	if (ret < 0)
		return ret;
	c->path.len = path_len;
	return 0;
}

/* All names of the innermost directory are copied; @from and @to are open on it. */
static int end_directory(struct tree_copy *c, int from, int to)
{
	struct directory *d = innermost(c);
	int ret = copy_directory_attributes(c, from, to, ".", &d->st);
	int closed = close_again(c, from, d);

	if (!ret)
		ret = closed;
	if (!ret)
		c->path.len = d->path_len;
	entries_pop(&c->entries);
	c->directories.len -= sizeof(*d);
	return ret;
}

/* Out of the directory at hand: its attributes come behind the way up, for they may close it. */
static int leave_directory(struct tree_copy *c)
{
	int from, to, ret = descent_leave(&c->to, &to);

	if (ret)
		return ret;
	ret = descent_leave(&c->from, &from);
	if (!ret) {
		ret = end_directory(c, from, to);
		host_close(c->host, from);
	}
	host_close(c->host, to);
	return ret;
}

static int copy_all(struct tree_copy *c)
{
	for (;;) {
		const char *name = entries_next(&c->entries);
		int ret;

		if (!name && descent_at_root(&c->from))
			return end_directory(c, c->from.fd, c->to.fd);
		ret = name ? copy_entry(c, name) : leave_directory(c);
		if (ret)
			return ret;
	}
}

/* After an error: the parent's directories that are open to their owner are closed again. */
static void close_directories(struct tree_copy *c)
{
	for (; c->directories.len; c->directories.len -= sizeof(struct directory)) {
		size_t depth = c->directories.len / sizeof(struct directory) - 1;
		int left = c->from.fd;

		/* The innermost may not have been entered yet. */
		if (descent_depth(&c->from) < depth)
			continue;
		/* Up first: it may be closed to who comes from within, too. */
		if (depth && descent_leave(&c->from, &left))
			return;
		close_again(c, left, innermost(c));
		if (depth)
			host_close(c->host, left);
	}
}

static int begin(struct tree_copy *c, int from, int to)
{
	struct stat st;
	int ret = map_init(&c->linked);

	if (ret)
		return ret;
	c->list = malloc(XATTR_LIST_MAX);
	c->value = malloc(XATTR_VALUE_MAX);
	if (!c->list || !c->value)
		return error_nomem(XATTR_VALUE_MAX);
	if (c->host->ops->stat(c->host, from, ".", &st))
		return error_errno(errno, "stat");
	c->device = st.st_dev;
	ret = entries_init(&c->entries, c->host);
	if (!ret)
		ret = descent_init(&c->from, c->host, from);
	if (!ret)
		ret = descent_init(&c->to, c->host, to);
	if (!ret)
		ret = add_directory(c, &st, 0);
	return ret ? ret : begin_directory(c);
}

/* Say where it failed, and leave nothing open. */
static int fail(struct tree_copy *c, int ret)
{
	struct error e;
	char text[512];

	if (c->path.len) {
		escape_text(text, sizeof(text), path_text(c), c->path.len);
		error_wrap(ret, "copy of the parent's '%s'", text);
	}
	error_save(&e, ret);
	close_directories(c);
	return error_restore(&e);
}

static void release(struct tree_copy *c)
{
	struct map_node *n;

	descent_release(&c->from);
	descent_release(&c->to);
	entries_release(&c->entries);
	buffer_release(&c->directories);
	buffer_release(&c->path);
	file_copier_release(&c->copier);
	free(c->list);
	free(c->value);
	while (c->linked.buckets && (n = map_iterate(&c->linked, NULL))) {
		map_remove(&c->linked, n);
		free(CONTAINER_OF(n, struct linked, node));
	}
	map_release(&c->linked);
	free(c);
}

int tree_copy(struct host *host, int from, int to, struct tree_notes *notes)
{
	struct tree_copy *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return error_nomem(sizeof(*c));
	c->host = host;
	c->notes = notes;
	file_copier_init(&c->copier, host);
	beneath_init(&c->copies, host, to);
	ret = begin(c, from, to);
	if (!ret)
		ret = copy_all(c);
	if (ret)
		ret = fail(c, ret);
	release(c);
	return ret;
}

int tree_copy_file(struct host *host, int from, int to)
{
	struct tree_notes none = {0};
	struct tree_copy *c = calloc(1, sizeof(*c));
	struct original original = {.dir = from, .name = "."};
	int ret = 0;

	if (!c)
		return error_nomem(sizeof(*c));
	c->host = host;
	c->notes = &none;
	file_copier_init(&c->copier, host);
	c->list = malloc(XATTR_LIST_MAX);
	c->value = malloc(XATTR_VALUE_MAX);
	if (!c->list || !c->value)
		ret = error_nomem(XATTR_VALUE_MAX);
	if (!ret && host->ops->stat(host, from, ".", &original.st))
		ret = error_errno(errno, "stat");
	if (!ret)
		ret = copy_content(c, from, to, (u64)original.st.st_size);
	if (!ret)
		ret = copy_attributes(c, &original, to, ".");
	file_copier_release(&c->copier);
	free(c->list);
	free(c->value);
	free(c);
	return ret;
}
