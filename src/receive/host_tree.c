/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/host_tree.h"

#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "receive/grant.h"
#include "receive/host_root.h"
#include "receive/lending.h"
#include "receive/state_dir.h"
#include "receive/values.h"

void host_tree_init(struct host_tree *h, struct host *host, struct target *t, struct tree_notes *notes)
{
	*h = (struct host_tree){.host = host, .target = t, .root = -1, .file = -1, .notes = notes};
	file_copier_init(&h->copier, host);
	beneath_init(&h->beneath, host, -1);
}

void host_tree_release(struct host_tree *h)
{
	host_tree_close(h);
	file_copier_release(&h->copier);
	buffer_release(&h->data);
	decompressor_free(h->decompressor);
}

void host_tree_open(struct host_tree *h, int root)
{
	struct host *host = h->host;

	h->root = root;
	h->copier.no_holes = false;
	h->has_owned = false;
	names_clear(&h->names);
	beneath_init(&h->beneath, host, root);
	host_tree_filled(h);
}

void host_tree_filled(struct host_tree *h)
{
	struct host *host = h->host;

	h->hands_down = host->ops->getxattr(host, h->root, ".", "system.posix_acl_default", NULL, 0) > 0 ||
			host->ops->getxattr(host, h->root, ".", "btrfs.compression", NULL, 0) > 0;
}

void host_tree_close(struct host_tree *h)
{
	struct host *host = h->host;

	if (h->file >= 0)
		host_close(host, h->file);
	h->file = -1;
	h->file_lends = 0;
	beneath_release(&h->beneath);
	if (h->root >= 0)
		host_close(host, h->root);
	h->root = -1;
}

int host_tree_close_file(struct host_tree *h)
{
	int fd = h->file, kept;

	h->file = -1;
	if (fd < 0)
		return 0;
	kept = h->file_lends ? lending_keep(h, fd, h->file_lends) : 0;
	h->file_lends = 0;
	if (kept)
		host_close(h->host, fd);
	if (kept || !h->host->ops->close(h->host, fd))
		return kept;

	char text[512];
	int err = errno;

	escape_text(text, sizeof(text), h->file_path.text, h->file_path.len);
	return error_errno(err, "close '%s'", text);
}

/*
 * Open a regular file and nothing else: opening a device or a FIFO does things, so it is looked at
 * before as well as behind.
 */
static int try_open_regular(struct host *host, int dir, const char *name, int flags)
{
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
	flags |= O_NONBLOCK | O_NOCTTY;

	int fd = host->ops->open(host, dir, name, flags, 0);

	if (fd < 0)
		return -errno;

	int ret = host->ops->stat(host, fd, ".", &st) ? -errno : S_ISREG(st.st_mode) ? fd : -ENXIO;

	if (ret < 0)
		host_close(host, fd);
	return ret;
}

static int open_regular(struct host *host, int dir, const char *name, int flags)
{
	int fd = try_open_regular(host, dir, name, flags);
	struct grant g;

	if (fd == -EACCES && grant_begin(&g, host, dir, name))
		fd = grant_end_open(&g, try_open_regular(host, dir, name, flags));
	return fd;
}

/* A sentence for what open_regular() returned. */
static int explain(int ret)
{
	if (ret == -ELOOP)
		return error_set(ELOOP, "it is a symlink");
	if (ret == -EISDIR)
		return error_set(EISDIR, "it is a directory");
	if (ret == -ENXIO)
		return error_set(EINVAL, "it is no regular file");
	return error_errno(-ret, "open");
}

bool host_tree_has_open(const struct host_tree *h, const struct tree_path *p)
{
	return h->file >= 0 && h->file_path.len == p->len && !memcmp(h->file_path.text, p->text, p->len);
}

int host_tree_open_file(struct host_tree *h, const struct tree_path *p)
{
	if (host_tree_has_open(h, p))
		return 0;

	int ret = host_tree_close_file(h);

	if (ret)
		return ret;

	int dir = beneath_parent(&h->beneath, p);

	if (dir < 0)
		return dir;

	int fd = open_regular(h->host, dir, tree_path_name(p), O_RDWR);

	if (fd < 0)
		return explain(fd);
	h->file = fd;
	h->file_path = *p;
	return lending_written(h, fd, &h->file_lends);
}

