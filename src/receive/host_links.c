/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. Of the paths with one note.links exactly one has no note.copy: it is the file, and may have further hard
 *    links that nothing is noted of.
 * 2. Every copy is there from its LINK on, so that its name is taken, its directory is not empty, and the
 *    directory's times do not change at the end.  What it holds before that is of no meaning.
 * 3. Unless it is missing, too: then it is another spelling of one of the other names in its directory, and can
 *    only be given when that goes.
 */
#include "receive/host_links.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "receive/flags.h"
#include "receive/grant.h"
#include "receive/tree_copy.h"

bool host_links_lacks(int err)
{
	switch (err) {
	case EPERM:
	case EOPNOTSUPP:
	case ENOSYS:
	case EINVAL:
	case EMLINK:
	case EXDEV:
		return true;
	}
	return false;
}

static int entry_path(const struct path_entry *e, struct tree_path *p)
{
	struct buffer path = {0};
	int ret = path_table_path(e, &path);

	if (!ret)
		ret = tree_path_set(p, (struct stream_bytes){(char *)path.data, (u32)path.len});
	buffer_release(&path);
	return ret;
}

/* In @file the file that @p is a copy of, or @p itself. */
static int find_file(struct host_tree *h, const struct tree_path *p, struct tree_path *file)
{
	struct note note = tree_notes_get(h->notes, p);

	if (!note.links || !note.copy) {
		*file = *p;
		return 0;
	}
	for (struct path_entry *e = NULL; (e = path_table_linked(&h->notes->paths, note.links, e));)
		if (!e->note.copy)
			return entry_path(e, file);
	return error_set(EINVAL, "it is noted as a copy, but not of what");
}

int host_links_resolve(struct host_tree *h, const struct operation *op, struct operation *out)
{
	int ret = 0;

	*out = *op;
	if (tree_notes_empty(h->notes))
		return 0;
	switch (op->c->type) {
	case STREAM_C_MKFILE:
	case STREAM_C_MKDIR:
	case STREAM_C_MKNOD:
	case STREAM_C_MKFIFO:
	case STREAM_C_MKSOCK:
	case STREAM_C_SYMLINK:
	case STREAM_C_RENAME:
	case STREAM_C_UNLINK:
	case STREAM_C_RMDIR:
		return 0;
	case STREAM_C_LINK:
		break;
	default:
		ret = find_file(h, op->path, &h->file_of[0]);
		out->path = &h->file_of[0];
	}
	if (!ret && (op->c->type == STREAM_C_LINK || op->within)) {
		ret = find_file(h, op->other, &h->file_of[1]);
		out->other = &h->file_of[1];
	}
	return ret;
}

/* ---- A copy's name ---------------------------------------------------------------------------------- */

static int make_symlink(struct host *host, int from_dir, const char *from, int dir, const char *name)
{
	char target[TREE_PATH_MAX + 1];
	ssize_t n = host->ops->readlink(host, from_dir, from, target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target))
		return n < 0 ? -errno : -ENAMETOOLONG;
	target[n] = '\0';
	return host->ops->symlink(host, target, dir, name) ? -errno : 0;
}

/* Of the type of @from, and nothing more. */
static int make_name(struct host *host, int from_dir, const char *from, int dir, const char *name)
{
	struct stat st;
	int fd;

	if (host->ops->stat(host, from_dir, from, &st))
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		fd = host->ops->open(host, dir, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			return -errno;
		return host->ops->close(host, fd) ? -errno : 0;
	case S_IFLNK:
		return make_symlink(host, from_dir, from, dir, name);
	case S_IFDIR:
		return -EPERM;
	}
	return host->ops->mknod(host, dir, name, st.st_mode & (S_IFMT | 0600), st.st_rdev) ? -errno : 0;
}

