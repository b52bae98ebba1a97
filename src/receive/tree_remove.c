/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/tree_remove.h"

#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "receive/entries.h"
#include "receive/grant.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY)

static int remove_entry(struct host *host, int dir, const char *name, dev_t device);

static int open_to_empty(struct host *host, int dir, const char *name)
{
	int fd = host->ops->open(host, dir, name, OPEN_DIRECTORY, 0);
	struct stat st;

	/* Its owner may have closed it to himself, and it is to go anyway. */
	if (fd < 0 && errno == EACCES && !host->ops->chmod(host, dir, name, 0700))
		fd = host->ops->open(host, dir, name, OPEN_DIRECTORY, 0);
	if (fd >= 0 && host->user && !host->ops->stat(host, fd, ".", &st) && (st.st_mode & 0700) != 0700)
		host->ops->chmod(host, fd, ".", 0700);
	return fd;
}

/* One directory is open for every level: as many as the paths of commands can be long. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Recursion is bounded by the same. */
static int empty_directory(struct host *host, int fd, dev_t device)
{
	struct entries e;
	const char *name;
	int ret = entries_init(&e, host);

	if (!ret)
		ret = entries_start(&e, fd);
	while (!ret && (ret = entries_next(&e, &name)) > 0)
		ret = remove_entry(host, fd, name, device);
	entries_release(&e);
	host_close(host, fd);
	return ret;
}

static int remove_entry(struct host *host, int dir, const char *name, dev_t device)
{
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return error_errno(errno, "remove '%s'", name);
	if (st.st_dev != device)
		return error_set(EXDEV, "remove '%s': something is mounted there", name);
	if (S_ISDIR(st.st_mode)) {
		int fd = open_to_empty(host, dir, name);
		int ret = fd < 0 ? error_errno(errno, "open '%s'", name) : empty_directory(host, fd, device);

		if (ret)
			return ret;
	}
	if (host->ops->unlink(host, dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
		return error_errno(errno, "remove '%s'", name);
	return 0;
}

int tree_remove(struct host *host, int dir, const char *name)
{
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return errno == ENOENT ? 0 : error_errno(errno, "remove '%s'", name);
	allow_descriptors();
	return remove_entry(host, dir, name, st.st_dev);
}
