/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of a host tree: what is made, renamed, linked and removed. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "receive/grant.h"
#include "receive/host_tree.h"

/* Make what the command says with as few rights as btrfs-progs gives; chmod comes later in the stream.
 * Returns 0, or the open file for MKFILE, or a negative errno. */
static int make_at(struct host *host, int dir, const char *name, const struct decoded_command *c)
{
	char target[TREE_PATH_MAX + 1];
	int ret = 0;

	switch (c->type) {
	case STREAM_C_MKFILE:
		ret = host->ops->open(host, dir, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		break;
	case STREAM_C_MKDIR:
		ret = host->ops->mkdir(host, dir, name, 0700);
		break;
	case STREAM_C_MKNOD:
		ret = host->ops->mknod(host, dir, name, c->mode & S_IFMT, c->rdev);
		break;
	case STREAM_C_MKFIFO:
		ret = host->ops->mknod(host, dir, name, S_IFIFO | 0600, 0);
		break;
	case STREAM_C_MKSOCK:
		ret = host->ops->mknod(host, dir, name, S_IFSOCK | 0600, 0);
		break;
	case STREAM_C_SYMLINK:
		memcpy(target, c->path_link.data, c->path_link.len);
		target[c->path_link.len] = '\0';
		ret = host->ops->symlink(host, target, dir, name);
		break;
	}
	return ret < 0 ? -errno : ret;
}

static mode_t made_type(const struct decoded_command *c)
{
	switch (c->type) {
	case STREAM_C_MKFILE: return S_IFREG;
	case STREAM_C_MKDIR: return S_IFDIR;
	case STREAM_C_MKNOD: return c->mode & S_IFMT;
	case STREAM_C_MKFIFO: return S_IFIFO;
	case STREAM_C_MKSOCK: return S_IFSOCK;
	}
	return S_IFLNK;
}

/* What a user may not make, or a filesystem does not have: SKIPPED_KINDS for what must be possible. */
static enum skipped_kind skipped_as(mode_t type)
{
	switch (type) {
	case S_IFCHR:
	case S_IFBLK: return SKIPPED_DEVICE;
	case S_IFIFO:
	case S_IFSOCK: return SKIPPED_SPECIAL;
	case S_IFLNK: return SKIPPED_SYMLINK;
	}
	return SKIPPED_KINDS;
}

static bool is_of_type(struct host *host, int dir, const char *name, mode_t type)
{
	struct stat st;

	return !host->ops->stat(host, dir, name, &st) && (st.st_mode & S_IFMT) == type;
}

/* The source's file has what the stream sets, and nothing from the directory it is made in here. */
static void drop_inherited(struct host *host, int dir, const char *name)
{
	host->ops->removexattr(host, dir, name, "system.posix_acl_access");
	host->ops->removexattr(host, dir, name, "system.posix_acl_default");
	host->ops->removexattr(host, dir, name, "btrfs.compression");
}

int host_tree_make(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	struct grant g;
	int ret, dir = beneath_parent(&h->beneath, op->path);

	if (dir < 0)
		return dir;

	const char *name = tree_path_name(op->path);
	const bool device = skipped_as(made_type(op->c)) == SKIPPED_DEVICE;
	int made = device && h->target->options.untrusted ? -EPERM : make_at(host, dir, name, op->c);

	if (made == -EACCES && grant_begin(&g, host, dir, NULL)) {
		made = make_at(host, dir, name, op->c);
		made = op->c->type == STREAM_C_MKFILE ? grant_end_open(&g, made) : grant_end(&g, made);
	}
	if (made == -EPERM || made == -EOPNOTSUPP) {
		enum skipped_kind kind = skipped_as(made_type(op->c));

		if (kind != SKIPPED_KINDS) {
			const struct note missing = {.missing = true};

			ret = host_tree_skip(h, kind, -made);
			return ret ? ret : tree_notes_put(h->notes, op->path, &missing);
		}
	}

	bool made_before = made == -EEXIST && op->again && is_of_type(host, dir, name, made_type(op->c));

	if (made < 0 && !made_before)
		return error_errno(-made, "create");
	if (h->hands_down && op->c->type != STREAM_C_SYMLINK)
		drop_inherited(host, dir, name);
	if (op->c->type != STREAM_C_MKFILE || made_before)
		return 0;
	ret = host_tree_close_file(h);
	h->file = made;
	h->file_path = *op->path;
	return ret;
}

/* The open file's name follows a rename of it, or of a directory above it. */
static int rename_open_file(struct host_tree *h, const struct tree_path *from, const struct tree_path *to)
{
	struct tree_path *p = &h->file_path;

	if (h->file < 0)
		return 0;
	if (p->len == from->len && tree_path_covers(from, p->text, p->len))
		*p = *to;
	else if (tree_path_covers(from, p->text, p->len) || tree_path_covers(to, p->text, p->len))
		return host_tree_close_file(h);
	return 0;
}

/* A directory's new parent is written into it, so its owner needs the right to write it as well. */
static int rename_granted(struct host *host, int from_dir, const char *from, int to_dir,
			  const char *to)
{
	struct grant source, target;
	bool granted = grant_begin(&source, host, from_dir, from);
	int ret = -EACCES;

	granted |= grant_begin(&target, host, to_dir, NULL);
	grant_will_move(&source, to_dir, to);
	if (granted)
		ret = host->ops->rename(host, from_dir, from, to_dir, to, 0) ? -errno : 0;
	if (!ret)
		grant_moved(&source, to_dir, to);
	ret = grant_end(&source, ret);
	return grant_end(&target, ret);
}

/* On a second try: what was to be renamed is not there any more, and its new name is. */
static bool renamed_already(struct host *host, int from_dir, const char *from, int to_dir,
			    const char *to)
{
	struct stat st;

	return host->ops->stat(host, from_dir, from, &st) && !host->ops->stat(host, to_dir, to, &st);
}

int host_tree_rename(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	const struct tree_path *from = op->path, *to = op->other;
	int from_dir = beneath_parent(&h->beneath, from);

	if (from_dir < 0)
		return from_dir;

	int to_dir = beneath_parent(&h->beneath, to);

	if (to_dir < 0)
		return error_wrap(to_dir, "the new name");

	const char *from_name = tree_path_name(from), *to_name = tree_path_name(to);
	int ret = host->ops->rename(host, from_dir, from_name, to_dir, to_name, 0) ? -errno : 0;

	if (ret == -EACCES)
		ret = rename_granted(host, from_dir, from_name, to_dir, to_name);
	if (ret == -ENOENT && op->again && renamed_already(host, from_dir, from_name, to_dir, to_name))
		ret = 0;
	if (ret)
		return error_errno(-ret, "rename");

	int closed = rename_open_file(h, from, to);

	beneath_forget(&h->beneath, from);
	beneath_forget(&h->beneath, to);
	ret = tree_notes_rename(h->notes, from, to);
	return ret ? ret : closed;
}

int host_tree_link(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	int from_dir = beneath_parent(&h->beneath, op->other);
	struct grant g;

	if (from_dir < 0)
		return error_wrap(from_dir, "the existing name");

	int dir = beneath_parent(&h->beneath, op->path);

	if (dir < 0)
		return dir;

	const char *from = tree_path_name(op->other), *name = tree_path_name(op->path);
	int ret = host->ops->link(host, from_dir, from, dir, name) ? -errno : 0;

	if (ret == -EACCES) {
		struct grant source;
		bool granted = grant_begin(&source, host, from_dir, NULL);

		granted |= grant_begin(&g, host, dir, NULL);
		if (granted)
			ret = host->ops->link(host, from_dir, from, dir, name) ? -errno : 0;
		ret = grant_end(&g, ret);
		ret = grant_end(&source, ret);
	}
	if (ret == -EEXIST && op->again) {
		struct stat a, b;

		if (!host->ops->stat(host, from_dir, from, &a) &&
		    !host->ops->stat(host, dir, name, &b) && a.st_ino == b.st_ino)
			ret = 0;
	}
	return ret ? error_errno(-ret, "link") : 0;
}

int host_tree_remove(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	int flags = op->c->type == STREAM_C_RMDIR ? AT_REMOVEDIR : 0;
	int dir = beneath_parent(&h->beneath, op->path);
	struct grant g;

	if (dir < 0)
		return dir;

	const char *name = tree_path_name(op->path);
	int ret = host->ops->unlink(host, dir, name, flags) ? -errno : 0;

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = host->ops->unlink(host, dir, name, flags) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	if (ret == -ENOENT && op->again)
		ret = 0;
	if (ret)
		return error_errno(-ret, "remove");
	if (h->file >= 0 && tree_path_covers(op->path, h->file_path.text, h->file_path.len))
		ret = host_tree_close_file(h);
	beneath_forget(&h->beneath, op->path);
	if (!ret)
		ret = tree_notes_remove(h->notes, op->path);
	return ret;
}
