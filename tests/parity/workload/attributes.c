/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations on what an inode carries beside its data: owners, modes, times, xattrs, flags. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bytes.h"
#include "workload.h"

static int owner(struct workload *w)
{
	struct entry *e = tree_pick_any(w);

	if (!e)
		return 0;
	workload_note(w, "chown", e->path, NULL);
	return fchownat(w->root, e->path, random_below(w, 3) ? random_below(w, 70000) : 4294967294u,
			random_below(w, 70000), AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

static int mode(struct workload *w)
{
	struct entry *e = random_chance(w, 60) ? tree_pick(w, KIND_FILE) : tree_pick(w, KIND_DIR);

	if (!e)
		return 0;
	workload_note(w, "chmod", e->path, NULL);
	return fchmodat(w->root, tree_at(e->path), random_below(w, 010000), 0) ? -errno : 0;
}

static s64 second(struct workload *w)
{
	switch (random_below(w, 5)) {
	case 0:
		return -(s64)random_below(w, 1ull << 33);
	case 1:
		return (s64)(1ull << 32) + (s64)random_below(w, 1ull << 34);
	case 2:
		return 0;
	default:
		return 1500000000 + (s64)random_below(w, 100000000);
	}
}

static int times(struct workload *w)
{
	struct entry *e = tree_pick_any(w);

	if (!e)
		return 0;
	workload_note(w, "utimes", e->path, NULL);
	struct timespec ts[2];

	for (unsigned i = 0; i < 2; i++) {
		ts[i].tv_sec = second(w);
		ts[i].tv_nsec = random_chance(w, 20) ? 999999999 : (long)random_below(w, 1000000000);
	}
	return utimensat(w->root, e->path, ts, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* A file or directory, open for changing what is beside its data. */
static int open_any(struct workload *w, const char *what)
{
	struct entry *e = random_chance(w, 70) ? tree_pick(w, KIND_FILE) : tree_pick(w, KIND_DIR);

	if (!e)
		return -ENOENT;
	workload_note(w, what, e->path, NULL);
	int fd = openat(w->root, tree_at(e->path), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int set_xattr(struct workload *w, int fd, const char *name)
{
	static const unsigned limits[] = {1, 40, 40, 300, 3000, 16000};
	size_t len = random_below(w, limits[random_below(w, ARRAY_SIZE(limits))] + 1);

	random_bytes(w, w->scratch, len);
	return fsetxattr(fd, name, w->scratch, len, 0) ? -errno : 0;
}

static int xattr(struct workload *w)
{
	static const char *const spaces[] = {"user.", "user.", "security.", "trusted."};
	char name[WORKLOAD_NAME_MAX + 1], tail[WORKLOAD_NAME_MAX + 1];
	int fd = open_any(w, "xattr");

	if (fd < 0)
		return fd;
	if (random_chance(w, 40))
		snprintf(tail, sizeof(tail), "%u", (unsigned)random_below(w, 6)); /* met again */
	else
		random_name(w, tail, 240);
	snprintf(name, sizeof(name), "%s%.240s", spaces[random_below(w, ARRAY_SIZE(spaces))], tail);
	int ret = set_xattr(w, fd, name);

	close(fd);
	return ret;
}

/* Names that hash alike share one XATTR_ITEM. */
static int twin_xattrs(struct workload *w)
{
	char name[WORKLOAD_NAME_MAX + 1], twin[WORKLOAD_NAME_MAX + 1];
	int fd = open_any(w, "twin xattrs");

	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "user.twin-%08u", (unsigned)random_below(w, 100000000));
	int ret = random_twin(w, name, twin) ? -EAGAIN : set_xattr(w, fd, name);

	if (!ret)
		ret = set_xattr(w, fd, twin);
	close(fd);
	return ret;
}

static int drop_xattr(struct workload *w)
{
	char names[65536];
	int fd = open_any(w, "drop xattr");

	if (fd < 0)
		return fd;
	ssize_t len = flistxattr(fd, names, sizeof(names));
	int ret = len < 0 ? -errno : 0;

	if (len > 0) {
		u64 skip = random_below(w, len);
		const char *name = names;

		/* The name that the byte drawn lies in. */
		while (name + strlen(name) < names + skip)
			name += strlen(name) + 1;
		ret = fremovexattr(fd, name) ? -errno : 0;
	}
	close(fd);
	return ret;
}

/* Not the default one of the top directory: a receiver makes every new inode there first, and btrfs
 * receive lets it be handed down. */
static int acl(struct workload *w)
{
	static const u16 tags[] = {ACL_USER_OBJ, ACL_USER, ACL_USER, ACL_GROUP_OBJ,
				   ACL_GROUP,	 ACL_MASK, ACL_OTHER};
	u8 value[4 + 8 * ARRAY_SIZE(tags)];
	struct stat st;
	int fd = open_any(w, "acl");

	if (fd < 0)
		return fd;
	put_le32(value, POSIX_ACL_XATTR_VERSION);
	for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
		u8 *entry = value + 4 + 8 * i;
		bool named = tags[i] == ACL_USER || tags[i] == ACL_GROUP;

		put_le16(entry, tags[i]);
		put_le16(entry + 2, random_below(w, 8));
		/* Named entries of one tag rise, as the kernel wants them. */
		put_le32(entry + 4, named ? 1000 * i + (u32)random_below(w, 1000) : ACL_UNDEFINED_ID);
	}
	bool top = !fstat(fd, &st) && st.st_ino == w->entries[0].ino;
	const char *name = random_chance(w, 60) || top ? "system.posix_acl_access"
						       : "system.posix_acl_default";
	int ret = fsetxattr(fd, name, value, sizeof(value), 0) ? -errno : 0;

	close(fd);
	return ret;
}

static int capability(struct workload *w)
{
	u8 value[XATTR_CAPS_SZ_2] = {0};
	struct entry *e = tree_pick(w, KIND_FILE);

	if (!e)
		return 0;
	workload_note(w, "capability", e->path, NULL);
	put_le32(value, VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
	put_le32(value + 4, 1u << random_below(w, 32));
	int fd = openat(w->root, e->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int ret = fsetxattr(fd, "security.capability", value, sizeof(value), 0) ? -errno : 0;

	close(fd);
	return ret;
}

static int property(struct workload *w)
{
	static const char *const values[] = {"zlib", "lzo", "zstd", "none"};
	const char *value = values[random_below(w, ARRAY_SIZE(values))];
	int fd = open_any(w, "property");

	if (fd < 0)
		return fd;
	int ret = fsetxattr(fd, "btrfs.compression", value, strlen(value), 0) ? -errno : 0;

	close(fd);
	return ret;
}

static int flags(struct workload *w)
{
	static const int some[] = {FS_NOCOMP_FL, FS_COMPR_FL, FS_NOATIME_FL, FS_SYNC_FL, FS_NODUMP_FL, 0};
	int set = some[random_below(w, ARRAY_SIZE(some))], fd = open_any(w, "flags");

	if (fd < 0)
		return fd;
	int ret = ioctl(fd, FS_IOC_SETFLAGS, &set) ? -errno : 0;

	close(fd);
	return ret;
}

const struct operation attribute_operations[] = {
	{"chown", 20, owner},	    {"chmod", 20, mode},	   {"utimes", 20, times},
	{"xattr", 30, xattr},	    {"twin xattrs", 3, twin_xattrs}, {"drop xattr", 10, drop_xattr},
	{"acl", 10, acl},	    {"capability", 6, capability}, {"property", 6, property},
	{"flags", 4, flags},	    {0},
};
