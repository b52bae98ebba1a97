/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host that a tree is received on: one table through which every system call on the target goes,
 * the twin of the device's.  A test that puts another table in its place can let call 1, 2, 3 … N fail,
 * or end the process there.
 *
 * The calls are those of the system, with two differences: a name has no slash, and no symlink is ever
 * followed; and "." stands for what @dir is open on, be it a file or a directory that may not be searched
 * (open() alone needs the right to).  ".." is for descent.c, which looks where it leads.  @dir is open for
 * reading.  A call that fails returns -1 and sets errno.
 */
#ifndef BTRFLY_RECEIVE_HOST_H
#define BTRFLY_RECEIVE_HOST_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "base/types.h"

struct host;
struct opened;

struct host_ops {
	/* O_NOFOLLOW and O_CLOEXEC are added.  @mode is of use with O_CREAT. */
	int (*open)(struct host *h, int dir, const char *name, int flags, mode_t mode);
	/* A path of several names that can lead neither out of @dir nor through a symlink: openat2(). */
	int (*open_beneath)(struct host *h, int dir, const char *path, int flags);
	int (*open_handle)(struct host *h, int dir, struct file_handle *handle, int flags);
	int (*close)(struct host *h, int fd); /* the descriptor is gone, also on failure */

	int (*stat)(struct host *h, int dir, const char *name, struct stat *st);
	int (*statfs)(struct host *h, int fd, struct statfs *fs);
	/* The path of what is open, as the system has it, without a NUL; ENOENT where it tells nobody. */
	ssize_t (*path)(struct host *h, int fd, char *path, size_t size);
	ssize_t (*readlink)(struct host *h, int dir, const char *name, char *target, size_t size);
	/* Entries as getdents64() has them; 0 at the end. */
	ssize_t (*entries)(struct host *h, int fd, void *buf, size_t size);

	int (*mkdir)(struct host *h, int dir, const char *name, mode_t mode);
	int (*mknod)(struct host *h, int dir, const char *name, mode_t mode, dev_t device);
	int (*symlink)(struct host *h, const char *target, int dir, const char *name);
	int (*link)(struct host *h, int from_dir, const char *from, int dir, const char *name);
	int (*rename)(struct host *h, int from_dir, const char *from, int dir, const char *name,
		      unsigned flags);
	int (*unlink)(struct host *h, int dir, const char *name, int flags);

	int (*chmod)(struct host *h, int dir, const char *name, mode_t mode); /* EOPNOTSUPP for a symlink */
	int (*chown)(struct host *h, int dir, const char *name, uid_t uid, gid_t gid);
	int (*utimens)(struct host *h, int dir, const char *name, const struct timespec times[2]);
	int (*setxattr)(struct host *h, int dir, const char *name, const char *key, const void *value,
			size_t size);
	int (*removexattr)(struct host *h, int dir, const char *name, const char *key);
	ssize_t (*getxattr)(struct host *h, int dir, const char *name, const char *key, void *value,
			    size_t size);
	ssize_t (*listxattr)(struct host *h, int dir, const char *name, char *list, size_t size);

	ssize_t (*pread)(struct host *h, int fd, void *buf, size_t len, off_t offset);
	ssize_t (*pwrite)(struct host *h, int fd, const void *buf, size_t len, off_t offset);
	ssize_t (*copy_range)(struct host *h, int in, off_t in_offset, int out, off_t out_offset, size_t len);
	int (*truncate)(struct host *h, int fd, off_t size);
	int (*fallocate)(struct host *h, int fd, int mode, off_t offset, off_t len);
	off_t (*seek)(struct host *h, int fd, off_t offset, int whence); /* SEEK_DATA, SEEK_HOLE */
	int (*ioctl)(struct host *h, int fd, unsigned long request, void *arg);
	int (*sync)(struct host *h, int fd); /* fsync(), also of a directory */
	int (*syncfs)(struct host *h, int fd);
	int (*lock)(struct host *h, int fd); /* flock(): EWOULDBLOCK if another process has it */
};

struct host {
	const struct host_ops *ops;
	uid_t user;	       /* who receives: 0 needs no grants */
	bool keeps_owners;     /* he may not give files away (CAP_CHOWN) */
	struct opened *opened; /* where modes that are opened up for a moment are noted; NULL: nowhere */
};

/* The running system, as the user of this process. */
void host_init(struct host *h);

/* close() where there is nothing to lose: of what was open for reading, or failed already.  errno stays. */
void host_close(struct host *h, int fd);

/* sync() of a directory, which not every filesystem has a call for. */
int host_sync_directory(struct host *h, int dir);

#endif