static int make_name_granted(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	int from_dir = beneath_parent(&h->beneath, op->other);
	int dir = from_dir < 0 ? from_dir : beneath_parent(&h->beneath, op->path);
	const char *from = tree_path_name(op->other), *name = tree_path_name(op->path);
	struct grant source, g;

	if (dir < 0)
		return dir;

	int ret = make_name(host, from_dir, from, dir, name);

	if (ret == -EACCES) {
		bool granted = grant_begin(&source, host, from_dir, NULL);

		granted |= grant_begin(&g, host, dir, NULL);
		if (granted)
			ret = make_name(host, from_dir, from, dir, name);
		ret = grant_end(&g, ret);
		ret = grant_end(&source, ret);
	}
	return ret ? error_errno(-ret, "create a copy") : 0;
}

int host_links_add(struct host_tree *h, const struct operation *op, int err)
{
	struct note file = tree_notes_get(h->notes, op->other);
	int ret = host_tree_skip(h, SKIPPED_LINK, err);

	if (!ret)
		ret = make_name_granted(h, op);
	if (!ret && !file.links) {
		file.links = h->notes->last_links + 1;
		ret = tree_notes_put(h->notes, op->other, &file);
	}
	if (ret)
		return ret;

	const struct note copy = {.copy = true, .links = file.links};

	return tree_notes_put(h->notes, op->path, &copy);
}

/* ---- Its content ------------------------------------------------------------------------------------ */

/* A copy of the parent's may have attributes that the file lost meanwhile. */
static int remove_xattrs(struct host *host, int fd)
{
	ssize_t len = host->ops->listxattr(host, fd, ".", NULL, 0);
	char *list = len > 0 ? malloc((size_t)len) : NULL;

	if (len <= 0)
		return len < 0 && errno != EOPNOTSUPP ? error_errno(errno, "list the attributes") : 0;
	if (!list)
		return error_nomem((size_t)len);
	len = host->ops->listxattr(host, fd, ".", list, (size_t)len);

	int ret = len < 0 ? error_errno(errno, "list the attributes") : 0;

	for (char *key = list; !ret && key < list + len; key += strlen(key) + 1)
		/* What the system itself has set there does not go. */
		if (host->ops->removexattr(host, fd, ".", key) && errno != EPERM && errno != EOPNOTSUPP &&
		    errno != ENODATA && errno != EACCES && errno != EINVAL)
			ret = error_errno(errno, "remove an attribute");
	free(list);
	return ret;
}

/* h->file is the copy. */
static int renew_open(struct host_tree *h, int source)
{
	struct host *host = h->host;

	/* Users' attributes are set with the right to write. */
	host->ops->chmod(host, h->file, ".", 0600);
	if (host->ops->truncate(host, h->file, 0))
		return error_errno(errno, "truncate");

	int ret = remove_xattrs(host, h->file);

	return ret ? ret : tree_copy_file(host, source, h->file);
}

static int copy_flags(struct host_tree *h, const struct tree_path *file, const struct tree_path *copy)
{
	u32 flags = 0;
	int from = beneath_parent(&h->beneath, file);
	int to = from < 0 ? from : beneath_parent(&h->beneath, copy);

	if (to < 0)
		return to;
	if (!flags_read(h->host, from, tree_path_name(file), &flags))
		flags_change(h->host, to, tree_path_name(copy), ~FLAGS_THAT_FORBID, flags & ~FLAGS_THAT_FORBID);
	return 0;
}

static int renew_file(struct host_tree *h, const struct tree_path *file, const struct tree_path *copy)
{
	int dir = beneath_parent(&h->beneath, copy), ret;

	if (dir < 0)
		return dir;
	/* A run that was killed at the end may have come as far as the flags. */
	if (tree_notes_get(h->notes, copy).flags || tree_notes_get(h->notes, file).flags)
		flags_change(h->host, dir, tree_path_name(copy), FLAGS_THAT_FORBID, 0);
	ret = host_tree_open_file(h, copy);
	if (ret)
		return ret;

	int source = host_tree_open_source(&h->beneath, file);

	if (source < 0)
		return source;
	ret = renew_open(h, source);
	host_close(h->host, source);
	if (!ret)
		ret = host_tree_close_file(h);
	return ret ? ret : copy_flags(h, file, copy);
}

