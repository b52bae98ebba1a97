/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Three ways, the best one first: the call itself (fchmodat2 of Linux 6.6, setxattrat of 6.13), the
 * directory's name in /proc, and, where /proc is not there (in a chroot), the file opened, which
 * serves regular files and directories.
 */
#include "receive/at.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
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

int at_stat(int dir, const char *name, struct stat *st)
{
	return is_self(name) ? fstat(dir, st) : fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);
}

int at_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	return is_self(name) ? fchown(dir, uid, gid) : fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int at_utimens(int dir, const char *name, const struct timespec times[2])
{
	return is_self(name) ? futimens(dir, times) : utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

int at_chmod(int dir, const char *name, mode_t mode)
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

int at_setxattr(int dir, const char *name, const char *key, const void *value, size_t size)
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

int at_removexattr(int dir, const char *name, const char *key)
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

ssize_t at_getxattr(int dir, const char *name, const char *key, void *value, size_t size)
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

ssize_t at_listxattr(int dir, const char *name, char *list, size_t size)
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
