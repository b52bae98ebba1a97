/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/host_root.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "receive/state_dir.h"

#define ACCESS_MAX 65536
#define WRITABLE_BY_OTHERS ((mode_t)(S_IWGRP | S_IWOTH))

static bool is_access_list(const struct stream_bytes *name)
{
	return name->len == strlen(HOST_ROOT_ACCESS) && !memcmp(name->data, HOST_ROOT_ACCESS, name->len);
}

bool host_root_waits(const struct operation *op)
{
	if (op->path->len)
		return false;
	switch (op->c->type) {
	case STREAM_C_CHOWN:
	case STREAM_C_CHMOD: return true;
	case STREAM_C_SET_XATTR:
	case STREAM_C_REMOVE_XATTR: return is_access_list(&op->c->xattr_name);
	}
	return false;
}

int host_root_note(struct host_tree *h, const struct operation *op)
{
	const struct decoded_command *c = op->c;

	switch (c->type) {
	case STREAM_C_CHOWN: return tree_notes_set_owner(h->notes, c->uid, c->gid, false);
	case STREAM_C_CHMOD: return tree_notes_set_mode(h->notes, (u32)c->mode, false);
	case STREAM_C_SET_XATTR: return tree_notes_set_access(h->notes, c->xattr_data.data, c->xattr_data.len, false);
	default: return tree_notes_set_access(h->notes, NULL, 0, false);
	}
}

/* ---- The parent's: what a copy of it cannot have is passed over, as in the rest of the copy -------------------- */

static int give_parents_owner(struct host_tree *h, const struct root_note *n)
{
	struct host *host = h->host;
	const uid_t uid = (uid_t)n->uid;
	const gid_t gid = (gid_t)n->gid;
	struct stat st;

	if (host->ops->chown(host, h->root, ".", uid, gid) && !skipped_because(errno))
		return error_errno(errno, "chown");
	if (host->ops->stat(host, h->root, ".", &st))
		return error_errno(errno, "stat");
	return st.st_uid == uid && st.st_gid == gid ? 0 : tree_notes_leave_out(h->notes, SKIPPED_OWNER);
}

static int give_parents(struct host_tree *h, const struct root_note *n, enum root_part part)
{
	struct host *host = h->host;

	switch (part) {
	case ROOT_OWNER:
		return give_parents_owner(h, n);
	case ROOT_MODE:
		return host->ops->chmod(host, h->root, ".", n->mode) ? error_errno(errno, "chmod") : 0;
	case ROOT_ACCESS:
		if (host->ops->setxattr(host, h->root, ".", HOST_ROOT_ACCESS, n->access.data, n->access.len) &&
		    errno != EPERM && errno != EOPNOTSUPP)
			return error_errno(errno, "set an attribute");
	}
	return 0;
}

/* ---- What the stream asks for ---------------------------------------------------------------------------------- */

static int give_asked(struct host_tree *h, const struct root_note *n, enum root_part part)
{
	static const struct tree_path root;
	struct decoded_command c = {
		.uid = n->uid,
		.gid = n->gid,
		.mode = n->mode,
		.xattr_name = {HOST_ROOT_ACCESS, (u32)strlen(HOST_ROOT_ACCESS)},
		.xattr_data = {(const char *)n->access.data, (u32)n->access.len},
	};
	const struct operation op = {.c = &c, .path = &root, .again = true};

	switch (part) {
	case ROOT_OWNER: return host_tree_chown(h, &op);
	case ROOT_MODE: return host_tree_chmod(h, &op);
	case ROOT_ACCESS: return n->access.len ? host_tree_set_xattr(h, &op) : host_tree_remove_xattr(h, &op);
	}
	return 0;
}

static int give(struct host_tree *h, enum root_part part)
{
	const struct root_note *n = &h->notes->root;

	if (!root_note_has(n, part))
		return 0;
	return root_note_inherits(n, part) ? give_parents(h, n, part) : give_asked(h, n, part);
}

/* A list changes the mode, and the mode a list: the one that was said last holds. */
int host_root_seal(struct host_tree *h)
{
	const bool access_last = h->notes->root.access_last;
	int ret = give(h, ROOT_OWNER);

	if (!ret)
		ret = give(h, access_last ? ROOT_MODE : ROOT_ACCESS);
	if (!ret)
		ret = give(h, access_last ? ROOT_ACCESS : ROOT_MODE);
	return ret ? error_wrap(ret, "the root") : 0;
}

/* ---- A snapshot's ---------------------------------------------------------------------------------------------- */

static int note_access(struct host *host, int fd, struct tree_notes *notes)
{
	struct buffer list = {0};
	int ret = buffer_reserve(&list, ACCESS_MAX);
	ssize_t n;

	if (ret)
		return ret;
	n = host->ops->getxattr(host, fd, ".", HOST_ROOT_ACCESS, list.data, ACCESS_MAX);
	if (n > 0)
		ret = tree_notes_set_access(notes, list.data, (size_t)n, true);
	else if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		ret = error_errno(errno, "read the root's access list");
	buffer_release(&list);
	return ret;
}

/* Who may not give files away keeps what others own as it is. */
static int take_over(struct host *host, int fd, const struct stat *st)
{
	if (st->st_uid != host->user && host->ops->chown(host, fd, ".", host->user, st->st_gid) &&
	    !(host->keeps_owners && skipped_because(errno)))
		return error_errno(errno, "chown the root");
	if (host->ops->removexattr(host, fd, ".", HOST_ROOT_ACCESS) && !skipped_because(errno))
		return error_errno(errno, "remove the root's access list");
	if (host->ops->chmod(host, fd, ".", 0700) && !(host->keeps_owners && skipped_because(errno)))
		return error_errno(errno, "chmod the root");
	return 0;
}

int host_root_close(struct host *host, int fd, struct tree_notes *notes)
{
	struct stat st;
	int ret;

	if (host->ops->stat(host, fd, ".", &st))
		return error_errno(errno, "stat the root");
	ret = tree_notes_set_owner(notes, st.st_uid, st.st_gid, true);
	if (!ret)
		ret = note_access(host, fd, notes);
	if (!ret)
		ret = tree_notes_set_mode(notes, st.st_mode, true);
	return ret ? ret : take_over(host, fd, &st);
}

bool host_root_is_given(struct host *host, int fd, const struct root_note *n)
{
	struct stat st;

	/* An ordinary user has no more rights to lose than those who he lets write there. */
	if (host->user || host->ops->stat(host, fd, ".", &st))
		return false;
	if (!state_dir_is_ours(host, fd, &st))
		return true;
	if (root_note_has(n, ROOT_ACCESS) && host->ops->getxattr(host, fd, ".", HOST_ROOT_ACCESS, NULL, 0) > 0)
		return true;
	return root_note_has(n, ROOT_MODE) && (st.st_mode & n->mode & WRITABLE_BY_OTHERS);
}