/* A symlink or a special file: it was made as what it is. */
static int renew_other(struct host_tree *h, const struct stat *st, const struct tree_path *copy)
{
	struct host *host = h->host;
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	const char *name = tree_path_name(copy);
	int dir = beneath_parent(&h->beneath, copy);

	if (dir < 0)
		return dir;
	if (host->ops->chown(host, dir, name, st->st_uid, st->st_gid) && errno != EPERM)
		return error_errno(errno, "chown");
	if (!S_ISLNK(st->st_mode) && host->ops->chmod(host, dir, name, st->st_mode & 07777))
		return error_errno(errno, "chmod");
	return host->ops->utimens(host, dir, name, times) ? error_errno(errno, "set the times") : 0;
}

static int renew(struct host_tree *h, const struct tree_path *file, const struct tree_path *copy)
{
	char text[512], of[512];
	struct stat st;
	int dir = beneath_parent(&h->beneath, file), ret;

	if (dir < 0)
		ret = dir;
	else if (h->host->ops->stat(h->host, dir, tree_path_name(file), &st))
		ret = error_errno(errno, "stat");
	else
		ret = S_ISREG(st.st_mode) ? renew_file(h, file, copy) : renew_other(h, &st, copy);
	if (!ret)
		return 0;
	escape_text(text, sizeof(text), copy->text, copy->len);
	escape_text(of, sizeof(of), file->text, file->len);
	return error_wrap(ret, "make '%s' a copy of '%s'", text, of);
}

/* ---- The file's name goes --------------------------------------------------------------------------- */

/* The copy whose path comes first: the same one when it is asked for again.  1 or 0. */
static int choose_copy(struct host_tree *h, u64 links, struct tree_path *copy)
{
	bool found = false;

	for (struct path_entry *e = NULL; (e = path_table_linked(&h->notes->paths, links, e));) {
		struct tree_path p;
		bool is_copy = e->note.copy && !e->note.missing;
		int ret = is_copy ? entry_path(e, &p) : 0;

		if (ret)
			return ret;
		if (is_copy && (!found || strcmp(p.text, copy->text) < 0))
			*copy = p;
		found |= is_copy;
	}
	return found;
}

/* Further hard links go on being names of the same file: the file itself takes the copy's place. */
static int take_place(struct host_tree *h, const struct tree_path *file, const struct tree_path *copy)
{
	struct host *host = h->host;
	int from = beneath_parent(&h->beneath, file);
	int to = from < 0 ? from : beneath_parent(&h->beneath, copy);
	struct stat st;

	if (to < 0)
		return to;
	if (host->ops->stat(host, to, ".", &st))
		return error_errno(errno, "stat");
	if (host->ops->rename(host, from, tree_path_name(file), to, tree_path_name(copy), 0))
		return error_errno(errno, "rename");

	const struct timespec times[2] = {st.st_atim, st.st_mtim};

	return host->ops->utimens(host, to, ".", times) ? error_errno(errno, "set the times") : 0;
}

/* 1 if the file goes with it. */
static int hand_over(struct host_tree *h, const struct tree_path *file, const struct tree_path *copy)
{
	struct host *host = h->host;
	int ret, dir = beneath_parent(&h->beneath, file);
	struct stat st;

	if (dir < 0)
		return dir;
	if (host->ops->stat(host, dir, tree_path_name(file), &st))
		return error_errno(errno, "stat");
	if (st.st_nlink < 2)
		return renew(h, file, copy);
	ret = take_place(h, file, copy);
	return ret ? ret : 1;
}

