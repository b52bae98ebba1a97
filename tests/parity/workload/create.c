/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that make something new: every type, links, crowds, depths. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "workload.h"

/* What new inodes get beside their type, before the first byte of data. */
static void flags_of_new(struct workload *w, int fd)
{
	static const int flags[] = {FS_NOCOW_FL, FS_COMPR_FL, FS_NOCOMP_FL, FS_NOATIME_FL, FS_NODUMP_FL};
	int set = flags[random_below(w, ARRAY_SIZE(flags))];

	if (random_chance(w, 8))
		ioctl(fd, FS_IOC_SETFLAGS, &set);
}

static int make_file(struct workload *w, const char *path, bool filled)
{
	int fd = openat(w->root, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600 + random_below(w, 64));

	if (fd < 0)
		return -errno;
	tree_add(w, path, KIND_FILE);
	flags_of_new(w, fd);
	int ret = filled ? data_fill(w, fd) : 0;

	close(fd);
	return ret;
}

static int create_file(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	int ret = tree_new_path(w, NULL, path);

	if (ret)
		return ret;
	workload_note(w, "file", path, NULL);
	return make_file(w, path, random_chance(w, 92));
}

static int make_dir(struct workload *w, const char *path)
{
	if (mkdirat(w->root, path, 0755))
		return -errno;
	tree_add(w, path, KIND_DIR);
	return 0;
}

static int create_dir(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	int ret = tree_new_path(w, NULL, path);

	if (ret)
		return ret;
	workload_note(w, "dir", path, NULL);
	return make_dir(w, path);
}

static int create_symlink(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1], target[4096];
	int ret = tree_new_path(w, NULL, path);

	if (ret)
		return ret;
	if (random_chance(w, 70)) {
		random_name(w, target, 200);
	} else {
		size_t len = 200 + random_below(w, random_chance(w, 30) ? 3800 : 1800);

		for (size_t i = 0; i < len; i++)
			target[i] = i % 50 == 49 ? '/' : 'a' + random_below(w, 26);
		target[len] = '\0';
	}
	workload_note(w, "symlink", path, NULL);
	if (symlinkat(target, w->root, path))
		return -errno;
	tree_add(w, path, KIND_OTHER);
	return 0;
}

static int create_special(struct workload *w)
{
	static const mode_t types[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFCHR};
	char path[WORKLOAD_PATH_MAX + 1];
	mode_t mode = types[random_below(w, ARRAY_SIZE(types))] | random_below(w, 01000);
	dev_t rdev = 0;
	int ret = tree_new_path(w, NULL, path);

	if (ret)
		return ret;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		rdev = random_chance(w, 20) ? makedev(0, 0) /* a whiteout, if it is a character device */
					    : makedev(random_below(w, 4096), random_below(w, 1 << 20));
	workload_note(w, "special", path, NULL);
	if (mknodat(w->root, path, mode, rdev))
		return -errno;
	tree_add(w, path, KIND_OTHER);
	return 0;
}

static int make_link(struct workload *w, const char *from, const char *to)
{
	if (linkat(w->root, from, w->root, to, 0))
		return -errno;
	tree_add(w, to, tree_find(w, from)->kind);
	return 0;
}

static int create_link(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1], from[WORKLOAD_PATH_MAX + 1];
	struct entry *e = random_chance(w, 85) ? tree_pick(w, KIND_FILE) : tree_pick(w, KIND_OTHER);
	int ret = tree_new_path(w, NULL, path);

	if (!e || ret)
		return ret;
	tree_copy_path(from, e->path);
	workload_note(w, "link", from, path);
	return make_link(w, from, path);
}

/*
 * So many long names of one inode in one directory that its INODE_REF item, which ends with the
 * leaf, cannot hold them, and INODE_EXTREF items follow.
 */
