/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that take things away, and that put new ones in their place. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

static size_t size_below(struct workload *w, const char *path)
{
	size_t size = 0;

	for (size_t i = 1; i < w->count; i++)
		size += tree_below(w->entries[i].path, path);
	return size;
}

static int remove_entry(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick_any(w);

	if (!e || size_below(w, e->path) > 1)
		return 0;
	tree_copy_path(path, e->path);
	workload_note(w, "remove", path, NULL);
	return tree_delete(w, path);
}

static int remove_tree(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick(w, KIND_DIR);

	/* Something must be left to work on. */
	if (!*e->path || size_below(w, e->path) > w->count / 4)
		return 0;
	tree_copy_path(path, e->path);
	workload_note(w, "remove tree", path, NULL);
	return tree_delete(w, path);
}

/* The same name, another inode, often another type. */
static int replace(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick_any(w);

	if (!e || size_below(w, e->path) > 20)
		return 0;
	tree_copy_path(path, e->path);
	workload_note(w, "replace", path, NULL);
	int ret = tree_delete(w, path);

	if (ret)
		return ret;
	switch (random_below(w, 3)) {
	case 0:
		if (mkdirat(w->root, path, 0700))
			return -errno;
		tree_add(w, path, KIND_DIR);
		return 0;
	case 1:
		if (symlinkat("replaced", w->root, path))
			return -errno;
		tree_add(w, path, KIND_OTHER);
		return 0;
	}
	int fd = openat(w->root, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	tree_add(w, path, KIND_FILE);
	ret = data_fill(w, fd);
	close(fd);
	return ret;
}

static int newest_first(const void *a, const void *b)
{
	u64 x = ((const struct entry *)a)->ino, y = ((const struct entry *)b)->ino;

	return (x < y) - (x > y);
}

int remove_newest(struct workload *w)
{
	size_t count = w->count / 4 + 1;
	struct entry *order = calloc(w->count, sizeof(*order));
	char **paths = calloc(w->count, sizeof(*paths));
	int ret = 0;

	if (!order || !paths)
		abort();
	memcpy(order, w->entries + 1, (w->count - 1) * sizeof(*order));
	qsort(order, w->count - 1, sizeof(*order), newest_first);
	count = count < w->count ? count : w->count - 1;
	for (size_t i = 0; i < count; i++)
		paths[i] = strdup(order[i].path);
	/* One with older things below it is not deleted; those under it come first by age anyway. */
	for (size_t i = 0; i < count; i++) {
		if (!ret && tree_find(w, paths[i]) && size_below(w, paths[i]) == 1)
			ret = tree_delete(w, paths[i]);
		free(paths[i]);
	}
	free(paths);
	free(order);
	return ret;
}

const struct operation remove_operations[] = {
	{"remove", 30, remove_entry}, {"remove tree", 4, remove_tree}, {"replace", 12, replace}, {0},
};
