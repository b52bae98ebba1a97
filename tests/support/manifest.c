/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <gcrypt.h>

struct inode {
	dev_t dev;
	ino_t ino;
	char *path;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "manifest of a tree: %s: %s\n", what, strerror(errno));
	exit(2);
}

struct manifest {
	FILE *out;
	const struct manifest_options *options;
	void *seen; /* inodes */
};

static void print_escaped(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c <= ' ' || c >= 127 || c == '\\')
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
}

static int compare_inodes(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

/* The path under which this inode was met first. */
static const char *first_path(void **seen, const struct stat *st, const char *path)
{
	struct inode *in = malloc(sizeof(*in)), **found;

	if (!in)
		die("memory");
	*in = (struct inode){st->st_dev, st->st_ino, NULL};
	found = tsearch(in, seen, compare_inodes);
	if (!found)
		die("memory");
	if (*found == in)
		in->path = strdup(path);
	else
		free(in);
	return (*found)->path;
}

static void free_inode(void *p)
{
	struct inode *in = p;

	free(in->path);
	free(in);
}

static void print_content(struct manifest *m, int dir, const char *name, const char *path)
{
	FILE *out = m->out;
	static char buf[1 << 16];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	gcry_md_hd_t md;
	ssize_t n;

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
	if (fd < 0 && errno == EACCES && m->options->closed) {
		fputs(" closed", out);
		return;
	}
	if (fd < 0)
		die(path);
	if (gcry_md_open(&md, GCRY_MD_SHA256, 0))
		die("sha256");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		gcry_md_write(md, buf, n);
	if (n < 0)
		die(path);
	fputs(" sha256=", out);
	for (int i = 0; i < 32; i++)
		fprintf(out, "%02x", gcry_md_read(md, 0)[i]);
	gcry_md_close(md);
	if (m->options->holes) {
		off_t data, hole = 0;
		const char *sep = " data=";

		while ((data = lseek(fd, hole, SEEK_DATA)) >= 0) {
			hole = lseek(fd, data, SEEK_HOLE);
			fprintf(out, "%s%jd-%jd", sep, (intmax_t)data >> 12, (intmax_t)(hole + 4095) >> 12);
			sep = ",";
		}
	}
	close(fd);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_xattrs(struct manifest *m, int dir, const char *name, const char *path)
{
	FILE *out = m->out;
	static char list[1 << 16], value[1 << 16];
	char at[64 + NAME_MAX], *names[4096];
	size_t count = 0;

	snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", dir, name);

	ssize_t len = llistxattr(at, list, sizeof(list));

	if (len < 0 && errno != EOPNOTSUPP)
		die(path);
	for (char *p = list; len > 0 && p < list + len && count < 4096; p += strlen(p) + 1)
		names[count++] = p;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		ssize_t n = lgetxattr(at, names[i], value, sizeof(value));

		if (n < 0 && errno == EACCES && m->options->closed)
			n = 0;
		if (n < 0)
			die(path);
		fputs(" xattr:", out);
		print_escaped(out, names[i], strlen(names[i]));
		fputc('=', out);
		print_escaped(out, value, n);
	}
}

static void print_flags(FILE *out, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), flags;

	if (fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &flags))
		fprintf(out, " flags=%x", (unsigned)flags);
	if (fd >= 0)
		close(fd);
}

static char type_letter(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	default: return 's';
	}
}

static void print_line(struct manifest *m, int dir, const char *name, const char *path, const struct stat *st)
{
	const bool *without = m->options->without;
	FILE *out = m->out;
	char type = type_letter(st->st_mode);

	print_escaped(out, path, strlen(path));
	fprintf(out, " %c", type);
	if (!without[MANIFEST_MODE] && type != 'l')
		fprintf(out, " %04o", st->st_mode & 07777);
	if (!without[MANIFEST_OWNER])
		fprintf(out, " %u:%u", st->st_uid, st->st_gid);
	if (!without[MANIFEST_MTIME])
		fprintf(out, " %jd.%09ld", (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (m->options->changes)
		fprintf(out, " inode %ju changed %jd.%09ld", (uintmax_t)st->st_ino, (intmax_t)st->st_ctim.tv_sec,
			st->st_ctim.tv_nsec);
	if (!without[MANIFEST_LINK] && type != 'd' && st->st_nlink > 1) {
		const char *first = first_path(&m->seen, st, path);

		fputs(" same=", out);
		print_escaped(out, first, strlen(first));
	}
	if (!without[MANIFEST_RDEV] && (type == 'c' || type == 'b'))
		fprintf(out, " %u,%u", major(st->st_rdev), minor(st->st_rdev));
	if (!without[MANIFEST_CONTENT] && type == 'f') {
		fprintf(out, " %jd", (intmax_t)st->st_size);
		print_content(m, dir, name, path);
	}
	if (m->options->flags && (type == 'f' || type == 'd'))
		print_flags(out, dir, name);
	if (type == 'l') {
		static char target[1 << 16];
		ssize_t n = readlinkat(dir, name, target, sizeof(target));

		if (n < 0)
			die(path);
		fputs(" -> ", out);
		print_escaped(out, target, n);
	}
	if (!without[MANIFEST_XATTR])
		print_xattrs(m, dir, name, path);
	fputc('\n', out);
}

static void walk(struct manifest *m, int dir, const char *name, const char *path)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno != EACCES || !m->options->closed)
			die(path);
		print_escaped(m->out, path, strlen(path));
		fputs(" closed\n", m->out);
		return;
	}
	if (!(m->options->without[MANIFEST_SPECIAL] && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))))
		print_line(m, dir, name, path, &st);
	if (!S_ISDIR(st.st_mode))
		return;

	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t count = 0;

	if (!d && errno == EACCES && m->options->closed)
		return;
	if (!d)
		die(path);
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		names = reallocarray(names, count + 1, sizeof(*names));
		if (!names || !(names[count++] = strdup(e->d_name)))
			die("memory");
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		char *below;

		if (asprintf(&below, "%s/%s", path, names[i]) < 0)
			die("memory");
		walk(m, fd, names[i], below);
		free(below);
		free(names[i]);
	}
	free(names);
	closedir(d);
}

void manifest_write(FILE *out, const char *root, const struct manifest_options *options)
{
	struct manifest m = {.out = out, .options = options};
	int fd = open(root, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		die(root);
	walk(&m, fd, ".", ".");
	tdestroy(m.seen, free_inode);
	close(fd);
}
