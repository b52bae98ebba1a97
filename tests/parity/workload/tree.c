/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of what lies in the tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

void tree_copy_path(char to[WORKLOAD_PATH_MAX + 1], const char *path)
{
	size_t len = strlen(path);

	if (len > WORKLOAD_PATH_MAX)
		abort();
	memcpy(to, path, len + 1);
}

const char *tree_at(const char *path)
{
	return *path ? path : ".";
}

int tree_join(const char *dir, const char *name, char *path)
{
	int len = snprintf(path, WORKLOAD_PATH_MAX + 1, "%s%s%s", dir, *dir ? "/" : "", name);

	return len > WORKLOAD_PATH_MAX ? -ENAMETOOLONG : 0;
}

static void append(struct workload *w, const char *path, enum kind kind, u64 ino)
{
	if (w->count == w->room) {
		w->room = w->room ? 2 * w->room : 256;
		w->entries = realloc(w->entries, w->room * sizeof(*w->entries));
		if (!w->entries)
			abort();
	}
	w->entries[w->count++] = (struct entry){.path = strdup(path), .kind = kind, .ino = ino};
}

static enum kind kind_of(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return KIND_FILE;
	if (!S_ISDIR(st->st_mode))
		return KIND_OTHER;
	return st->st_ino == SUBVOLUME_INO || st->st_ino == STUB_INO ? KIND_SUBVOLUME : KIND_DIR;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_of(struct workload *w, const char *dir, char ***names, size_t *count)
{
	int fd = openat(w->root, tree_at(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	*names = NULL;
	*count = 0;
	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		*names = realloc(*names, (*count + 1) * sizeof(**names));
		(*names)[(*count)++] = strdup(e->d_name);
	}
	closedir(d);
	if (*count)
		qsort(*names, *count, sizeof(**names), by_bytes);
	return 0;
}

/* Breadth first: the table itself is the queue. */
int tree_scan(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	struct stat st;

	if (fstat(w->root, &st))
		return -errno;
	append(w, "", KIND_DIR, st.st_ino);
	for (size_t i = 0; i < w->count; i++) {
		char **names;
		size_t count;

		if (w->entries[i].kind != KIND_DIR)
			continue;
		int ret = names_of(w, w->entries[i].path, &names, &count);

		for (size_t k = 0; k < count; k++) {
			if (!ret)
				ret = tree_join(w->entries[i].path, names[k], path);
			if (!ret && fstatat(w->root, path, &st, AT_SYMLINK_NOFOLLOW))
				ret = -errno;
			if (!ret)
				append(w, path, kind_of(&st), st.st_ino);
			free(names[k]);
		}
		free(names);
		if (ret)
			return ret;
	}
	return 0;
}

void tree_release(struct workload *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->entries[i].path);
	free(w->entries);
}

struct entry *tree_pick(struct workload *w, enum kind kind)
{
	size_t start = random_below(w, w->count);

	for (size_t i = 0; i < w->count; i++) {
		struct entry *e = &w->entries[(start + i) % w->count];

		if (e->kind == kind)
			return e;
	}
	return NULL;
}

struct entry *tree_pick_any(struct workload *w)
{
	return w->count > 1 ? &w->entries[1 + random_below(w, w->count - 1)] : NULL;
}

int tree_new_path(struct workload *w, const char *dir, char *path)
{
	char name[WORKLOAD_NAME_MAX + 1];

	if (!dir)
		dir = tree_pick(w, KIND_DIR)->path;
	if (strlen(dir) + 5 > WORKLOAD_PATH_MAX)
		return -ENAMETOOLONG;
	random_name(w, name, WORKLOAD_PATH_MAX - strlen(dir) - 1);
	return tree_join(dir, name, path);
}

struct entry *tree_find(struct workload *w, const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (!strcmp(w->entries[i].path, path))
			return &w->entries[i];
	return NULL;
}

void tree_add(struct workload *w, const char *path, enum kind kind)
{
	struct stat st = {0};

	fstatat(w->root, path, &st, AT_SYMLINK_NOFOLLOW);
	append(w, path, kind, st.st_ino);
}

bool tree_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !len || (!strncmp(path, dir, len) && (!path[len] || path[len] == '/'));
}

void tree_forget(struct workload *w, const char *gone)
{
	char path[WORKLOAD_PATH_MAX + 1];
	size_t kept = 1;

	tree_copy_path(path, gone); /* it may be one of those that are freed */
	for (size_t i = 1; i < w->count; i++) {
		if (tree_below(w->entries[i].path, path))
			free(w->entries[i].path);
		else
			w->entries[kept++] = w->entries[i];
	}
	w->count = kept;
}

void tree_moved(struct workload *w, const char *old, const char *to)
{
	char from[WORKLOAD_PATH_MAX + 1], path[2 * WORKLOAD_PATH_MAX + 1];

	tree_copy_path(from, old);
	for (size_t i = 1; i < w->count; i++) {
		if (!tree_below(w->entries[i].path, from))
			continue;
		snprintf(path, sizeof(path), "%s%s", to, w->entries[i].path + strlen(from));
		free(w->entries[i].path);
		w->entries[i].path = strdup(path);
	}
}

/* Depth first, from the end of what lies below: a directory is empty when its turn comes. */
int tree_delete(struct workload *w, const char *path)
{
	char **below = NULL;
	size_t count = 0;
	int ret = 0;

	for (size_t i = 1; i < w->count; i++) {
		if (!tree_below(w->entries[i].path, path))
			continue;
		below = realloc(below, (count + 1) * sizeof(*below));
		below[count++] = strdup(w->entries[i].path);
	}
	if (count)
		qsort(below, count, sizeof(*below), by_bytes);
	while (count--) {
		struct entry *e = tree_find(w, below[count]);

		if (!ret && unlinkat(w->root, below[count],
				     e->kind == KIND_DIR || e->kind == KIND_SUBVOLUME ? AT_REMOVEDIR : 0))
			ret = -errno;
		if (!ret)
			tree_forget(w, below[count]);
		free(below[count]);
	}
	free(below);
	return ret;
}
