/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owner, mode, times, extended attributes and flags of a host tree's files. */
#include <linux/fsverity.h>
#include <string.h>

#include "base/error.h"
#include "receive/flags.h"
#include "receive/grant.h"
#include "receive/host_tree.h"
#include "receive/values.h"

#define ROOM_BYTES (1u << 20)

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static enum skipped_kind xattr_kind(const char *key)
{
	return begins(key, "trusted.")	       ? SKIPPED_TRUSTED :
	       begins(key, "security.")	       ? SKIPPED_SECURITY :
	       begins(key, "system.posix_acl_") ? SKIPPED_ACL :
						  SKIPPED_XATTR;
}

static const char *xattr_key(const struct decoded_command *c, char key[VALUES_XATTR_NAME_MAX + 1])
{
	memcpy(key, c->xattr_name.data, c->xattr_name.len);
	key[c->xattr_name.len] = '\0';
	return key;
}

/* Filesystems with little room for the attributes of one file call it a full disk. */
static bool has_room(struct host *host, int dir)
{
	struct statfs fs;

	if (host->ops->statfs(host, dir, &fs))
		return false;
	return fs.f_bavail > ROOM_BYTES / (u64)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
}

/* Namespaces that are the privileged's, and what this filesystem has no place for. */
static bool may_skip_xattr(struct host *host, int dir, int err, const char *key)
{
	switch (err) {
	case EOPNOTSUPP:
	case E2BIG:
	case ERANGE:
		return true;
	case ENOSPC:
		return has_room(host, dir);
	case EPERM:
		return !begins(key, "user.");
	}
	return false;
}

int host_tree_set_xattr(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	const struct stream_bytes *value = &op->c->xattr_data;
	char buf[VALUES_XATTR_NAME_MAX + 1];
	const char *key = xattr_key(op->c, buf), *name = tree_path_name(op->path);
	int dir = beneath_parent(&h->beneath, op->path);
	struct grant g;

	if (dir < 0)
		return dir;

	int ret = host->ops->setxattr(host, dir, name, key, value->data, value->len) ? -errno : 0;
	if (ret == -EACCES && grant_begin(&g, host, dir, name)) {
		ret = host->ops->setxattr(host, dir, name, key, value->data, value->len) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	if (ret && may_skip_xattr(host, dir, -ret, key))
		return host_tree_skip(h, xattr_kind(key), -ret);
	if (ret)
		return error_errno(-ret, "set the attribute");
	h->hands_down |= !strcmp(key, "system.posix_acl_default") || !strcmp(key, "btrfs.compression");
	return 0;
}

int host_tree_remove_xattr(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	char buf[VALUES_XATTR_NAME_MAX + 1];
	const char *key = xattr_key(op->c, buf), *name = tree_path_name(op->path);
	int dir = beneath_parent(&h->beneath, op->path);
	struct grant g;

	if (dir < 0)
		return dir;

	int ret = host->ops->removexattr(host, dir, name, key) ? -errno : 0;
	if (ret == -EACCES && grant_begin(&g, host, dir, name)) {
		ret = host->ops->removexattr(host, dir, name, key) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	/* It may be missing because setting it was skipped. */
	if (ret == -ENODATA && (op->again || xattr_kind(key) != SKIPPED_XATTR || !begins(key, "user.")))
		return 0;
	if (ret && may_skip_xattr(host, dir, -ret, key))
		return host_tree_skip(h, xattr_kind(key), -ret);
	return ret ? error_errno(-ret, "remove the attribute") : 0;
}

int host_tree_chmod(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	mode_t mode = op->c->mode & 07777;
	int dir = beneath_parent(&h->beneath, op->path);
	struct stat st;
	struct grant g;
	int ret;

	if (dir < 0)
		return dir;

	const char *name = tree_path_name(op->path);

	/*
	 * Without the right to give files away the owner is not the one the bits were meant for: as cp
	 * does, do not let them lend this user's rights instead.
	 */
	if ((mode & (S_ISUID | S_ISGID)) && h->beneath.may_grant &&
	    !host->ops->stat(host, dir, name, &st) && !S_ISDIR(st.st_mode)) {
		ret = host_tree_skip(h, SKIPPED_SETID, EPERM);
		if (ret)
			return ret;
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
	}
	ret = host->ops->chmod(host, dir, name, mode) ? -errno : 0;
	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = host->ops->chmod(host, dir, name, mode) ? -errno : 0;
		/* The root is the directory that was opened up for itself. */
		if (!op->path->len)
			grant_keep_directory(&g);
		ret = grant_end(&g, ret);
	}
	if (ret == -EOPNOTSUPP)
		return error_set(EOPNOTSUPP, "a symlink has no mode");
	return ret ? error_errno(-ret, "chmod") : 0;
}

/* What is right already is not touched: the call would take bits of the mode away. */
static int chown_at(struct host *host, int dir, const char *name, uid_t uid, gid_t gid)
{
	struct stat st;
	mode_t setid;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (st.st_uid == uid && st.st_gid == gid)
		return 0;
	if (host->ops->chown(host, dir, name, uid, gid))
		return -errno;
	/* The stream has a chmod of its own where the sender's file lost them. */
	setid = st.st_mode & (S_ISUID | S_ISGID);
	if (setid && !S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    host->ops->chmod(host, dir, name, st.st_mode & 07777))
		return -errno;
	return 0;
}

int host_tree_chown(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	const struct decoded_command *c = op->c;
	int dir = beneath_parent(&h->beneath, op->path);
	struct grant g;

	if (dir < 0)
		return dir;

	const char *name = tree_path_name(op->path);
	int ret = chown_at(host, dir, name, (uid_t)c->uid, (gid_t)c->gid);

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = chown_at(host, dir, name, (uid_t)c->uid, (gid_t)c->gid);
		ret = grant_end(&g, ret);
	}
	/* EINVAL: an owner that this user namespace does not know. */
	if (ret == -EPERM || ret == -EINVAL)
		return host_tree_skip(h, SKIPPED_OWNER, -ret);
	return ret ? error_errno(-ret, "chown") : 0;
}

