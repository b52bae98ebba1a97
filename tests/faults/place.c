/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "receive/entry.h"
#include "support/manifest.h"

#define SUBVOLUME_ROOT 256 /* the inode number of each */
#define STATE ".btrfly"
#define RECORD_MAGIC_SIZE 18
#define OTHER "other" /* in DIR, and somebody else's */

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "every_call: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void must(bool done, const char *what)
{
	if (!done)
		die(what);
}

/* ---- Names ------------------------------------------------------------------------------------------ */

static void names_add(struct names *n, char *name)
{
	must(name && n->count < PLACE_NAMES_MAX, "names");
	n->name[n->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_sort(struct names *n)
{
	qsort(n->name, n->count, sizeof(*n->name), compare_names);
}

/* Sorted. */
static void names_read(struct names *n, const char *dir)
{
	DIR *d = opendir(dir);

	*n = (struct names){0};
	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		names_add(n, strdup(e->d_name));
	}
	if (d)
		closedir(d);
	names_sort(n);
}

static void names_release(struct names *n)
{
	while (n->count)
		free(n->name[--n->count]);
}

static bool names_have(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->name[i], name))
			return true;
	return false;
}

/* ---- Removal: no code of the program under test is trusted with it ---------------------------------- */

static void remove_tree(int at, const char *name);

static void allow_all(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), flags = 0;

	if (fd < 0)
		return;
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) {
		flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

static bool remove_subvolume(int at, const char *name)
{
	struct btrfs_ioctl_vol_args args = {0};

	snprintf(args.name, sizeof(args.name), "%s", name);
	return !ioctl(at, BTRFS_IOC_SNAP_DESTROY, &args);
}

static void empty(int at, const char *name)
{
	int fd;
	DIR *d;

	must(!fchmodat(at, name, 0700, 0), name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	d = fd < 0 ? NULL : fdopendir(fd);
	must(d, name);
	for (struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_tree(fd, e->d_name);
	closedir(d);
}

static void remove_tree(int at, const char *name)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (S_ISDIR(st.st_mode) && st.st_ino == SUBVOLUME_ROOT && remove_subvolume(at, name))
		return;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		allow_all(at, name);
	if (S_ISDIR(st.st_mode))
		empty(at, name);
	must(!unlinkat(at, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0), name);
}

static void remove_new(const char *dir, const struct names *before)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct names now;

	if (at < 0)
		return;
	names_read(&now, dir);
	for (size_t i = 0; i < now.count; i++)
		if (!names_have(before, now.name[i]))
			remove_tree(at, now.name[i]);
	names_release(&now);
	close(at);
}

/* ---- How it looks ----------------------------------------------------------------------------------- */

static char *below(const char *dir, const char *name)
{
	char *path;

	must(asprintf(&path, "%s/%s", dir, name) >= 0, "memory");
	return path;
}

/* What makes a subvolume a received one. */
static void describe_subvolume(FILE *out, const char *path)
{
	struct btrfs_ioctl_get_subvol_info_args info = {0};
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	/* 1 is success, too. */
	must(fd >= 0 && ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) >= 0, path);
	fprintf(out, "flags %llu, sent as transid %llu, uuid ", (unsigned long long)info.flags,
		(unsigned long long)info.stransid);
	for (size_t i = 0; i < sizeof(info.received_uuid); i++)
		fprintf(out, "%02x", info.received_uuid[i]);
	fputc('\n', out);
	close(fd);
}

/* The entries of a record: their order is any.  A record that is not whole has fewer. */
static void describe_record(FILE *out, const char *path)
{
	static u8 bytes[1 << 20];
	struct names lines = {0};
	struct entry e;
	int fd = open(path, O_RDONLY | O_NOFOLLOW);
	ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	size_t at = RECORD_MAGIC_SIZE;

	must(len >= 0 && !close(fd), path);
	while (entry_next(bytes, (size_t)len, &at, &e) == 1) {
		const size_t size = 2 * e.len + 32;
		char *line = malloc(size);
		size_t n = (size_t)snprintf(line, size, "entry %u ", e.type);

		/* What the tree is differs from one to the other. */
		for (size_t i = 0; e.type != ENTRY_TREE && i < e.len; i++)
			n += (size_t)snprintf(line + n, size - n, "%02x", e.data[i]);
		names_add(&lines, line);
	}
	names_sort(&lines);
	for (size_t i = 0; i < lines.count; i++)
		fprintf(out, "%s\n", lines.name[i]);
	fprintf(out, "%zu bytes of %zd\n", at, len);
	names_release(&lines);
}

static void describe_state(const struct place *p, FILE *out)
{
	char *state = below(p->dir, STATE);
	struct names names;

	names_read(&names, state);
	for (size_t i = 0; i < names.count; i++) {
		char *path = below(state, names.name[i]);
		struct stat st;

		must(!lstat(path, &st), path);
		fprintf(out, "%s %o %u\n", names.name[i], st.st_mode, st.st_uid);
		if (S_ISREG(st.st_mode))
			describe_record(out, path);
		free(path);
	}
	names_release(&names);
	free(state);
}

