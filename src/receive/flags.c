/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/flags.h"

#include <errno.h>

#include "format/inode.h"
#include "receive/grant.h"

/* How data is stored is the first thing that a filesystem may not know. */
#define FLAGS_OF_STORAGE ((u32)(FS_NOCOW_FL | FS_COMPR_FL | FS_NOCOMP_FL))

u32 flags_of_inode(u64 inode_flags)
{
	static const struct {
		u64 inode;
		u32 host;
	} pairs[] = {
		{INODE_NODATACOW, FS_NOCOW_FL},	    {INODE_SYNC, FS_SYNC_FL},
		{INODE_IMMUTABLE, FS_IMMUTABLE_FL}, {INODE_APPEND, FS_APPEND_FL},
		{INODE_NODUMP, FS_NODUMP_FL},	    {INODE_NOATIME, FS_NOATIME_FL},
		{INODE_DIRSYNC, FS_DIRSYNC_FL},	    {INODE_COMPRESS, FS_COMPR_FL},
		{INODE_NOCOMPRESS, FS_NOCOMP_FL},
	};
	u32 flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (inode_flags & pairs[i].inode)
			flags |= pairs[i].host;
	return flags;
}

static int try_open_any(struct host *host, int dir, const char *name)
{
	const int how = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	/* The call would reach a device's driver. */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EOPNOTSUPP;

	int fd = host->ops->open(host, dir, name, how, 0);

	return fd < 0 ? -errno : fd;
}

static int open_any(struct host *host, int dir, const char *name)
{
	int fd = try_open_any(host, dir, name);
	struct grant g;

	if (fd == -EACCES && grant_begin(&g, host, dir, name))
		fd = grant_end_open(&g, try_open_any(host, dir, name));
	return fd;
}

int flags_read(struct host *host, int dir, const char *name, u32 *flags)
{
	int fd = open_any(host, dir, name);

	if (fd < 0)
		return fd;

	int ret = host->ops->ioctl(host, fd, FS_IOC_GETFLAGS, flags) ? -errno : 0;

	host_close(host, fd);
	if (!ret)
		*flags &= FLAGS_OF_STREAM;
	return ret;
}

static int without_place(int ret)
{
	return ret == -EOPNOTSUPP || ret == -ENOTTY ? 0 : ret;
}

/* A filesystem may take the call and not the flag. */
static int check(struct host *host, int fd, u32 mask, u32 flags)
{
	u32 now;

	if (host->ops->ioctl(host, fd, FS_IOC_GETFLAGS, &now))
		return -errno;
	return (now & mask) == flags ? 0 : -EOPNOTSUPP;
}

static int change(struct host *host, int fd, u32 mask, u32 flags)
{
	u32 now, then, rest;

	/* Nothing to set, and no place to set it. */
	if (host->ops->ioctl(host, fd, FS_IOC_GETFLAGS, &now))
		return flags ? -errno : without_place(-errno);
	then = (now & ~mask) | flags;
	if (then == now)
		return 0;
	if (!host->ops->ioctl(host, fd, FS_IOC_SETFLAGS, &then))
		return check(host, fd, mask, flags);

	int ret = -errno;

	rest = (now & ~(mask & ~FLAGS_OF_STORAGE)) | (flags & ~FLAGS_OF_STORAGE);
	if (ret == -EOPNOTSUPP && rest != now)
		host->ops->ioctl(host, fd, FS_IOC_SETFLAGS, &rest);
	return ret;
}

int flags_change(struct host *host, int dir, const char *name, u32 mask, u32 flags)
{
	mask &= FLAGS_OF_STREAM;
	flags &= mask;

	int fd = open_any(host, dir, name), ret;

	if (fd < 0)
		return flags ? fd : without_place(fd);
	ret = change(host, fd, mask, flags);
	host_close(host, fd);
	return ret;
}
