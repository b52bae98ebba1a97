/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/descent.h"

#include "base/error.h"
#include "receive/grant.h"

struct descent_level {
	dev_t device;
	ino_t inode;
};

static int add_level(struct descent *d, int fd, ino_t inode)
{
	struct descent_level l;
	struct stat st;

	if (d->host->ops->stat(d->host, fd, ".", &st))
		return error_errno(errno, "stat");
	if (inode && st.st_ino != inode)
		return error_set(ESTALE, "it was replaced meanwhile");
	l = (struct descent_level){st.st_dev, st.st_ino};
	return buffer_append(&d->levels, &l, sizeof(l));
}

int descent_init(struct descent *d, struct host *host, int root)
{
	*d = (struct descent){.host = host, .root = root, .fd = root};
	return add_level(d, root, 0);
}

void descent_release(struct descent *d)
{
	if (!descent_at_root(d))
		host_close(d->host, d->fd);
	buffer_release(&d->levels);
}

size_t descent_depth(const struct descent *d)
{
	return d->levels.len / sizeof(struct descent_level) - 1;
}

int descent_enter(struct descent *d, const char *name, ino_t inode)
{
	int ret, fd = grant_open_directory(d->host, d->fd, name);

	if (fd < 0)
		return error_errno(errno, "open the directory");
	ret = add_level(d, fd, inode);
	if (ret) {
		host_close(d->host, fd);
		return ret;
	}
	if (!descent_at_root(d))
		host_close(d->host, d->fd);
	d->fd = fd;
	return 0;
}

/* The directory above the one at hand, which must be the one at @l. */
static int open_above(struct descent *d, const struct descent_level *l)
{
	struct host *host = d->host;
	struct stat st;
	int ret, fd = host->ops->open(host, d->fd, "..", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return error_errno(errno, "open the directory above");
	if (host->ops->stat(host, fd, ".", &st))
		ret = error_errno(errno, "stat the directory above");
	else if (st.st_dev != l->device || st.st_ino != l->inode)
		ret = error_set(ESTALE, "the directory was moved away meanwhile");
	else
		return fd;
	host_close(host, fd);
	return ret;
}

int descent_leave(struct descent *d, int *left)
{
	const struct descent_level *above = (struct descent_level *)(d->levels.data + d->levels.len) - 2;
	int fd = descent_depth(d) == 1 ? d->root : open_above(d, above);

	if (fd < 0)
		return fd;
	*left = d->fd;
	d->fd = fd;
	d->levels.len -= sizeof(*above);
	return 0;
}
