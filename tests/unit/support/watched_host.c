/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/watched_host.h"

#include <errno.h>

static const char *const names[HOST_CALLS] = {
	[HOST_OPEN] = "open", [HOST_OPEN_BENEATH] = "open_beneath", [HOST_OPEN_HANDLE] = "open_handle",
	[HOST_CLOSE] = "close", [HOST_STAT] = "stat", [HOST_STATFS] = "statfs", [HOST_PATH] = "path", [HOST_READLINK] = "readlink",
	[HOST_ENTRIES] = "entries", [HOST_MKDIR] = "mkdir", [HOST_MKNOD] = "mknod", [HOST_SYMLINK] = "symlink",
	[HOST_LINK] = "link", [HOST_RENAME] = "rename", [HOST_UNLINK] = "unlink", [HOST_CHMOD] = "chmod",
	[HOST_CHOWN] = "chown", [HOST_UTIMENS] = "utimens", [HOST_SETXATTR] = "setxattr",
	[HOST_REMOVEXATTR] = "removexattr", [HOST_GETXATTR] = "getxattr", [HOST_LISTXATTR] = "listxattr",
	[HOST_PREAD] = "pread", [HOST_PWRITE] = "pwrite", [HOST_COPY_RANGE] = "copy_range",
	[HOST_TRUNCATE] = "truncate", [HOST_FALLOCATE] = "fallocate", [HOST_SEEK] = "seek", [HOST_IOCTL] = "ioctl",
	[HOST_SYNC] = "sync", [HOST_SYNCFS] = "syncfs", [HOST_LOCK] = "lock",
};

const char *host_call_name(enum host_call call)
{
	return names[call];
}

static struct watched_host *watched(struct host *h)
{
	return CONTAINER_OF(h, struct watched_host, host);
}

static bool refused(struct host *h, enum host_call call)
{
	struct watched_host *w = watched(h);
	int err;

	w->calls++;
	w->count[call]++;
	err = w->before ? w->before(w, call) : 0;
	if (err)
		errno = err;
	return err != 0;
}

/* The call @op: counted, and made by the system unless it is refused. */
#define PASS_ON(type, op, kind, arguments, ...)                                                    \
	static type watched_##op arguments                                                         \
	{                                                                                          \
		struct host *s = &watched(h)->system;                                              \
                                                                                                   \
		return refused(h, kind) ? -1 : s->ops->op(s, __VA_ARGS__);                         \
	}

PASS_ON(int, open, HOST_OPEN, (struct host *h, int dir, const char *name, int flags, mode_t mode),
	dir, name, flags, mode)
PASS_ON(int, open_beneath, HOST_OPEN_BENEATH, (struct host *h, int dir, const char *path, int flags),
	dir, path, flags)
PASS_ON(int, open_handle, HOST_OPEN_HANDLE, (struct host *h, int dir, struct file_handle *handle, int flags),
	dir, handle, flags)

static int watched_close(struct host *h, int fd)
{
	struct host *s = &watched(h)->system;
	bool fails = refused(h, HOST_CLOSE);
	int reason = errno, ret = s->ops->close(s, fd);

	if (!fails)
		return ret;
	errno = reason;
	return -1;
}

PASS_ON(int, stat, HOST_STAT, (struct host *h, int dir, const char *name, struct stat *st), dir, name, st)
PASS_ON(int, statfs, HOST_STATFS, (struct host *h, int fd, struct statfs *fs), fd, fs)
PASS_ON(ssize_t, path, HOST_PATH, (struct host *h, int fd, char *path, size_t size), fd, path, size)
PASS_ON(ssize_t, readlink, HOST_READLINK,
	(struct host *h, int dir, const char *name, char *target, size_t size), dir, name, target, size)
PASS_ON(ssize_t, entries, HOST_ENTRIES, (struct host *h, int fd, void *buf, size_t size), fd, buf, size)
PASS_ON(int, mkdir, HOST_MKDIR, (struct host *h, int dir, const char *name, mode_t mode), dir, name, mode)
PASS_ON(int, mknod, HOST_MKNOD, (struct host *h, int dir, const char *name, mode_t mode, dev_t device),
	dir, name, mode, device)
PASS_ON(int, symlink, HOST_SYMLINK, (struct host *h, const char *target, int dir, const char *name),
	target, dir, name)
