/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * treediff [OPTIONS] DIR          one line for every file below DIR, in a canonical order
 * treediff [OPTIONS] DIR1 DIR2    the lines that differ, and exit status 1 if there are any
 *
 * What is in a line says manifest.h.
 *
 *   --holes           add where data lies, as SEEK_DATA sees it, in blocks of 4 KiB
 *   --without=LIST    leave columns out: mode, owner, mtime, link, rdev, content, xattr,
 *                     special (lines of device nodes)
 *
 * It shares no code with the program that it judges.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <gcrypt.h>

#include "manifest.h"

static const char *const column_names[MANIFEST_COLUMNS] = {"mode", "owner",   "mtime", "link",
							   "rdev", "content", "xattr", "special"};
static struct manifest_options manifest;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "treediff: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
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
	manifest_write(out, root, &manifest);
	if (fclose(out))
		die("memory");

	char *rest = l.text;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		l.v = reallocarray(l.v, l.count + 1, sizeof(*l.v));
		if (!l.v)
			die("memory");
		l.v[l.count++] = line;
	}
	qsort(l.v, l.count, sizeof(*l.v), compare_lines);
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

		while (c < MANIFEST_COLUMNS && strcmp(word, column_names[c]))
			c++;
		if (c == MANIFEST_COLUMNS) {
			fprintf(stderr, "treediff: no column '%s'\n", word);
			exit(2);
		}
		manifest.without[c] = true;
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
			manifest.holes = true;
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
	manifest_write(stdout, argv[optind], &manifest);
	return fflush(stdout) ? 2 : 0;
}