int host_tree_utimes(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	const struct decoded_command *c = op->c;
	struct timespec times[2] = {
		{.tv_sec = c->atime.sec, .tv_nsec = c->atime.nsec},
		{.tv_sec = c->mtime.sec, .tv_nsec = c->mtime.nsec},
	};
	int dir = beneath_parent(&h->beneath, op->path);
	struct grant g;

	if (dir < 0)
		return dir;

	const char *name = tree_path_name(op->path);
	int ret = host->ops->utimens(host, dir, name, times) ? -errno : 0;

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = host->ops->utimens(host, dir, name, times) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	if (ret)
		return error_errno(-ret, "set the times");
	return op->path->len ? 0 : tree_notes_set_times(h->notes, times[0], times[1]);
}

static int change_flags(struct host_tree *h, const char *path, size_t len, u32 mask, u32 flags)
{
	const char *name;
	int ret, dir = beneath_open_parent(&h->beneath, path, len, &name);

	if (dir < 0)
		return dir;
	ret = flags_change(h->host, dir, name, mask, flags);
	beneath_close(&h->beneath, dir);
	if (ret == -ENOENT)
		return error_errno(ENOENT, "set the flags");
	return ret ? host_tree_skip(h, SKIPPED_FLAGS, -ret) : 0;
}

int host_tree_fileattr(struct host_tree *h, const struct operation *op)
{
	u32 flags = flags_of_inode(op->c->fileattr), forbid = flags & FLAGS_THAT_FORBID;
	int ret;

	struct note note = tree_notes_get(h->notes, op->path);

	if (note.flags != forbid) {
		note.flags = forbid;
		ret = tree_notes_put(h->notes, op->path, &note);
		if (ret)
			return ret;
	}
	return change_flags(h, op->path->text, op->path->len, ~FLAGS_THAT_FORBID, flags & ~FLAGS_THAT_FORBID);
}

static int seal_flags_of(struct host_tree *h, const struct path_entry *e)
{
	struct buffer path = {0};
	int ret = path_table_path(e, &path);

	if (!ret)
		ret = change_flags(h, (char *)path.data, path.len, FLAGS_THAT_FORBID, e->note.flags);
	buffer_release(&path);
	return ret;
}

static int seal_flags(struct host_tree *h, bool root)
{
	struct path_entry *e = NULL;
	int ret = 0;

	while (!ret && (e = path_table_next(&h->notes->paths, e)))
		if (e->note.flags && root == !e->parent)
			ret = seal_flags_of(h, e);
	return ret;
}

int host_tree_seal(struct host_tree *h)
{
	struct host *host = h->host;
	int ret = host_tree_close_file(h);

	if (!ret)
		ret = seal_flags(h, false);
	if (!ret && h->notes->has_times && host->ops->utimens(host, h->root, ".", h->notes->times))
		ret = error_errno(errno, "set the root's times");
	return ret;
}

int host_tree_seal_root(struct host_tree *h)
{
	return seal_flags(h, true);
}

int host_tree_enable_verity(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	const struct decoded_command *c = op->c;
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = c->verity_algorithm,
		.block_size = c->verity_block_size,
		.salt_size = c->verity_salt.len,
		.salt_ptr = (u64)(uintptr_t)c->verity_salt.data,
		.sig_size = c->verity_sig.len,
		.sig_ptr = (u64)(uintptr_t)c->verity_sig.data,
	};

	/* The kernel wants nobody to have it open for writing. */
	int ret = host_tree_close_file(h);

	if (ret)
		return ret;

	int fd = host_tree_open_source(&h->beneath, op->path);

	if (fd < 0)
		return fd;

	ret = host->ops->ioctl(host, fd, FS_IOC_ENABLE_VERITY, &arg) ? -errno : 0;

	host_close(host, fd);
	if (ret == -EEXIST && op->again)
		return 0;
	if (ret == -EOPNOTSUPP || ret == -ENOTTY || ret == -EPERM || ret == -EACCES)
		return host_tree_skip(h, SKIPPED_VERITY, -ret);
	return ret ? error_errno(-ret, "enable fs-verity") : 0;
}
