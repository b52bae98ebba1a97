/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's table for the running system.  What older kernels have no call for that takes a name and
 * follows no symlink is done in one of three ways, the best one first: the call itself (fchmodat2 of Linux
 * 6.6, setxattrat of 6.13), the directory's name in /proc, and, where /proc is not there (in a chroot), the
 * file opened, which serves regular files and directories.
 */
#include "receive/host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The same on every architecture; glibc 2.36 does not know them yet. */
#define SYSTEM_FCHMODAT2 452
#define SYSTEM_SETXATTRAT 463
#define SYSTEM_GETXATTRAT 464
#define SYSTEM_LISTXATTRAT 465
#define SYSTEM_REMOVEXATTRAT 466

struct xattr_value {
	_Alignas(8) u64 value;
	u32 size;
	u32 flags;
};

/* A kernel without the call, or a filter that does not know it. */
static bool missing_call(long ret)
{
	return ret < 0 && (errno == ENOSYS || errno == EPERM);
}

/* /proc is not mounted here: the path does not lead to what is known to be there. */
static bool missing_proc(long ret, int dir, const char *name)
{
	struct stat st;

	if (ret >= 0 || (errno != ENOENT && errno != ENOTDIR))
		return false;

	int reason = errno;
	bool there = !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);

	errno = reason;
	return there;
}

struct proc_path {
	char text[64 + NAME_MAX];
};

static const char *proc_path(struct proc_path *p, int dir, const char *name)
{
	snprintf(p->text, sizeof(p->text), "/proc/self/fd/%d/%s", dir, name);
	return p->text;
}

static int open_plain(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static long close_keeping_errno(int fd, long ret)
{
	int reason = errno;

	close(fd);
	errno = reason;
	return ret;
}

static bool is_self(const char *name)
{
	return name[0] == '.' && !name[1];
}

static int system_open(struct host *h, int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int system_open_beneath(struct host *h, int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (u64)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int system_open_handle(struct host *h, int dir, struct file_handle *handle, int flags)
{
	return open_by_handle_at(dir, handle, flags | O_CLOEXEC);
}

static int system_close(struct host *h, int fd)
{
	return close(fd);
}

static int system_stat(struct host *h, int dir, const char *name, struct stat *st)
{
	return is_self(name) ? fstat(dir, st) : fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);
}

static int system_statfs(struct host *h, int fd, struct statfs *fs)
{
	return fstatfs(fd, fs);
}

static ssize_t system_path(struct host *h, int fd, char *path, size_t size)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, size);
}

static ssize_t system_readlink(struct host *h, int dir, const char *name, char *target, size_t size)
{
	return readlinkat(dir, name, target, size);
}

static ssize_t system_entries(struct host *h, int fd, void *buf, size_t size)
{
	return getdents64(fd, buf, size);
}

static int system_mkdir(struct host *h, int dir, const char *name, mode_t mode)
{
	return mkdirat(dir, name, mode);
}

static int system_mknod(struct host *h, int dir, const char *name, mode_t mode, dev_t device)
{
	return mknodat(dir, name, mode, device);
}

static int system_symlink(struct host *h, const char *target, int dir, const char *name)
{
	return symlinkat(target, dir, name);
}

static int system_link(struct host *h, int from_dir, const char *from, int dir, const char *name)
{
	return linkat(from_dir, from, dir, name, 0);
}

static int system_rename(struct host *h, int from_dir, const char *from, int dir, const char *name,
			 unsigned flags)
{
	return flags ? renameat2(from_dir, from, dir, name, flags) : renameat(from_dir, from, dir, name);
}

static int system_unlink(struct host *h, int dir, const char *name, int flags)
{
	return unlinkat(dir, name, flags);
}