int host_tree_open_source(struct beneath *b, const struct tree_path *p)
{
	int dir = beneath_parent(b, p);

	if (dir < 0)
		return error_wrap(dir, "source");

	int fd = open_regular(b->host, dir, tree_path_name(p), O_RDONLY);

	return fd < 0 ? error_wrap(explain(fd), "source") : fd;
}

int host_tree_skip(struct host_tree *h, enum skipped_kind kind, int err)
{
	int ret = target_skip(h->target, kind, err);

	return ret ? ret : tree_notes_leave_out(h->notes, kind);
}

int host_tree_skip_changed(struct host_tree *h, enum skipped_kind kind, const char *asked, const char *there)
{
	int ret = target_skip_changed(h->target, kind, asked, there);

	return ret ? ret : tree_notes_leave_out(h->notes, kind);
}

/* Commands on a node that could not be made have nothing to act on. */
static int apply_to_missing(struct host_tree *h, const struct operation *op, const struct note *note)
{
	switch (op->c->type) {
	case STREAM_C_RENAME: return tree_notes_rename(h->notes, op->path, op->other);
	case STREAM_C_LINK: return tree_notes_put(h->notes, op->path, note);
	case STREAM_C_UNLINK: return tree_notes_remove(h->notes, op->path);
	}
	return 0;
}

static bool is_mark(const struct stream_bytes *name)
{
	char key[VALUES_XATTR_NAME_MAX + 1];

	memcpy(key, name->data, name->len);
	key[name->len] = '\0';
	return state_dir_is_mark(key);
}

int host_tree_apply(struct host_tree *h, const struct operation *op, struct beneath *source)
{
	const struct tree_path *on = op->c->type == STREAM_C_LINK ? op->other : op->path;

	if (!tree_notes_empty(h->notes)) {
		struct note note = tree_notes_get(h->notes, on);

		if (note.missing)
			return apply_to_missing(h, op, &note);
	}
	if (host_root_waits(op))
		return host_root_note(h, op);
	switch (op->c->type) {
	case STREAM_C_MKFILE:
	case STREAM_C_MKDIR:
	case STREAM_C_MKNOD:
	case STREAM_C_MKFIFO:
	case STREAM_C_MKSOCK:
	case STREAM_C_SYMLINK:
		lending_forget(h);
		return host_tree_make(h, op);
	case STREAM_C_RENAME:
		lending_forget(h);
		return host_tree_rename(h, op);
	case STREAM_C_LINK:
		lending_forget(h);
		return host_tree_link(h, op);
	case STREAM_C_UNLINK:
	case STREAM_C_RMDIR:
		lending_forget(h);
		return host_tree_remove(h, op);
	case STREAM_C_SET_XATTR:
		/* By it btrfly's own notes are told from a tree that somebody has given their name. */
		if (is_mark(&op->c->xattr_name))
			return host_tree_skip(h, SKIPPED_XATTR, EPERM);
		return host_tree_set_xattr(h, op);
	case STREAM_C_REMOVE_XATTR:
		return host_tree_remove_xattr(h, op);
	case STREAM_C_WRITE:
		return host_tree_write(h, op);
	case STREAM_C_ENCODED_WRITE:
		return host_tree_encoded_write(h, op);
	case STREAM_C_CLONE:
		return host_tree_clone(h, op, source);
	case STREAM_C_TRUNCATE:
		return host_tree_truncate(h, op);
	case STREAM_C_FALLOCATE:
		return host_tree_fallocate(h, op);
	case STREAM_C_CHMOD:
		return host_tree_chmod(h, op);
	case STREAM_C_CHOWN:
		return host_tree_chown(h, op);
	case STREAM_C_UTIMES:
		return host_tree_utimes(h, op);
	case STREAM_C_FILEATTR:
		return host_tree_fileattr(h, op);
	case STREAM_C_ENABLE_VERITY:
		return host_tree_enable_verity(h, op);
	case STREAM_C_UPDATE_EXTENT:
		return host_tree_skip(h, SKIPPED_DATA, ENODATA);
	}
	return error_set(EINVAL, "no command within a subvolume");
}