static void describe_entry(const struct place *p, FILE *out, const char *name)
{
	/* An ordinary user may have to open up his parent's directories, root never. */
	struct manifest_options options = {.flags = true, .closed = geteuid() != 0};
	char *path = below(p->dir, name);
	struct stat st;

	fprintf(out, "== %s\n", name);
	options.changes = !strcmp(name, OTHER) || (!p->user && !geteuid() && names_have(&p->before, name));
	if (!strcmp(name, STATE))
		describe_state(p, out);
	else if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
		if (st.st_ino == SUBVOLUME_ROOT && p->mounted)
			describe_subvolume(out, path);
		manifest_write(out, path, &options);
	}
	free(path);
}

static char *describe(const struct place *p)
{
	struct manifest_options options = {.changes = true};
	struct names names;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct stat st;

	must(out && !stat(p->dir, &st), p->dir);
	names_read(&names, p->base);
	for (size_t i = 0; i < names.count; i++)
		fprintf(out, "beside: %s\n", names.name[i]);
	names_release(&names);
	manifest_write(out, p->beside, &options);
	fprintf(out, "dir %o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	names_read(&names, p->dir);
	for (size_t i = 0; i < names.count; i++)
		describe_entry(p, out, names.name[i]);
	names_release(&names);
	must(!fclose(out), "memory");
	return text;
}

/* Lines of @a that are not in @b. */
static void print_others(FILE *out, char sign, const char *a, const char *b)
{
	for (const char *line = a; *line;) {
		size_t len = strcspn(line, "\n");
		char *text = strndup(line, len + 1), *found = strstr(b, text);

		while (found && found != b && found[-1] != '\n')
			found = strstr(found + 1, text);
		if (!found)
			fprintf(out, "    %c %s", sign, text);
		free(text);
		line += len + 1;
	}
}

char *place_check(const struct place *p)
{
	char *now = describe(p), *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out, "memory");
	if (strcmp(now, p->whole)) {
		print_others(out, '-', p->whole, now);
		print_others(out, '+', now, p->whole);
	}
	free(now);
	must(!fclose(out), "memory");
	return text;
}

/* ---- Make and unmake -------------------------------------------------------------------------------- */

static void make_file(int at, const char *name, mode_t mode)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(fd >= 0 && write(fd, name, strlen(name)) > 0 && !fchmod(fd, mode), name);
	close(fd);
}

static void give(const struct place *p, int fd, mode_t mode)
{
	must(geteuid() || !p->user || !fchown(fd, p->user, p->user), "chown");
	must(!fchmod(fd, mode), "chmod");
}

/* A tree that is to stay as it is. */
static void make_sentinel(const struct place *p, const char *path, const char *other)
{
	int fd, closed;

	must(!mkdir(path, 0700), path);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	must(fd >= 0 && !mkdirat(fd, "closed", 0700), path);
	closed = openat(fd, "closed", O_RDONLY | O_DIRECTORY);
	must(closed >= 0, path);
	make_file(fd, "file", 0640);
	make_file(closed, "file", 0400);
	must(!symlinkat(other, fd, "link"), path);
	give(p, closed, 0511);
	give(p, fd, 0755);
	close(closed);
	close(fd);
}

static void must_receive(const struct place *p, const char *stream, struct outcome *o)
{
	const struct attempt a = {.dir = p->dir, .stream = stream, .mounted = p->mounted, .user = p->user};

	if (attempt_make(&a, o) == ENDED_WELL)
		return;
	fprintf(stderr, "every_call: %s cannot be received at all: %s\n", stream, o->message);
	exit(1);
}

static void make_directories(struct place *p)
{
	char *other = below(p->dir, OTHER);
	int fd;

	must(!mkdir(p->base, 0755) && !mkdir(p->dir, 0755), p->base);
	make_sentinel(p, p->beside, "../dir/other");
	make_sentinel(p, other, "../../beside");
	fd = open(p->dir, O_RDONLY | O_DIRECTORY);
	must(fd >= 0, p->dir);
	give(p, fd, 0755);
	close(fd);
	free(other);
}

void place_make(struct place *p, char **parents, const char *stream, struct outcome *o)
{
	char *state = below(p->dir, STATE);

	make_directories(p);
	for (; *parents; parents++)
		must_receive(p, *parents, o);
	names_read(&p->before, p->dir);
	names_read(&p->records, state);
	must_receive(p, stream, o);
	p->whole = describe(p);
	place_clear(p);
	free(state);
}

void place_clear(struct place *p)
{
	char *state = below(p->dir, STATE);

	remove_new(p->dir, &p->before);
	remove_new(state, &p->records);
	free(state);
}

void place_remove(struct place *p)
{
	remove_tree(AT_FDCWD, p->base);
	names_release(&p->before);
	names_release(&p->records);
	free(p->whole);
	p->whole = NULL;
}