static bool in_one_directory(const struct tree_path *a, const struct tree_path *b)
{
	return a->parent_len == b->parent_len && !memcmp(a->text, b->text, a->parent_len);
}

/* Give @p the other spelling that waits for that, in *@spelling: 1, or 0 if there is none. */
static int give_spelling(struct host_tree *h, u64 links, const struct tree_path *p, struct tree_path *spelling)
{
	int dir = beneath_parent(&h->beneath, p), ret;

	if (dir < 0)
		return dir;
	for (struct path_entry *e = NULL; (e = path_table_linked(&h->notes->paths, links, e));) {
		ret = e->note.missing ? entry_path(e, spelling) : 0;
		if (ret)
			return ret;
		if (!e->note.missing || !in_one_directory(p, spelling))
			continue;
		ret = host_tree_respell(h, dir, tree_path_name(p), tree_path_name(spelling));
		if (!ret)
			return 1;
		/* It is one of another name, or @p is gone already. */
		if (ret != -EEXIST && ret != -ENOENT)
			return error_errno(-ret, "rename");
	}
	return 0;
}

/* @note is what was noted of @from. */
static int move_note(struct host_tree *h, const struct note *note, const struct tree_path *from,
		     const struct tree_path *to)
{
	int ret = tree_notes_put(h->notes, to, note);

	return ret ? ret : tree_notes_put(h->notes, from, &(const struct note){0});
}

int host_links_leave(struct host_tree *h, const struct tree_path *p, bool gone)
{
	struct note note = tree_notes_get(h->notes, p);
	struct tree_path other;
	int with_it = 1, ret = note.links ? host_tree_close_file(h) : 0;

	if (ret || !note.links)
		return ret;
	ret = give_spelling(h, note.links, p, &other);
	if (!ret && !note.copy) {
		ret = choose_copy(h, note.links, &other);
		if (ret > 0 && !gone)
			with_it = hand_over(h, p, &other);
	}
	if (ret <= 0)
		return ret;
	if (with_it < 0)
		return with_it;
	ret = move_note(h, &note, p, &other);
	return ret ? ret : with_it;
}

int host_links_respell(struct host_tree *h, const struct tree_path *old, const struct tree_path *spelling)
{
	struct note note = tree_notes_get(h->notes, old);
	int ret = 0;

	if (!note.links) {
		note.links = h->notes->last_links + 1;
		ret = tree_notes_put(h->notes, old, &note);
	}
	if (ret)
		return ret;

	const struct note later = {.missing = true, .copy = true, .links = note.links};

	return tree_notes_put(h->notes, spelling, &later);
}

/* ---- The end ---------------------------------------------------------------------------------------- */

/* The other spelling did not go. */
static int not_given(struct host_tree *h, const struct tree_path *p)
{
	char text[512];
	int dir = beneath_parent(&h->beneath, p);
	int ret = dir < 0 ? dir : names_taken(h->host, dir, tree_path_name(p));

	escape_text(text, sizeof(text), p->text, p->len);
	return error_wrap(ret, "link '%s'", text);
}

static int seal_copies(struct host_tree *h, const struct path_entry *e)
{
	struct tree_path file, copy;
	int ret = entry_path(e, &file);

	for (struct path_entry *c = NULL; !ret && (c = path_table_linked(&h->notes->paths, e->note.links, c));) {
		if (!c->note.copy)
			continue;
		ret = entry_path(c, &copy);
		if (!ret)
			ret = c->note.missing ? not_given(h, &copy) : renew(h, &file, &copy);
		/* It follows from the file's at every end, so it need not be in the journal. */
		c->note.flags = e->note.flags;
	}
	return ret;
}

int host_links_seal(struct host_tree *h)
{
	int ret = 0;

	for (struct path_entry *e = NULL; !ret && (e = path_table_next(&h->notes->paths, e));)
		if (e->note.links && !e->note.copy)
			ret = seal_copies(h, e);
	return ret;
}
