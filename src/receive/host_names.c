/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of a host tree: what is made, renamed, linked and removed. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/escape.h"
#include "receive/grant.h"
#include "receive/host_links.h"

/* A file whose new name is another spelling of the old one is called so in between. */
#define ASIDE ".btrfly-respelled"
#define STOPGAP ".btrfly-stopgap"

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

/* What lies in a directory that its owner may have closed to himself: 0 or a negative errno. */
static int look(struct host *host, int dir, const char *name, struct stat *st)
{
	int ret = host->ops->stat(host, dir, name, st) ? -errno : 0;
	struct grant g;

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = host->ops->stat(host, dir, name, st) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	return ret;
}

static bool is_of_type(struct host *host, int dir, const char *name, mode_t type)
{
	struct stat st;

	return !look(host, dir, name, &st) && (st.st_mode & S_IFMT) == type;
}

/* Whether a name in the tree may be another one than the stream gave. */
static bool was_altered(const struct host_tree *h)
{
	return tree_notes_left_out(h->notes, SKIPPED_NAME);
}

/* The source's file has what the stream sets, and nothing from the directory it is made in here. */
static void drop_inherited(struct host *host, int dir, const char *name)
{
	host->ops->removexattr(host, dir, name, "system.posix_acl_access");
	host->ops->removexattr(host, dir, name, "system.posix_acl_default");
	host->ops->removexattr(host, dir, name, "btrfs.compression");
}

/* A name that must be free is not. */
static int found_taken(struct host_tree *h, int dir, const struct tree_path *p, const char *doing)
{
	const char *name = tree_path_name(p);
	const struct note missing = {.missing = true};
	char text[480];
	int listed = names_listed(h->host, dir, name);

	if (listed < 0)
		return error_wrap(listed, "%s", doing);
	if (listed && !was_altered(h))
		return error_errno(EEXIST, "%s", doing);
	/* Where errors are passed over what follows must not act on the other file. */
	tree_notes_put(h->notes, p, &missing);
	if (!listed)
		return error_wrap(names_taken(h->host, dir, name), "%s", doing);
	escape_text(text, sizeof(text), name, strlen(name));
	return error_set(EEXIST, "%s: '%s' is there already, and may be what the filesystem has made of another name", doing,
			 text);
}

/* What @name leads to is not there under another spelling. */
static bool is_spelled_so(struct host_tree *h, int dir, const char *name)
{
	return !names_fold(&h->names) || names_spelled(&h->names, dir, name, was_altered(h)) == 1;
}

/* The same, unless what is to be made was made before. */
static int found_made(struct host_tree *h, const struct operation *op, int dir)
{
	const char *name = tree_path_name(op->path);

	if (op->again && is_of_type(h->host, dir, name, made_type(op->c)) && is_spelled_so(h, dir, name))
		return 0;
	return found_taken(h, dir, op->path, "create");
}

/* A name that was made just now, or, with op->again, before. */
static int look_at_made(struct host_tree *h, const struct tree_path *p)
{
	char made[NAMES_LISTED_MAX], text[480];
	int ret;

	if (!names_fold(&h->names))
		return 0;
	names_made(&h->names, p);
	ret = names_see_made(&h->names, tree_path_name(p), made);
	if (ret || !strcmp(made, tree_path_name(p)))
		return ret;
	if (!h->target->options.strict)
		return host_tree_skip(h, SKIPPED_NAME, EINVAL);
	escape_text(text, sizeof(text), made, strlen(made));
	return error_set(EINVAL, "the filesystem makes '%s' of the name", text);
}

static int explain(int err, const char *doing)
{
	if (err == EILSEQ || err == ENAMETOOLONG || err == EINVAL)
		return error_errno(err, "%s: the filesystem cannot have this name", doing);
	return error_errno(err, "%s", doing);
}

static int make_granted(struct host *host, int dir, const char *name, const struct decoded_command *c)
{
	int made = make_at(host, dir, name, c);
	struct grant g;

	if (made == -EACCES && grant_begin(&g, host, dir, NULL)) {
		made = make_at(host, dir, name, c);
		made = c->type == STREAM_C_MKFILE ? grant_end_open(&g, made) : grant_end(&g, made);
	}
	return made;
}

