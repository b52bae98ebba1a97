/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/tree_remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/types.h"
#include "receive/grant.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int remove_entry(int dir, const char *name, dev_t device);

static int open_to_empty(int dir, const char *name)
{
	int fd = openat(dir, name, OPEN_DIRECTORY);
	struct stat st;

	/* Its owner may have closed it to himself, and it is to go anyway. */
	if (fd < 0 && errno == EACCES && !fchmodat(dir, name, 0700, 0))
		fd = openat(dir, name, OPEN_DIRECTORY);
	if (fd >= 0 && geteuid() && !fstat(fd, &st) && (st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
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
static int empty_directory(int fd, dev_t device)
{
	DIR *d = fdopendir(fd);
	int ret = 0;

	if (!d) {
		ret = error_errno(errno, "read a directory");
		close(fd);
		return ret;
	}
	for (struct dirent *e; !ret && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			ret = remove_entry(dirfd(d), e->d_name, device);
	closedir(d);
	return ret;
}

static int remove_entry(int dir, const char *name, dev_t device)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return error_errno(errno, "remove '%s'", name);
	if (st.st_dev != device)
		return error_set(EXDEV, "remove '%s': something is mounted there", name);
	if (S_ISDIR(st.st_mode)) {
		int fd = open_to_empty(dir, name);
		int ret = fd < 0 ? error_errno(errno, "open '%s'", name) : empty_directory(fd, device);

		if (ret)
			return ret;
	}
	if (unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
		return error_errno(errno, "remove '%s'", name);
	return 0;
}

int tree_remove(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : error_errno(errno, "remove '%s'", name);
	allow_descriptors();
	return remove_entry(dir, name, st.st_dev);
}
