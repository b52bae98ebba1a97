/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/lending.h"

#include <string.h>

#include "base/error.h"
#include "receive/grant.h"

int lending_take(struct host *host, int dir, const char *name, struct lent *lent)
{
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		return 0;
	if (st.st_mode & LENDING_BITS) {
		if (host->ops->chmod(host, dir, name, st.st_mode & 07777 & ~LENDING_BITS))
			return -errno;
		lent->bits = true;
	}
	if (host->ops->getxattr(host, dir, name, LENDING_XATTR, NULL, 0) >= 0) {
		if (host->ops->removexattr(host, dir, name, LENDING_XATTR))
			return -errno;
		lent->capability = true;
	}
	return 0;
}

static int fail_to_take(int ret)
{
	return error_errno(-ret, "take the setuid and setgid bits and the capabilities away");
}

int lending_copied(struct host *host, int dir, const char *name, const struct stat *original, struct tree_notes *notes)
{
	struct lent lent = {0};
	struct stat st;
	int ret;

	if (host->ops->stat(host, dir, name, &st))
		return error_errno(errno, "stat");
	if (st.st_uid == original->st_uid && st.st_gid == original->st_gid)
		return 0;
	ret = tree_notes_leave_out(notes, SKIPPED_OWNER);
	if (ret)
		return ret;
	ret = lending_take(host, dir, name, &lent);
	return ret ? fail_to_take(ret) : 0;
}

int lending_end(struct host_tree *h, int dir, const char *name)
{
	struct host *host = h->host;
	struct lent lent = {0};
	struct grant g;
	int ret = lending_take(host, dir, name, &lent);

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = lending_take(host, dir, name, &lent);
		ret = grant_end(&g, ret);
	}
	if (ret)
		return fail_to_take(ret);
	if (lent.bits)
		ret = host_tree_skip(h, SKIPPED_SETID, EPERM);
	if (!ret && lent.capability)
		ret = host_tree_skip(h, SKIPPED_SECURITY, EPERM);
	return ret;
}

/* Where nobody knows of the parent, who cannot give files away now could not then. */
static bool owners_were_lost(const struct host_tree *h)
{
	return tree_notes_left_out(h->notes, SKIPPED_OWNER) || (h->unrecorded && h->host->keeps_owners);
}

bool lending_may_begin(const struct host_tree *h, const struct tree_path *p)
{
	if (h->host->user || h->target->options.untrusted)
		return false;
	if (!owners_were_lost(h))
		return true;
	return h->has_owned && h->owned.len == p->len && !memcmp(h->owned.text, p->text, p->len);
}

void lending_owned(struct host_tree *h, const struct tree_path *p, bool kept)
{
	h->has_owned = kept && owners_were_lost(h);
	if (h->has_owned)
		h->owned = *p;
}

void lending_forget(struct host_tree *h)
{
	h->has_owned = false;
}

/* A stranger's content is not to be run with the rights of the parent's file. */
int lending_written(struct host_tree *h, int fd, mode_t *mode)
{
	struct stat st;

	*mode = 0;
	if (h->target->options.untrusted)
		return lending_end(h, fd, ".");
	if (h->host->ops->stat(h->host, fd, ".", &st))
		return error_errno(errno, "stat");
	if (st.st_mode & LENDING_BITS)
		*mode = st.st_mode & 07777;
	return 0;
}

/* The sender's file kept them.  Their owner is the right one, or they would have gone before. */
int lending_keep(struct host_tree *h, int fd, mode_t mode)
{
	struct host *host = h->host;
	struct stat st;

	for (int tries = 0; tries < 2; tries++) {
		if (host->ops->stat(host, fd, ".", &st))
			return error_errno(errno, "stat");
		if (!((st.st_mode ^ mode) & LENDING_BITS))
			return 0;
		if (host->user || host->ops->chmod(host, fd, ".", mode))
			break;
	}
	return host_tree_skip(h, SKIPPED_SETID, EPERM);
}
