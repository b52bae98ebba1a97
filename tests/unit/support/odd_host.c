/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/odd_host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct odd_host *odd(struct host *h)
{
	return CONTAINER_OF(h, struct odd_host, watched.host);
}

struct name {
	char text[PATH_MAX];
};

/* What @name leads to in the directory @dir: the entry's own spelling, or @name as the filesystem would write it. */
static const char *resolve(struct host *h, int dir, const char *name, struct name *out)
{
	const struct odd_host *o = odd(h);
	size_t len = strlen(name);
	struct dirent *e;
	int fd;
	DIR *d;

	while (o->cuts_dots && strcmp(name, ".") && len > 1 && name[len - 1] == '.')
		len--;
	snprintf(out->text, sizeof(out->text), "%.*s", (int)len, name);
	if (!o->folds || !faccessat(dir, out->text, F_OK, AT_SYMLINK_NOFOLLOW))
		return out->text;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (e = readdir(d)))
		if (!strcasecmp(e->d_name, out->text)) {
			snprintf(out->text, sizeof(out->text), "%s", e->d_name);
			break;
		}
	if (d)
		closedir(d);
	return out->text;
}

#define BY_NAME(type, op, arguments, ...)                                                          \
	static type odd_##op arguments                                                             \
	{                                                                                          \
		struct name n;                                                                     \
                                                                                                   \
		return odd(h)->inner->op(h, __VA_ARGS__);                                          \
	}
#define NAME resolve(h, dir, name, &n)

BY_NAME(int, stat, (struct host *h, int dir, const char *name, struct stat *st), dir, NAME, st)
BY_NAME(ssize_t, readlink, (struct host *h, int dir, const char *name, char *target, size_t size), dir, NAME, target,
	size)
BY_NAME(int, mkdir, (struct host *h, int dir, const char *name, mode_t mode), dir, NAME, mode)
BY_NAME(int, unlink, (struct host *h, int dir, const char *name, int flags), dir, NAME, flags)
BY_NAME(int, chmod, (struct host *h, int dir, const char *name, mode_t mode), dir, NAME, mode)
BY_NAME(int, chown, (struct host *h, int dir, const char *name, uid_t uid, gid_t gid), dir, NAME, uid, gid)
BY_NAME(int, utimens, (struct host *h, int dir, const char *name, const struct timespec times[2]), dir, NAME, times)

static bool refused(int err)
{
	if (err)
		errno = err;
	return err != 0;
}

static int odd_open(struct host *h, int dir, const char *name, int flags, mode_t mode)
{
	struct name n;
	bool fresh = flags & O_CREAT && faccessat(dir, resolve(h, dir, name, &n), F_OK, AT_SYMLINK_NOFOLLOW);

	if (fresh && refused(odd(h)->no_file))
		return -1;
	return odd(h)->inner->open(h, dir, NAME, flags, mode);
}

static int odd_open_beneath(struct host *h, int dir, const char *path, int flags)
{
	char rest[PATH_MAX], out[2 * PATH_MAX] = "";
	int at = dup(dir);

	snprintf(rest, sizeof(rest), "%s", path);
	for (char *name = strtok(rest, "/"); name; name = strtok(NULL, "/")) {
		struct name n;
		size_t used = strlen(out);
		int next;

		resolve(h, at, name, &n);
		snprintf(out + used, sizeof(out) - used, "%s%s", used ? "/" : "", n.text);
		next = openat(at, n.text, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
		close(at);
		at = next;
	}
	if (at >= 0)
		close(at);
	return odd(h)->inner->open_beneath(h, dir, out, flags);
}

static int odd_mknod(struct host *h, int dir, const char *name, mode_t mode, dev_t device)
{
	struct name n;

	if (refused(odd(h)->no_node))
		return -1;
	if (odd(h)->nodes_altered)
		return odd(h)->inner->mknod(h, dir, NAME, S_IFREG | (mode & 0777), 0);
	return odd(h)->inner->mknod(h, dir, NAME, mode, device);
}

static int odd_symlink(struct host *h, const char *target, int dir, const char *name)
{
	struct name n;

	if (refused(odd(h)->no_symlink))
		return -1;
	return odd(h)->inner->symlink(h, odd(h)->symlinks_altered ? "altered" : target, dir, NAME);
}

static int odd_link(struct host *h, int from_dir, const char *from, int dir, const char *name)
{
	struct odd_host *o = odd(h);
	struct name source, n;
	struct stat st;

	resolve(h, from_dir, from, &source);
	resolve(h, dir, name, &n);
	/* As the system has it, that comes first. */
	if (!fstatat(dir, n.text, &st, AT_SYMLINK_NOFOLLOW))
		return refused(EEXIST) ? -1 : 0;
	if (refused(o->no_link))
		return -1;
	if (o->links_max && !fstatat(from_dir, source.text, &st, AT_SYMLINK_NOFOLLOW) && st.st_nlink >= o->links_max)
		return refused(EMLINK) ? -1 : 0;
	return o->inner->link(h, from_dir, source.text, dir, n.text);
}

static int odd_rename(struct host *h, int from_dir, const char *from, int dir, const char *name, unsigned flags)
{
	struct odd_host *o = odd(h);
	struct name source, n, written;
	struct stat a, b;

	resolve(h, from_dir, from, &source);
	resolve(h, dir, name, &n);
	if (fstatat(from_dir, source.text, &a, AT_SYMLINK_NOFOLLOW))
		return -1;

	bool taken = !fstatat(dir, n.text, &b, AT_SYMLINK_NOFOLLOW);

	if (flags & RENAME_NOREPLACE && taken)
		return refused(EEXIST) ? -1 : 0;
	if (flags && o->no_flags)
		return refused(EINVAL) ? -1 : 0;
	/* Between spellings of one file the system has nothing to do. */
	if (taken && a.st_ino == b.st_ino)
		return 0;
	snprintf(written.text, sizeof(written.text), "%s", n.text);
	return o->inner->rename(h, from_dir, source.text, dir, written.text, flags);
}

void odd_host_init(struct odd_host *o)
{
	*o = (struct odd_host){0};
	watched_host_init(&o->watched);
	o->inner = o->watched.host.ops;
	o->ops = *o->inner;
	o->ops.stat = odd_stat;
	o->ops.readlink = odd_readlink;
	o->ops.mkdir = odd_mkdir;
	o->ops.unlink = odd_unlink;
	o->ops.chmod = odd_chmod;
	o->ops.chown = odd_chown;
	o->ops.utimens = odd_utimens;
	o->ops.open = odd_open;
	o->ops.open_beneath = odd_open_beneath;
	o->ops.mknod = odd_mknod;
	o->ops.symlink = odd_symlink;
	o->ops.link = odd_link;
	o->ops.rename = odd_rename;
	o->watched.host.ops = &o->ops;
}