/* Something that is no file and no directory is what was asked for: some filesystems make something else of it. */
static int compare(struct host *host, int dir, const char *name, const struct decoded_command *c)
{
	char target[TREE_PATH_MAX + 1];
	mode_t type = made_type(c);
	struct stat st;
	ssize_t n;

	if (type == S_IFLNK) {
		n = host->ops->readlink(host, dir, name, target, sizeof(target));
		/* EINVAL: it is none. */
		if (n < 0)
			return errno == EINVAL ? -EOPNOTSUPP : -errno;
		return (size_t)n == c->path_link.len && !memcmp(target, c->path_link.data, (size_t)n) ? 0 : -EOPNOTSUPP;
	}
	if (host->ops->stat(host, dir, name, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != type)
		return -EOPNOTSUPP;
	return (S_ISCHR(type) || S_ISBLK(type)) && st.st_rdev != c->rdev ? -EOPNOTSUPP : 0;
}

static int compare_granted(struct host *host, int dir, const char *name, const struct decoded_command *c)
{
	int ret = compare(host, dir, name, c);
	struct grant g;

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = compare(host, dir, name, c);
		ret = grant_end(&g, ret);
	}
	return ret;
}

/* Whether a file could have this name in @dir: then it is not the place that forbids to make something else. */
static bool takes_file(struct host *host, int dir, const char *name)
{
	int fd = host->ops->open(host, dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return false;
	host_close(host, fd);
	return !host->ops->unlink(host, dir, name, 0);
}

/* Whether @err means that there is no such thing on this filesystem, or not for this user. */
static bool cannot_be_made(struct host *host, int dir, const char *name, int err)
{
	switch (err) {
	case EPERM:
	case EOPNOTSUPP:
	case ENOSYS:
		return true;
	case EACCES:
	case EINVAL:
		return takes_file(host, dir, name);
	case EIO:
		/* A file was made of it all the same. */
		return is_of_type(host, dir, name, S_IFREG) && !host->ops->unlink(host, dir, name, 0);
	}
	return false;
}

/* 1, or the error of --strict. */
static int leave_out(struct host_tree *h, const struct operation *op, int err)
{
	const struct note missing = {.missing = true};
	int ret = host_tree_skip(h, skipped_as(made_type(op->c)), err);

	if (!ret)
		ret = tree_notes_put(h->notes, op->path, &missing);
	return ret ? ret : 1;
}

/* A symlink, a device node, a fifo or a socket: 1 if there is none. */
static int make_special(struct host_tree *h, const struct operation *op, int dir)
{
	struct host *host = h->host;
	const char *name = tree_path_name(op->path);
	int ret;

	if (h->target->options.untrusted && skipped_as(made_type(op->c)) == SKIPPED_DEVICE)
		return leave_out(h, op, EPERM);
	ret = make_granted(host, dir, name, op->c);
	/* What a killed run tried instead. */
	if (ret == -EEXIST && op->again && is_of_type(host, dir, name, S_IFREG) &&
	    names_listed(host, dir, name) == 1 && !host->ops->unlink(host, dir, name, 0))
		ret = make_granted(host, dir, name, op->c);
	if (ret == -EEXIST)
		return found_made(h, op, dir);
	if (ret && cannot_be_made(host, dir, name, -ret))
		return leave_out(h, op, -ret);
	if (ret)
		return explain(-ret, "create");
	ret = compare_granted(host, dir, name, op->c);
	if (ret == -EOPNOTSUPP && !host->ops->unlink(host, dir, name, 0))
		return leave_out(h, op, EOPNOTSUPP);
	return ret ? error_errno(-ret, "look at what was created") : 0;
}

/* In *@fd the open file for MKFILE, unless it was there before; it is there in any case if there is no error. */
static int make_plain(struct host_tree *h, const struct operation *op, int dir, int *fd)
{
	int made = make_granted(h->host, dir, tree_path_name(op->path), op->c);

	if (made == -EEXIST)
		return found_made(h, op, dir);
	if (made < 0)
		return explain(-made, "create");
	if (op->c->type == STREAM_C_MKFILE)
		*fd = made;
	return 0;
}

int host_tree_make(struct host_tree *h, const struct operation *op)
{
	struct host *host = h->host;
	int ret, fd = -1, dir = beneath_parent(&h->beneath, op->path);

	if (dir < 0)
		return dir;

	bool special = skipped_as(made_type(op->c)) != SKIPPED_KINDS;

	ret = special ? make_special(h, op, dir) : make_plain(h, op, dir, &fd);
	if (ret)
		return ret < 0 ? ret : 0;
	if (h->hands_down && op->c->type != STREAM_C_SYMLINK)
		drop_inherited(host, dir, tree_path_name(op->path));
	if (fd >= 0) {
		ret = host_tree_close_file(h);
		h->file = fd;
		h->file_path = *op->path;
	}
	return ret ? ret : look_at_made(h, op->path);
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

/* A rename between two open directories. */
struct move {
	int from_dir, to_dir;
	const char *from, *to;
	bool replace; /* what has the new name */
};

static int try_move(struct host_tree *h, const struct move *m)
{
	struct host *host = h->host;

	if (!m->replace)
		return names_rename(host, m->from_dir, m->from, m->to_dir, m->to, &h->names.no_flag);
	return host->ops->rename(host, m->from_dir, m->from, m->to_dir, m->to, 0) ? -errno : 0;
}

/* A directory's new parent is written into it, so its owner needs the right to write it as well. */
static int move_granted(struct host_tree *h, const struct move *m)
{
	struct host *host = h->host;
	struct grant source, target;
	bool granted = grant_begin(&source, host, m->from_dir, m->from);
	int ret = -EACCES;

	granted |= grant_begin(&target, host, m->to_dir, NULL);
	grant_will_move(&source, m->to_dir, m->to);
	if (granted)
		ret = try_move(h, m);
	if (!ret)
		grant_moved(&source, m->to_dir, m->to);
	ret = grant_end(&source, ret);
	return grant_end(&target, ret);
}

static int move(struct host_tree *h, const struct move *m)
{
	int ret = try_move(h, m);

	return ret == -EACCES ? move_granted(h, m) : ret;
}

static bool in_one_directory(const struct operation *op)
{
	const struct tree_path *a = op->path, *b = op->other;

	return a->parent_len == b->parent_len && !memcmp(a->text, b->text, a->parent_len);
}

/* The system may go on believing for a while that a name is there.  Opening it asks the filesystem. */
static bool is_believed_only(struct host *host, int dir, const char *name)
{
	struct stat st;

	if (look(host, dir, name, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return false;

	int fd = host->ops->open(host, dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return errno == ENOENT;
	host_close(host, fd);
	return false;
}

/* The file itself has been moved aside, and has no second name: what is called so is what the system remembers. */
static bool is_remembered(struct host *host, int dir, const char *name)
{
	struct stat aside, st;

	return !look(host, dir, ASIDE, &aside) && !look(host, dir, name, &st) &&
	       aside.st_nlink == 1 && aside.st_dev == st.st_dev && aside.st_ino == st.st_ino;
}

/* Whether a run that was killed in forget() has left its file there. */
static bool is_stopgap(struct host *host, int dir, const char *name)
{
	struct stat aside, st;

	return !look(host, dir, ASIDE, &aside) && !look(host, dir, name, &st) &&
	       S_ISREG(st.st_mode) && !st.st_size && st.st_nlink == 1 && st.st_ino != aside.st_ino;
}

/* FUSE keeps names, for a minute if it likes, and a rename to another name of the same file would do nothing.  Another file
 * of that name makes it look. */
static int forget(struct host_tree *h, int dir, const char *name)
{
	const struct move m = {dir, dir, STOPGAP, name, true};
	struct host *host = h->host;
	int fd = host->ops->open(host, dir, STOPGAP, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0 || host->ops->close(host, fd))
		return -errno;
	return move(h, &m);
}

int host_tree_respell(struct host_tree *h, int dir, const char *from, const char *to)
{
	const struct move aside = {dir, dir, from, ASIDE, false};
	struct move there = {dir, dir, ASIDE, to, false};
	const struct move back = {dir, dir, ASIDE, from, false};
	struct stat st;
	/* Otherwise a killed run has come as far as that. */
	bool before = look(h->host, dir, from, &st);
	int ret = before ? 0 : move(h, &aside);

	if (ret)
		return ret;
	ret = move(h, &there);
	if (ret == -EEXIST) {
		there.replace = is_believed_only(h->host, dir, to) || (before && is_stopgap(h->host, dir, to)) ||
				(is_remembered(h->host, dir, to) && !forget(h, dir, to));
		if (there.replace)
			ret = move(h, &there);
	}
	return ret && move(h, &back) ? -EIO : ret;
}

/* The new name is taken: 0 if it was by what the stream means. */
static int move_over(struct host_tree *h, const struct operation *op, struct move *m, bool is_aside)
{
	int ret = is_aside ? 0 : names_listed(h->host, m->to_dir, m->to);

	if (ret < 0)
		return ret;
	/* What is called so, if some names were altered, may be something else. */
	if (ret && !was_altered(h)) {
		ret = host_links_leave(h, op->other, false);
		if (ret < 0)
			return ret;
		m->replace = true;
		ret = move(h, m);
	} else {
		ret = in_one_directory(op) ? host_tree_respell(h, m->to_dir, m->from, m->to) : -EEXIST;
	}
	if (ret == -EEXIST)
		return found_taken(h, m->to_dir, op->other, "rename");
	return ret ? error_errno(-ret, "rename") : 0;
}

/* On a second try: 0 if the new name is there, or now is. */
static int move_again(struct host_tree *h, const struct operation *op, struct move *m)
{
	struct host *host = h->host;
	struct stat st;
	int ret;

	if (in_one_directory(op) && !look(host, m->from_dir, ASIDE, &st))
		return move_over(h, op, m, true);
	ret = look(host, m->to_dir, m->to, &st);
	if (ret)
		return error_errno(-ret, "rename");
	ret = host_links_leave(h, op->other, true);
	return ret < 0 ? ret : 0;
}

static int move_by_command(struct host_tree *h, const struct operation *op, struct move *m)
{
	int ret = move(h, m);

	if (ret == -EEXIST)
		return move_over(h, op, m, false);
	if (ret == -ENOENT && op->again)
		return move_again(h, op, m);
	if (ret == -EINVAL && tree_path_covers(op->path, op->other->text, op->other->len))
		return error_errno(EINVAL, "rename");
	return ret ? explain(-ret, "rename") : 0;
}

/* The names that are known to be right follow. */
static int look_at_renamed(struct host_tree *h, const struct operation *op, const struct move *m)
{
	struct stat st;

	if (!names_fold(&h->names))
		return 0;
	names_gone(&h->names, op->path,
		   look(h->host, m->to_dir, m->to, &st) || S_ISDIR(st.st_mode));
	return look_at_made(h, op->other);
}

int host_tree_rename(struct host_tree *h, const struct operation *op)
{
	const struct tree_path *from = op->path, *to = op->other;
	struct move m = {.from = tree_path_name(from), .to = tree_path_name(to)};
	int ret, closed;

	m.from_dir = beneath_parent(&h->beneath, from);
	if (m.from_dir < 0)
		return m.from_dir;
	m.to_dir = beneath_parent(&h->beneath, to);
	if (m.to_dir < 0)
		return error_wrap(m.to_dir, "the new name");
	ret = move_by_command(h, op, &m);
	if (ret)
		return ret;
	closed = rename_open_file(h, from, to);
	ret = tree_notes_rename(h->notes, from, to);
	if (!ret)
		ret = look_at_renamed(h, op, &m);
	beneath_forget(&h->beneath, from);
	beneath_forget(&h->beneath, to);
	return ret ? ret : closed;
}

/* LINK between two open directories. */
static int link_granted(struct host *host, int from_dir, const char *from, int dir, const char *name)
{
	int ret = host->ops->link(host, from_dir, from, dir, name) ? -errno : 0;
	struct grant source, g;

	if (ret == -EACCES) {
		bool granted = grant_begin(&source, host, from_dir, NULL);

		granted |= grant_begin(&g, host, dir, NULL);
		if (granted)
			ret = host->ops->link(host, from_dir, from, dir, name) ? -errno : 0;
		ret = grant_end(&g, ret);
		ret = grant_end(&source, ret);
	}
	return ret;
}

/* Whether a killed run has made the name: 1 as a link, 2 as what only keeps the name of a copy, 0 otherwise. */
static int linked_already(struct host_tree *h, const struct operation *op, int from_dir, int dir)
{
	struct host *host = h->host;
	struct stat a, b;

	if (look(host, from_dir, tree_path_name(op->other), &a) ||
	    look(host, dir, tree_path_name(op->path), &b) || !is_spelled_so(h, dir, tree_path_name(op->path)))
		return 0;
	if (a.st_ino == b.st_ino && a.st_nlink > 1)
		return 1;
	return (a.st_mode & S_IFMT) == (b.st_mode & S_IFMT) && b.st_nlink == 1 && (!S_ISREG(b.st_mode) || !b.st_size) ? 2 : 0;
}

/* The path of @name, which lies beside @p.  It may be too long for a path. */
static int set_sibling(struct tree_path *sibling, const struct tree_path *p, const char *name)
{
	char text[TREE_PATH_MAX + NAMES_LISTED_MAX + 2];
	int len = snprintf(text, sizeof(text), "%.*s%s%s", (int)p->parent_len, p->text, p->parent_len ? "/" : "", name);

	return tree_path_set(sibling, (struct stream_bytes){text, (u32)len});
}

static bool are_linked(struct host_tree *h, const struct tree_path *a, const struct tree_path *b)
{
	u64 links = tree_notes_get(h->notes, a).links;

	return links && links == tree_notes_get(h->notes, b).links;
}

static bool is_one_inode(struct host *host, int a_dir, const char *a_name, int b_dir, const char *b_name)
{
	struct stat a, b;

	return !look(host, a_dir, a_name, &a) && !look(host, b_dir, b_name, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* What has the new name under another spelling, if it is the file that is to get it: 1 or 0.  The kernel renames a file
 * by a LINK and an UNLINK. */
static int find_respelled(struct host_tree *h, const struct operation *op, int from_dir, int dir, struct tree_path *old)
{
	const char *from = tree_path_name(op->other), *name = tree_path_name(op->path);
	char found[NAMES_LISTED_MAX];
	int ret = names_listed(h->host, dir, name);

	if (ret < 0 || (ret && !was_altered(h)))
		return ret < 0 ? ret : 0;
	*old = *op->other;
	if (in_one_directory(op) && !strcasecmp(from, name))
		return 1;
	ret = names_find_spelling(h->host, dir, name, found);
	if (ret <= 0 || set_sibling(old, op->path, found))
		return ret < 0 ? ret : 0;
	return are_linked(h, op->other, old) || is_one_inode(h->host, from_dir, from, dir, found);
}

/* The new name is taken. */
static int link_over(struct host_tree *h, const struct operation *op, int from_dir, int dir)
{
	struct tree_path old;
	int ret = find_respelled(h, op, from_dir, dir, &old);

	if (ret < 0)
		return ret;
	return ret ? host_links_respell(h, &old, op->path) : found_taken(h, dir, op->path, "link");
}

static int make_link(struct host_tree *h, const struct operation *op, int from_dir, int dir)
{
	struct host *host = h->host;
	const char *from = tree_path_name(op->other), *name = tree_path_name(op->path);
	int ret = link_granted(host, from_dir, from, dir, name);
	int before = ret == -EEXIST && op->again ? linked_already(h, op, from_dir, dir) : 0;

	if (before == 1)
		return 0;
	if (before && !host->ops->unlink(host, dir, name, 0))
		ret = link_granted(host, from_dir, from, dir, name);
	if (ret == -EEXIST)
		return link_over(h, op, from_dir, dir);
	if (ret && host_links_lacks(-ret))
		return host_links_add(h, op, -ret);
	return ret ? explain(-ret, "link") : 0;
}

int host_tree_link(struct host_tree *h, const struct operation *op)
{
	int from_dir = beneath_parent(&h->beneath, op->other), dir, ret;

	if (from_dir < 0)
		return error_wrap(from_dir, "the existing name");
	dir = beneath_parent(&h->beneath, op->path);
	if (dir < 0)
		return dir;
	ret = make_link(h, op, from_dir, dir);
	return ret ? ret : look_at_made(h, op->path);
}

static bool is_gone(struct host *host, int dir, const char *name)
{
	struct stat st;

	return look(host, dir, name, &st) == -ENOENT;
}

static int unlink_granted(struct host *host, int dir, const char *name, int flags)
{
	int ret = host->ops->unlink(host, dir, name, flags) ? -errno : 0;
	struct grant g;

	if (ret == -EACCES && grant_begin(&g, host, dir, NULL)) {
		ret = host->ops->unlink(host, dir, name, flags) ? -errno : 0;
		ret = grant_end(&g, ret);
	}
	return ret;
}

int host_tree_remove(struct host_tree *h, const struct operation *op)
{
	bool directory = op->c->type == STREAM_C_RMDIR;
	const char *name = tree_path_name(op->path);
	int ret = 0, dir = beneath_parent(&h->beneath, op->path);

	if (dir < 0)
		return dir;
	if (!directory)
		ret = host_links_leave(h, op->path, op->again && is_gone(h->host, dir, name));
	if (ret < 0)
		return ret;
	if (!ret)
		ret = unlink_granted(h->host, dir, name, directory ? AT_REMOVEDIR : 0);
	if (ret < 0 && !(ret == -ENOENT && op->again))
		return error_errno(-ret, "remove");
	ret = 0;
	if (h->file >= 0 && tree_path_covers(op->path, h->file_path.text, h->file_path.len))
		ret = host_tree_close_file(h);
	beneath_forget(&h->beneath, op->path);
	names_gone(&h->names, op->path, directory);
	if (!ret)
		ret = tree_notes_remove(h->notes, op->path);
	return ret;
}

/* ---- What a command acts on ------------------------------------------------------------------------- */

/* Nothing can lie in a directory that could not have its name. */
static int check_above(struct host_tree *h, const struct tree_path *p)
{
	struct tree_path above;

	for (size_t len = p->parent_len; len; len = above.parent_len) {
		int ret = tree_path_set(&above, (struct stream_bytes){p->text, (u32)len});

		if (ret)
			return ret;
		if (tree_notes_get(h->notes, &above).missing)
			return error_set(ENOENT, "the directory that it lies in could not be made");
	}
	return 0;
}

static bool makes(const struct decoded_command *c)
{
	switch (c->type) {
	case STREAM_C_MKFILE:
	case STREAM_C_MKDIR:
	case STREAM_C_MKNOD:
	case STREAM_C_MKFIFO:
	case STREAM_C_MKSOCK:
	case STREAM_C_SYMLINK:
	case STREAM_C_LINK:
		return true;
	}
	return false;
}

/* @whole: what has the last name must be there, too. */
static int check_path(struct host_tree *h, const struct tree_path *p, bool whole)
{
	int ret = tree_notes_empty(h->notes) ? 0 : check_above(h, p);

	if (ret || !names_fold(&h->names))
		return ret;
	whole &= !tree_notes_get(h->notes, p).missing;
	return names_check(&h->names, &h->beneath, p, whole, was_altered(h));
}

int host_tree_find(struct host_tree *h, const struct operation *op, struct operation *out)
{
	u16 type = op->c->type;
	int ret = host_links_resolve(h, op, out);

	/* What was made already may have given the other spelling. */
	if (!ret)
		ret = check_path(h, out->path,
				 !makes(op->c) && !(op->again && (type == STREAM_C_RENAME || type == STREAM_C_UNLINK)));
	if (!ret && (type == STREAM_C_RENAME || type == STREAM_C_LINK || op->within))
		ret = check_path(h, out->other, type != STREAM_C_RENAME);
	return ret;
}