static int create_links(struct workload *w)
{
	static const unsigned crowds[] = {3, 6, 20, 80, 280};
	char path[WORKLOAD_PATH_MAX + 1], from[WORKLOAD_PATH_MAX + 1], dir[WORKLOAD_PATH_MAX + 1];
	char name[WORKLOAD_NAME_MAX + 1];
	struct entry *e = tree_pick(w, KIND_FILE);
	unsigned crowd = crowds[random_below(w, ARRAY_SIZE(crowds))];
	size_t len = random_chance(w, 70) ? 200 + random_below(w, 56) : 8;

	if (!e)
		return 0;
	tree_copy_path(from, e->path);
	tree_copy_path(dir, tree_pick(w, KIND_DIR)->path);
	workload_note(w, "links", from, dir);
	for (unsigned i = 0; i < crowd; i++) {
		snprintf(name, sizeof(name), "%0*u", (int)len, (unsigned)random_below(w, 100000));
		if (tree_join(dir, name, path))
			return -ENAMETOOLONG;
		int ret = make_link(w, from, path);

		if (ret && ret != -EEXIST)
			return ret;
	}
	return 0;
}

/* Two names that hash alike share a DIR_ITEM. */
static int create_twins(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1], dir[WORKLOAD_PATH_MAX + 1];
	char name[2][WORKLOAD_NAME_MAX + 1];

	tree_copy_path(dir, tree_pick(w, KIND_DIR)->path);
	snprintf(name[0], sizeof(name[0]), "twin-%08u", (unsigned)random_below(w, 100000000));
	if (random_twin(w, name[0], name[1]))
		return -EAGAIN;
	workload_note(w, "twins", dir, name[0]);
	for (unsigned i = 0; i < 2; i++) {
		int ret = tree_join(dir, name[i], path);

		if (!ret)
			ret = random_chance(w, 50) ? make_dir(w, path) : make_file(w, path, true);
		if (ret)
			return ret;
	}
	return 0;
}

/* More directories than the kernel's send remembers the times of (64), each with something in it. */
static int create_crowd(struct workload *w)
{
	char dir[WORKLOAD_PATH_MAX + 1], path[WORKLOAD_PATH_MAX + 1], name[32];
	unsigned count = 66 + random_below(w, 60);
	int ret = tree_new_path(w, NULL, dir);

	if (ret)
		return ret;
	workload_note(w, "crowd", dir, NULL);
	ret = make_dir(w, dir);
	for (unsigned i = 0; i < count && !ret; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		ret = tree_join(dir, name, path);
		if (!ret)
			ret = make_dir(w, path);
	}
	/* In another order, so that the times of old directories are asked for again. */
	for (unsigned i = 0; i < count && !ret; i++) {
		snprintf(name, sizeof(name), "d%u/f", (unsigned)random_below(w, count));
		ret = tree_join(dir, name, path);
		if (!ret)
			ret = make_file(w, path, random_chance(w, 10));
		if (ret == -EEXIST)
			ret = 0;
	}
	return ret;
}

/* Down to where paths end. */
static int create_depth(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	size_t end = random_chance(w, 25) ? WORKLOAD_PATH_MAX : 100 + random_below(w, 1500);
	int ret = tree_new_path(w, NULL, path);

	workload_note(w, "depth", path, NULL);
	while (!ret) {
		ret = make_dir(w, path);
		size_t len = strlen(path), more = random_chance(w, 50) ? 240 : 20;

		if (ret || len + 5 > end)
			break;
		if (len + 1 + more > end)
			more = end - len - 1;
		path[len] = '/';
		memset(path + len + 1, 'a' + random_below(w, 26), more);
		path[len + 1 + more] = '\0';
	}
	return ret;
}

/* A nested subvolume: the sender passes it by. */
static int create_subvolume(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	struct btrfs_ioctl_vol_args args = {0};
	struct entry *dir = tree_pick(w, KIND_DIR);

	random_name(w, args.name, 100);
	int ret = tree_join(dir->path, args.name, path);

	if (ret)
		return ret;
	workload_note(w, "subvolume", path, NULL);
	int fd = openat(w->root, tree_at(dir->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args) ? -errno : 0;
	if (!ret)
		tree_add(w, path, KIND_SUBVOLUME);
	close(fd);
	return ret;
}

const struct operation create_operations[] = {
	{"file", 120, create_file},	    {"dir", 40, create_dir},
	{"symlink", 20, create_symlink},    {"special", 15, create_special},
	{"link", 25, create_link},	    {"links", 3, create_links},
	{"twins", 3, create_twins},	    {"crowd", 1, create_crowd},
	{"depth", 2, create_depth},	    {"subvolume", 2, create_subvolume},
	{0},
};
