/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owner, mode, times and flags of a host tree's files: what was asked for is compared with what is there afterwards. */
#include <linux/fsverity.h>
#include <stdio.h>

#include "base/error.h"
#include "receive/attempt.h"
#include "receive/flags.h"
#include "receive/host_links.h"
#include "receive/host_root.h"
#include "receive/lending.h"

#define ATTRIBUTE_TEXT_MAX 128

/* What is to be said of what was asked for and of what is there. */
struct attribute_text {
	char text[ATTRIBUTE_TEXT_MAX];
};

/* A call came back with @ret, and what was asked for is there or not: an error with its message, or left out and counted. */
static int settle(struct host_tree *h, enum skipped_kind kind, int ret, const char *asked, const char *there)
{
	return ret ? host_tree_skip(h, kind, -ret) : host_tree_skip_changed(h, kind, asked, there);
}

/* What a write took from the open file comes back before its mode or its owner is set. */
static int begin_rights(struct attempt *a, struct host_tree *h, const struct operation *op)
{
	int ret = h->file_lends ? host_tree_close_file(h) : 0;

	return ret ? ret : attempt_init(a, h, op);
}

/* ---- Mode ------------------------------------------------------------------------------------------- */

static int set_mode(struct attempt *a)
{
	mode_t mode = a->op->c->mode & 07777;

	a->withheld = 0;
	if ((mode & LENDING_BITS) && !lending_may_begin(a->h, a->op->path)) {
		if (a->host->ops->stat(a->host, a->dir, a->name, &a->there))
			return -errno;
		if (!S_ISDIR(a->there.st_mode) || a->h->target->options.untrusted)
			a->withheld = mode & LENDING_BITS;
	}

	int ret = a->host->ops->chmod(a->host, a->dir, a->name, mode & ~a->withheld) ? -errno : 0;

	return a->host->ops->stat(a->host, a->dir, a->name, &a->there) ? -errno : ret;
}

static const char *mode_text(struct attribute_text *t, mode_t mode)
{
	snprintf(t->text, sizeof(t->text), "%04o", mode & 07777);
	return t->text;
}

int host_tree_chmod(struct host_tree *h, const struct operation *op)
{
	struct attribute_text asked, there;
	struct attempt a;
	int ret = begin_rights(&a, h, op);

	if (ret)
		return ret;
	a.sets_mode = true;
	ret = attempt_call(&a, set_mode);
	if (ret && !skipped_because(-ret))
		return error_errno(-ret, "chmod");
	if (ret && S_ISLNK(a.there.st_mode))
		return error_set(EOPNOTSUPP, "a symlink has no mode");

	mode_t mode = op->c->mode & 07777, wrong = (mode & ~a.withheld) ^ (a.there.st_mode & 07777);

	if (host_tree_has_open(h, op->path))
		h->file_lends = a.there.st_mode & LENDING_BITS ? a.there.st_mode & 07777 : 0;
	mode_text(&asked, mode);
	mode_text(&there, a.there.st_mode);
	if (a.withheld)
		ret = host_tree_skip(h, SKIPPED_SETID, EPERM);
	else
		ret = wrong & LENDING_BITS ? settle(h, SKIPPED_SETID, ret, asked.text, there.text) : 0;
	return !ret && (wrong & ~LENDING_BITS) ? settle(h, SKIPPED_MODE, 0, asked.text, there.text) : ret;
}

/* ---- Owner ------------------------------------------------------------------------------------------ */

static bool is_owned(const struct stat *st, const struct decoded_command *c)
{
	return st->st_uid == (uid_t)c->uid && st->st_gid == (gid_t)c->gid;
}

/* What is right already is not touched: the call would take bits of the mode away. */
static int set_owner(struct attempt *a)
{
	struct host *host = a->host;
	const struct decoded_command *c = a->op->c;

	if (host->ops->stat(host, a->dir, a->name, &a->there))
		return -errno;
	if (is_owned(&a->there, c))
		return 0;

	mode_t mode = a->there.st_mode;

	if (host->ops->chown(host, a->dir, a->name, (uid_t)c->uid, (gid_t)c->gid) ||
	    host->ops->stat(host, a->dir, a->name, &a->there))
		return -errno;
	/* The stream has a chmod of its own where the sender's file lost them. */
	if ((mode & LENDING_BITS) && is_owned(&a->there, c) && !a->h->target->options.untrusted && !S_ISLNK(mode) &&
	    !S_ISDIR(mode) && host->ops->chmod(host, a->dir, a->name, mode & 07777))
		return -errno;
	return 0;
}

static const char *owner_text(struct attribute_text *t, u64 uid, u64 gid)
{
	snprintf(t->text, sizeof(t->text), "%llu:%llu", (unsigned long long)uid, (unsigned long long)gid);
	return t->text;
}

/* Its owner is another one now: what the file lends would be his. */
static int lose_owner(struct attempt *a, int ret)
{
	struct attribute_text asked, there;
	int taken = lending_end(a->h, a->dir, a->name);

	if (taken)
		return taken;
	if (ret)
		return host_tree_skip(a->h, SKIPPED_OWNER, -ret);
	return host_tree_skip_changed(a->h, SKIPPED_OWNER, owner_text(&asked, a->op->c->uid, a->op->c->gid),
				      owner_text(&there, a->there.st_uid, a->there.st_gid));
}

/* Where failures are passed over, what comes behind it is not to lend anything either. */
static int fail_owner(struct attempt *a, int ret)
{
	int noted = tree_notes_leave_out(a->h->notes, SKIPPED_OWNER);

	lending_end(a->h, a->dir, a->name);
	return noted ? noted : error_errno(-ret, "chown");
}