PASS_ON(int, link, HOST_LINK, (struct host *h, int from_dir, const char *from, int dir, const char *name),
	from_dir, from, dir, name)
PASS_ON(int, rename, HOST_RENAME,
	(struct host *h, int from_dir, const char *from, int dir, const char *name, unsigned flags),
	from_dir, from, dir, name, flags)
PASS_ON(int, unlink, HOST_UNLINK, (struct host *h, int dir, const char *name, int flags), dir, name, flags)
PASS_ON(int, chmod, HOST_CHMOD, (struct host *h, int dir, const char *name, mode_t mode), dir, name, mode)
PASS_ON(int, chown, HOST_CHOWN, (struct host *h, int dir, const char *name, uid_t uid, gid_t gid),
	dir, name, uid, gid)
PASS_ON(int, utimens, HOST_UTIMENS,
	(struct host *h, int dir, const char *name, const struct timespec times[2]), dir, name, times)
PASS_ON(int, setxattr, HOST_SETXATTR,
	(struct host *h, int dir, const char *name, const char *key, const void *value, size_t size),
	dir, name, key, value, size)
PASS_ON(int, removexattr, HOST_REMOVEXATTR, (struct host *h, int dir, const char *name, const char *key),
	dir, name, key)
PASS_ON(ssize_t, getxattr, HOST_GETXATTR,
	(struct host *h, int dir, const char *name, const char *key, void *value, size_t size),
	dir, name, key, value, size)
PASS_ON(ssize_t, listxattr, HOST_LISTXATTR,
	(struct host *h, int dir, const char *name, char *list, size_t size), dir, name, list, size)
PASS_ON(ssize_t, pread, HOST_PREAD, (struct host *h, int fd, void *buf, size_t len, off_t offset),
	fd, buf, len, offset)
PASS_ON(ssize_t, pwrite, HOST_PWRITE, (struct host *h, int fd, const void *buf, size_t len, off_t offset),
	fd, buf, len, offset)
PASS_ON(ssize_t, copy_range, HOST_COPY_RANGE,
	(struct host *h, int in, off_t in_offset, int out, off_t out_offset, size_t len),
	in, in_offset, out, out_offset, len)
PASS_ON(int, truncate, HOST_TRUNCATE, (struct host *h, int fd, off_t size), fd, size)
PASS_ON(int, fallocate, HOST_FALLOCATE, (struct host *h, int fd, int mode, off_t offset, off_t len),
	fd, mode, offset, len)
PASS_ON(off_t, seek, HOST_SEEK, (struct host *h, int fd, off_t offset, int whence), fd, offset, whence)
PASS_ON(int, ioctl, HOST_IOCTL, (struct host *h, int fd, unsigned long request, void *arg), fd, request, arg)
PASS_ON(int, sync, HOST_SYNC, (struct host *h, int fd), fd)
PASS_ON(int, syncfs, HOST_SYNCFS, (struct host *h, int fd), fd)
PASS_ON(int, lock, HOST_LOCK, (struct host *h, int fd), fd)

static const struct host_ops watched_ops = {
	.open = watched_open,
	.open_beneath = watched_open_beneath,
	.open_handle = watched_open_handle,
	.close = watched_close,
	.stat = watched_stat,
	.statfs = watched_statfs,
	.path = watched_path,
	.readlink = watched_readlink,
	.entries = watched_entries,
	.mkdir = watched_mkdir,
	.mknod = watched_mknod,
	.symlink = watched_symlink,
	.link = watched_link,
	.rename = watched_rename,
	.unlink = watched_unlink,
	.chmod = watched_chmod,
	.chown = watched_chown,
	.utimens = watched_utimens,
	.setxattr = watched_setxattr,
	.removexattr = watched_removexattr,
	.getxattr = watched_getxattr,
	.listxattr = watched_listxattr,
	.pread = watched_pread,
	.pwrite = watched_pwrite,
	.copy_range = watched_copy_range,
	.truncate = watched_truncate,
	.fallocate = watched_fallocate,
	.seek = watched_seek,
	.ioctl = watched_ioctl,
	.sync = watched_sync,
	.syncfs = watched_syncfs,
	.lock = watched_lock,
};

void watched_host_init(struct watched_host *w)
{
	*w = (struct watched_host){0};
	host_init(&w->system);
	w->host = (struct host){.ops = &watched_ops, .user = w->system.user};
}
