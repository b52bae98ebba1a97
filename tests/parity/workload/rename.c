/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that give things other names and places. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workload.h"

/* Whether everything at and below @from can still be named when it lies at @to. */
static bool fits(struct workload *w, const char *from, const char *to)
{
	size_t old = strlen(from), new = strlen(to);

	for (size_t i = 1; i < w->count; i++) {
		const char *path = w->entries[i].path;

		if (tree_below(path, from) && strlen(path) - old + new > WORKLOAD_PATH_MAX)
			return false;
	}
	return true;
}

/* Rename, over what is there if the filesystem allows it. */
static int move(struct workload *w, const char *from, const char *to)
{
	if (!fits(w, from, to))
		return -ENAMETOOLONG;
	if (!strcmp(from, to))
		return 0;
	/* Two names of one inode: rename does nothing at all. */
	struct entry *over = tree_find(w, to), *e = tree_find(w, from);
	bool same = over && over->ino == e->ino && over->kind == e->kind;

	if (renameat(w->root, from, w->root, to))
		return -errno;
	if (same)
		return 0;
	if (over)
		tree_forget(w, to);
	tree_moved(w, from, to);
	return 0;
}

static int rename_any(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1];
	int ret = tree_new_path(w, NULL, path);
	struct entry *e = tree_pick_any(w);

	if (!e || ret)
		return ret;
	workload_note(w, "rename", e->path, path);
	char *from = strdup(e->path);

	ret = move(w, from, path);
	free(from);
	return ret;
}

/* A directory into any other place: under another's child as well. */
static int rename_dir(struct workload *w)
{
	char path[WORKLOAD_PATH_MAX + 1], from[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick(w, KIND_DIR);
	int ret = tree_new_path(w, NULL, path);

	if (ret || !*e->path)
		return ret;
	tree_copy_path(from, e->path);
	workload_note(w, "rename dir", from, path);
	return move(w, from, path);
}

static int rename_over(struct workload *w)
{
	char from[WORKLOAD_PATH_MAX + 1], to[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick_any(w), *over = tree_pick_any(w);

	if (!e || (e->kind == KIND_DIR) != (over->kind == KIND_DIR))
		return 0;
	tree_copy_path(from, e->path);
	tree_copy_path(to, over->path);
	workload_note(w, "rename over", from, to);
	return move(w, from, to);
}

/* A place of its own beside @path. */
static int aside(const char *path, char *to)
{
	int len = snprintf(to, WORKLOAD_PATH_MAX + 1, "%s", path);
	char *slash = strrchr(to, '/');

	len = slash ? (int)(slash + 1 - to) : 0;
	return snprintf(to + len, WORKLOAD_PATH_MAX + 1 - len, "aside") > WORKLOAD_PATH_MAX - len
		       ? -ENAMETOOLONG : 0;
}

static int exchange(struct workload *w)
{
	char a[WORKLOAD_PATH_MAX + 1], b[WORKLOAD_PATH_MAX + 1];
	struct entry *first = tree_pick_any(w), *second = tree_pick_any(w);

	if (!first || tree_below(first->path, second->path) || tree_below(second->path, first->path))
		return 0;
	/* What a snapshot shows in the place of a nested subvolume: to exchange it aborts the kernel's
	 * transaction (6.18). */
	if (first->ino == STUB_INO || second->ino == STUB_INO)
		return 0;
	tree_copy_path(a, first->path);
	tree_copy_path(b, second->path);
	if (!fits(w, a, b) || !fits(w, b, a))
		return -ENAMETOOLONG;
	workload_note(w, "exchange", a, b);
	if (renameat2(w->root, a, w->root, b, RENAME_EXCHANGE))
		return -errno;
	/* "\n/": a place that no path of the tree can be in. */
	tree_moved(w, a, "\n/");
	tree_moved(w, b, a);
	tree_moved(w, "\n/", b);
	return 0;
}

/* top/child becomes child-at-top/top: parent and child change places. */
static int swap_with_parent(struct workload *w)
{
	char child[WORKLOAD_PATH_MAX + 1], top[WORKLOAD_PATH_MAX + 1];
	char place[WORKLOAD_PATH_MAX + 1], inner[WORKLOAD_PATH_MAX + 1];
	struct entry *e = tree_pick(w, KIND_DIR);
	char *slash = strrchr(e->path, '/');

	if (!slash)
		return 0;
	tree_copy_path(child, e->path);
	memcpy(top, child, slash - e->path);
	top[slash - e->path] = '\0';
	if (aside(top, place) || tree_find(w, place) || tree_join(place, slash + 1, inner))
		return -EEXIST;
	workload_note(w, "swap with parent", child, NULL);
	int ret = move(w, child, place);

	if (!ret)
		ret = move(w, top, inner);
	return ret ? ret : move(w, place, top);
}

/* a → b → c → a among files and directories of one directory: names go round, inodes stay. */
static int rotate(struct workload *w)
{
	char names[3][WORKLOAD_PATH_MAX + 1], place[WORKLOAD_PATH_MAX + 1];

	for (unsigned i = 0; i < 3; i++) {
		struct entry *e = tree_pick_any(w);

		if (!e)
			return 0;
		tree_copy_path(names[i], e->path);
		for (unsigned k = 0; k < i; k++)
			if (tree_below(names[i], names[k]) || tree_below(names[k], names[i]))
				return 0;
	}
	if (aside(names[0], place) || tree_find(w, place))
		return -EEXIST;
	workload_note(w, "rotate", names[0], names[1]);
	int ret = move(w, names[0], place);

	if (!ret)
		ret = move(w, names[1], names[0]);
	if (!ret)
		ret = move(w, names[2], names[1]);
	return ret ? ret : move(w, place, names[2]);
}

const struct operation rename_operations[] = {
	{"rename", 35, rename_any},	{"rename dir", 12, rename_dir}, {"rename over", 10, rename_over},
	{"exchange", 10, exchange},	{"swap with parent", 6, swap_with_parent},
	{"rotate", 5, rotate},		{0},
};