static int system_chown(struct host *h, int dir, const char *name, uid_t uid, gid_t gid)
{
	return is_self(name) ? fchown(dir, uid, gid) : fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static int system_utimens(struct host *h, int dir, const char *name, const struct timespec times[2])
{
	return is_self(name) ? futimens(dir, times) : utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int system_chmod(struct host *h, int dir, const char *name, mode_t mode)
{
	if (is_self(name))
		return fchmod(dir, mode);

	long ret = syscall(SYSTEM_FCHMODAT2, dir, name, mode, AT_SYMLINK_NOFOLLOW);

	if (!missing_call(ret))
		return (int)ret;
	/* glibc goes through /proc, and says EOPNOTSUPP where that is missing, too. */
	ret = fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW);
	if (ret < 0 && errno == EOPNOTSUPP) {
		int fd = open_plain(dir, name);

		if (fd >= 0)
			ret = close_keeping_errno(fd, fchmod(fd, mode));
	}
	return (int)ret;
}

static int system_setxattr(struct host *h, int dir, const char *name, const char *key, const void *value,
			   size_t size)
{
	struct xattr_value v = {.value = (u64)(uintptr_t)value, .size = (u32)size};
	struct proc_path p;

	if (is_self(name))
		return fsetxattr(dir, key, value, size, 0);

	long ret = syscall(SYSTEM_SETXATTRAT, dir, name, AT_SYMLINK_NOFOLLOW, key, &v, sizeof(v));

	if (!missing_call(ret))
		return (int)ret;
	ret = lsetxattr(proc_path(&p, dir, name), key, value, size, 0);
	if (missing_proc(ret, dir, name)) {
		int fd = open_plain(dir, name);

		if (fd >= 0)
			ret = close_keeping_errno(fd, fsetxattr(fd, key, value, size, 0));
	}
	return (int)ret;
}

static int system_removexattr(struct host *h, int dir, const char *name, const char *key)
{
	struct proc_path p;

	if (is_self(name))
		return fremovexattr(dir, key);

	long ret = syscall(SYSTEM_REMOVEXATTRAT, dir, name, AT_SYMLINK_NOFOLLOW, key);

	if (!missing_call(ret))
		return (int)ret;
	ret = lremovexattr(proc_path(&p, dir, name), key);
	if (missing_proc(ret, dir, name)) {
		int fd = open_plain(dir, name);

		if (fd >= 0)
			ret = close_keeping_errno(fd, fremovexattr(fd, key));
	}
	return (int)ret;
}

static ssize_t system_getxattr(struct host *h, int dir, const char *name, const char *key, void *value,
			       size_t size)
{
	struct xattr_value v = {.value = (u64)(uintptr_t)value, .size = (u32)size};
	struct proc_path p;

	if (is_self(name))
		return fgetxattr(dir, key, value, size);

	long ret = syscall(SYSTEM_GETXATTRAT, dir, name, AT_SYMLINK_NOFOLLOW, key, &v, sizeof(v));

	if (!missing_call(ret))
		return ret;
	ret = lgetxattr(proc_path(&p, dir, name), key, value, size);
	if (missing_proc(ret, dir, name)) {
		int fd = open_plain(dir, name);

		if (fd >= 0)
			ret = close_keeping_errno(fd, fgetxattr(fd, key, value, size));
	}
	return ret;
}

static ssize_t system_listxattr(struct host *h, int dir, const char *name, char *list, size_t size)
{
	struct proc_path p;

	if (is_self(name))
		return flistxattr(dir, list, size);

	long ret = syscall(SYSTEM_LISTXATTRAT, dir, name, AT_SYMLINK_NOFOLLOW, list, size);

	if (!missing_call(ret))
		return ret;
	ret = llistxattr(proc_path(&p, dir, name), list, size);
	if (missing_proc(ret, dir, name)) {
		int fd = open_plain(dir, name);

		if (fd >= 0)
			ret = close_keeping_errno(fd, flistxattr(fd, list, size));
	}
	return ret;
}

static ssize_t system_pread(struct host *h, int fd, void *buf, size_t len, off_t offset)
{
	return pread(fd, buf, len, offset);
}

static ssize_t system_pwrite(struct host *h, int fd, const void *buf, size_t len, off_t offset)
{
	return pwrite(fd, buf, len, offset);
}

static ssize_t system_copy_range(struct host *h, int in, off_t in_offset, int out, off_t out_offset,
				 size_t len)
{
	return copy_file_range(in, &in_offset, out, &out_offset, len, 0);
}

static int system_truncate(struct host *h, int fd, off_t size)
{
	return ftruncate(fd, size);
}

static int system_fallocate(struct host *h, int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

static off_t system_seek(struct host *h, int fd, off_t offset, int whence)
{
	return lseek(fd, offset, whence);
}

static int system_ioctl(struct host *h, int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static int system_sync(struct host *h, int fd)
{
	return fsync(fd);
}

static int system_syncfs(struct host *h, int fd)
{
	return syncfs(fd);
}

static int system_lock(struct host *h, int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

static const struct host_ops system_ops = {
	.open = system_open,
	.open_beneath = system_open_beneath,
	.open_handle = system_open_handle,
	.close = system_close,
	.stat = system_stat,
	.statfs = system_statfs,
	.path = system_path,
	.readlink = system_readlink,
	.entries = system_entries,
	.mkdir = system_mkdir,
	.mknod = system_mknod,
	.symlink = system_symlink,
	.link = system_link,
	.rename = system_rename,
	.unlink = system_unlink,
	.chmod = system_chmod,
	.chown = system_chown,
	.utimens = system_utimens,
	.setxattr = system_setxattr,
	.removexattr = system_removexattr,
	.getxattr = system_getxattr,
	.listxattr = system_listxattr,
	.pread = system_pread,
	.pwrite = system_pwrite,
	.copy_range = system_copy_range,
	.truncate = system_truncate,
	.fallocate = system_fallocate,
	.seek = system_seek,
	.ioctl = system_ioctl,
	.sync = system_sync,
	.syncfs = system_syncfs,
	.lock = system_lock,
};

/* In the kernel's own numbers: libcap is not needed for one bit. */
static bool may_give_away(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &head, sets) && sets[CAP_TO_INDEX(CAP_CHOWN)].effective & CAP_TO_MASK(CAP_CHOWN);
}

void host_init(struct host *h)
{
	*h = (struct host){.ops = &system_ops, .user = geteuid(), .keeps_owners = !may_give_away()};
}

void host_close(struct host *h, int fd)
{
	int reason = errno;

	h->ops->close(h, fd);
	errno = reason;
}

int host_sync_directory(struct host *h, int dir)
{
	return h->ops->sync(h, dir) && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS ? -1 : 0;
}