int host_tree_chown(struct host_tree *h, const struct operation *op)
{
	struct attempt a;
	int ret = begin_rights(&a, h, op);

	if (ret)
		return ret;
	lending_owned(h, op->path, false);
	ret = attempt_call(&a, set_owner);
	if (ret && !skipped_because(-ret))
		return fail_owner(&a, ret);
	if (ret || !is_owned(&a.there, op->c))
		return lose_owner(&a, ret);
	lending_owned(h, op->path, true);
	return h->target->options.untrusted ? lending_end(h, a.dir, a.name) : 0;
}

/* ---- Times ------------------------------------------------------------------------------------------ */

static bool same_times(const struct timespec a[2], const struct stat *st)
{
	return a[0].tv_sec == st->st_atim.tv_sec && a[0].tv_nsec == st->st_atim.tv_nsec &&
	       a[1].tv_sec == st->st_mtim.tv_sec && a[1].tv_nsec == st->st_mtim.tv_nsec;
}

static const char *times_text(struct attribute_text *t, const struct timespec times[2])
{
	snprintf(t->text, sizeof(t->text), "access %lld.%09ld, modification %lld.%09ld", (long long)times[0].tv_sec,
		 times[0].tv_nsec, (long long)times[1].tv_sec, times[1].tv_nsec);
	return t->text;
}

/* utimens() came back with @ret. */
static int settle_times(struct host_tree *h, int ret, const struct timespec times[2], const struct stat *st)
{
	const struct timespec found[2] = {st->st_atim, st->st_mtim};
	struct attribute_text asked, there;

	if (ret && !skipped_because(-ret))
		return error_errno(-ret, "set the times");
	if (same_times(times, st))
		return 0;
	return settle(h, SKIPPED_TIMES, ret, times_text(&asked, times), times_text(&there, found));
}

static void times_of(struct timespec times[2], const struct decoded_command *c)
{
	times[0] = (struct timespec){.tv_sec = c->atime.sec, .tv_nsec = c->atime.nsec};
	times[1] = (struct timespec){.tv_sec = c->mtime.sec, .tv_nsec = c->mtime.nsec};
}

static int set_times(struct attempt *a)
{
	struct timespec times[2];

	times_of(times, a->op->c);

	int ret = a->host->ops->utimens(a->host, a->dir, a->name, times) ? -errno : 0;

	return a->host->ops->stat(a->host, a->dir, a->name, &a->there) ? -errno : ret;
}

int host_tree_utimes(struct host_tree *h, const struct operation *op)
{
	struct timespec times[2];
	struct attempt a;
	int ret;

	times_of(times, op->c);
	/* They come last. */
	if (!op->path->len)
		return tree_notes_set_times(h->notes, times[0], times[1]);
	ret = attempt_init(&a, h, op);
	if (ret)
		return ret;
	ret = attempt_call(&a, set_times);
	return settle_times(h, ret, times, &a.there);
}

static int seal_times(struct host_tree *h)
{
	struct host *host = h->host;
	struct stat st;
	int ret;

	if (!h->notes->has_times)
		return 0;
	ret = host->ops->utimens(host, h->root, ".", h->notes->times) ? -errno : 0;
	if (host->ops->stat(host, h->root, ".", &st))
		ret = -errno;
	ret = settle_times(h, ret, h->notes->times, &st);
	return ret ? error_wrap(ret, "the root") : 0;
}

/* ---- Flags ------------------------------------------------------------------------------------------ */

static const char *flags_text(struct attribute_text *t, u32 flags)
{
	snprintf(t->text, sizeof(t->text), "0x%x", flags);
	return t->text;
}

/* @name in @dir did not take them: @ret. */
static int leave_flags_out(struct host_tree *h, int dir, const char *name, u32 mask, u32 flags, int ret)
{
	struct attribute_text asked, there;
	u32 now = 0;

	if (!skipped_because(-ret))
		return error_errno(-ret, "set the flags");
	if (flags_read(h->host, dir, name, &now))
		return host_tree_skip(h, SKIPPED_FLAGS, -ret);
	return host_tree_skip_changed(h, SKIPPED_FLAGS, flags_text(&asked, flags), flags_text(&there, now & mask));
}

static int change_flags(struct host_tree *h, const char *path, size_t len, u32 mask, u32 flags)
{
	const char *name;
	int ret, dir = beneath_open_parent(&h->beneath, path, len, &name);

	if (dir < 0)
		return dir;
	ret = flags_change(h->host, dir, name, mask, flags);
	if (ret)
		ret = leave_flags_out(h, dir, name, mask, flags, ret);
	beneath_close(&h->beneath, dir);
	return ret;
}

int host_tree_fileattr(struct host_tree *h, const struct operation *op)
{
	u32 flags = flags_of_inode(op->c->fileattr), forbid = flags & FLAGS_THAT_FORBID;
	struct note note = tree_notes_get(h->notes, op->path);

	if (note.flags != forbid) {
		note.flags = forbid;

		int ret = tree_notes_put(h->notes, op->path, &note);
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
	int ret = host_tree_close_file(h);

	if (!ret)
		ret = host_links_seal(h);
	if (!ret)
		ret = seal_flags(h, false);
	/* Whoever owns the root may be at work in it from here on: nothing behind it acts on a name. */
	if (!ret)
		ret = host_root_seal(h);
	return ret ? ret : seal_times(h);
}

int host_tree_seal_root(struct host_tree *h)
{
	return seal_flags(h, true);
}

/* ---- fs-verity -------------------------------------------------------------------------------------- */

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
	if (ret && skipped_because(-ret))
		return host_tree_skip(h, SKIPPED_VERITY, -ret);
	return ret ? error_errno(-ret, "enable fs-verity") : 0;
}
