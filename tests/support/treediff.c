/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * treediff [OPTIONS] DIR          one line for every file below DIR, in a canonical order
 * treediff [OPTIONS] DIR1 DIR2    the lines that differ, and exit status 1 if there are any
 *
 * A line names the path, type, permissions, owner, mtime to the nanosecond, the first path of
 * the same inode where it has several, device number, size and sha256 of the content, target,
 * and extended attributes.  Access and change times, link counts of directories, sizes of
 * directories and inode numbers are left out: a copy cannot keep them.
 *
 *   --holes           add where data lies, as SEEK_DATA sees it, in blocks of 4 KiB
 *   --without=LIST    leave columns out: mode, owner, mtime, link, rdev, content, xattr,
 *                     special (lines of device nodes)
 *
 * It shares no code with the program that it judges.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <gcrypt.h>

enum column { MODE, OWNER, MTIME, LINK, RDEV, CONTENT, XATTR, SPECIAL, COLUMNS };

static const char *const column_names[COLUMNS] = {"mode", "owner",   "mtime", "link",
						  "rdev", "content", "xattr", "special"};
static bool without[COLUMNS];
static bool holes;

struct inode {
	dev_t dev;
	ino_t ino;
	char *path;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "treediff: %s: %s\n", what, strerror(errno));
	exit(2);
}

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

static void print_content(FILE *out, int dir, const char *name, const char *path)
{
	static char buf[1 << 16];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	gcry_md_hd_t md;
	ssize_t n;

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
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
	if (holes) {
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

static void print_xattrs(FILE *out, int dir, const char *name, const char *path)
{
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

		if (n < 0)
			die(path);
		fputs(" xattr:", out);
		print_escaped(out, names[i], strlen(names[i]));
		fputc('=', out);
		print_escaped(out, value, n);
	}
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

static void print_line(FILE *out, void **seen, int dir, const char *name, const char *path,
		       const struct stat *st)
{
	char type = type_letter(st->st_mode);

	print_escaped(out, path, strlen(path));
	fprintf(out, " %c", type);
	if (!without[MODE] && type != 'l')
		fprintf(out, " %04o", st->st_mode & 07777);
	if (!without[OWNER])
		fprintf(out, " %u:%u", st->st_uid, st->st_gid);
	if (!without[MTIME])
		fprintf(out, " %jd.%09ld", (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (!without[LINK] && type != 'd' && st->st_nlink > 1) {
		const char *first = first_path(seen, st, path);

		fputs(" same=", out);
		print_escaped(out, first, strlen(first));
	}
	if (!without[RDEV] && (type == 'c' || type == 'b'))
		fprintf(out, " %u,%u", major(st->st_rdev), minor(st->st_rdev));
	if (!without[CONTENT] && type == 'f') {
		fprintf(out, " %jd", (intmax_t)st->st_size);
		print_content(out, dir, name, path);
	}
	if (type == 'l') {
		static char target[1 << 16];
		ssize_t n = readlinkat(dir, name, target, sizeof(target));

		if (n < 0)
			die(path);
		fputs(" -> ", out);
		print_escaped(out, target, n);
	}
	if (!without[XATTR])
		print_xattrs(out, dir, name, path);
	fputc('\n', out);
}

static void walk(FILE *out, void **seen, int dir, const char *name, const char *path)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		die(path);
	if (!(without[SPECIAL] && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))))
		print_line(out, seen, dir, name, path, &st);
	if (!S_ISDIR(st.st_mode))
		return;

	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t count = 0;

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
		walk(out, seen, fd, names[i], below);
		free(below);
		free(names[i]);
	}
	free(names);
	closedir(d);
}

static void manifest(FILE *out, const char *root)
{
	void *seen = NULL;
	int fd = open(root, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		die(root);
	walk(out, &seen, fd, ".", ".");
	tdestroy(seen, free_inode);
	close(fd);
}

struct lines {
	char *text, **v;
	size_t count;
};

/* The lines of a tree's manifest, sorted. */
static struct lines lines_of(const char *root)
{
	struct lines l = {0};
	size_t len;
	FILE *out = open_memstream(&l.text, &len);

	if (!out)
		die("memory");
	manifest(out, root);
	if (fclose(out))
		die("memory");

	char *rest = l.text;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		l.v = reallocarray(l.v, l.count + 1, sizeof(*l.v));
		if (!l.v)
			die("memory");
		l.v[l.count++] = line;
	}
	qsort(l.v, l.count, sizeof(*l.v), compare_names);
	return l;
}

static int compare(const char *a_root, const char *b_root)
{
	struct lines a = lines_of(a_root), b = lines_of(b_root);
	size_t i = 0, j = 0;
	bool different = false;

	while (i < a.count || j < b.count) {
		int c = i == a.count ? 1 : j == b.count ? -1 : strcmp(a.v[i], b.v[j]);

		if (c)
			printf("%c%s\n", c < 0 ? '-' : '+', c < 0 ? a.v[i] : b.v[j]);
		different |= c != 0;
		i += c <= 0;
		j += c >= 0;
	}
	free(a.text);
	free(a.v);
	free(b.text);
	free(b.v);
	return different;
}

static void leave_out(char *list)
{
	for (char *word; (word = strsep(&list, ","));) {
		int c = 0;

		while (c < COLUMNS && strcmp(word, column_names[c]))
			c++;
		if (c == COLUMNS) {
			fprintf(stderr, "treediff: no column '%s'\n", word);
			exit(2);
		}
		without[c] = true;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"holes", no_argument, NULL, 'h'},
		{"without", required_argument, NULL, 'w'},
		{0},
	};

	gcry_check_version(NULL);
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'h')
			holes = true;
		else if (c == 'w')
			leave_out(optarg);
		else
			return 2;
	}
	if (argc - optind == 2)
		return compare(argv[optind], argv[optind + 1]);
	if (argc - optind != 1) {
		fprintf(stderr, "usage: treediff [--holes] [--without=LIST] DIR [DIR2]\n");
		return 2;
	}
	manifest(stdout, argv[optind]);
	return fflush(stdout) ? 2 : 0;
}
