/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

/* As many symbolic links as the kernel follows. */
#define LINKS_MAX 40

void place_release(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	free(p->path);
	*p = (struct place){.dir = -1, .descriptor = -1};
}

/* Bytes of p->path up to its last part. */
static int dir_length(const struct place *p)
{
	const char *slash = strrchr(p->path, '/');

	return slash ? (int)(slash + 1 - p->path) : 0;
}

char *place_beside(const struct place *p, const char *name)
{
	char *path;

	return asprintf(&path, "%.*s%s", dir_length(p), p->path, name) < 0 ? NULL : path;
}

/* The directory and the name in it that p->path stands for, no link followed.  0 or a positive errno. */
static int split(struct place *p)
{
	const int len = dir_length(p);
	char *dir = strndup(p->path, (size_t)len);

	if (!dir)
		return ENOMEM;
	if (strlen(p->path + len) > NAME_MAX) {
		free(dir);
		return ENAMETOOLONG;
	}
	snprintf(p->name, sizeof(p->name), "%s", p->path + len);
	if (p->dir >= 0)
		close(p->dir);
	p->dir = open(len ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (p->dir < 0)
		return errno;
	/* What ends with a slash would be a directory. */
	if (!*p->name)
		return EISDIR;
	p->exists = !fstatat(p->dir, p->name, &p->st, AT_SYMLINK_NOFOLLOW);
	return p->exists || errno == ENOENT ? 0 : errno;
}

/* Links of /proc are not texts that could be followed by hand. */
static bool in_proc(int dir)
{
	struct statfs fs;

	return !fstatfs(dir, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

static bool same_directory(int dir, const char *path)
{
	struct stat a, b;

	return !fstat(dir, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void note_descriptor(struct place *p)
{
	p->is_descriptor = true;
	if (same_directory(p->dir, "/proc/self/fd") || same_directory(p->dir, "/proc/thread-self/fd"))
		p->descriptor = atoi(p->name);
}

bool place_is_trap(int dir, const struct stat *st)
{
	const mode_t open_to_all = S_ISVTX | S_IWOTH;
	struct stat d;

	return st->st_uid != geteuid() && !fstat(dir, &d) && (d.st_mode & open_to_all) == open_to_all &&
	       st->st_uid != d.st_uid;
}

/* Let p->path be what the link there says.  0 or a positive errno. */
static int follow(struct place *p)
{
	char *target = malloc(PATH_MAX), *path;
	ssize_t len = target ? readlinkat(p->dir, p->name, target, PATH_MAX - 1) : -1;
	const int err = target ? errno : ENOMEM;

	if (len < 0) {
		free(target);
		return err;
	}
	target[len] = '\0';
	path = *target == '/' ? strdup(target) : place_beside(p, target);
	free(target);
	if (!path)
		return ENOMEM;
	free(p->path);
	p->path = path;
	return 0;
}

static int find(struct place *p, const char *path)
{
	struct stat st;

	/* The kernel has its own opinion of some links (protected_symlinks), and it is asked first. */
	if (stat(path, &st)) {
		if (errno != ENOENT)
			return errno;
	} else if (S_ISDIR(st.st_mode)) {
		return EISDIR;
	}
	p->path = strdup(path);
	if (!p->path)
		return ENOMEM;
	for (int links = 0; links <= LINKS_MAX; links++) {
		int err = split(p);

		/* A descriptor that is not open; nothing can be made there. */
		if (!err && !p->exists && in_proc(p->dir))
			return ENOENT;
		if (err || !p->exists || !S_ISLNK(p->st.st_mode))
			return err;
		if (in_proc(p->dir)) {
			note_descriptor(p);
			return 0;
		}
		err = place_is_trap(p->dir, &p->st) ? EACCES : follow(p);
		if (err)
			return err;
	}
	return ELOOP;
}

int place_find(struct place *p, const char *path)
{
	int err;

	*p = (struct place){.dir = -1, .descriptor = -1};
	err = find(p, path);
	if (!err)
		return 0;
	place_release(p);
	return error_errno(err, "cannot create '%s'", path);
}

static bool is_mount_point(const struct place *p)
{
	struct statx st;

	return !statx(p->dir, p->name, AT_SYMLINK_NOFOLLOW, 0, &st) &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

bool place_replaceable(const struct place *p)
{
	const uid_t me = geteuid();
	struct stat dir;

	if (!p->exists)
		return true;
	if (is_mount_point(p))
		return false;
	return !me || fstat(p->dir, &dir) || !(dir.st_mode & S_ISVTX) || dir.st_uid == me ||
	       p->st.st_uid == me;
}
