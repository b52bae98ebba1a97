/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths of the tree with a number each, kept right while the tree is renamed under them: nodes
 * that could not be made, flags that wait for the end.  It is empty most of the time and then
 * costs nothing.
 */
#ifndef BTRFLY_RECEIVE_PATH_TABLE_H
#define BTRFLY_RECEIVE_PATH_TABLE_H

#include "base/map.h"
#include "stream/path.h"

struct path_entry {
	struct map_node node;
	u64 value;
	size_t len;
	char text[];
};

struct path_table {
	struct map map; /* made when the first entry comes */
	u64 changes;    /* counts them */
};

static inline bool path_table_empty(const struct path_table *t) { return !t->map.count; }

/* Add, or change the value; 0 or -ENOMEM. */
int path_table_put(struct path_table *t, const char *text, size_t len, u64 value);

struct path_entry *path_table_find(const struct path_table *t, const struct tree_path *p);

/* @p and everything beneath it is gone. */
void path_table_remove(struct path_table *t, const struct tree_path *p);

/* @from and everything beneath it is called @to now.  0 or -ENOMEM. */
int path_table_rename(struct path_table *t, const struct tree_path *from, const struct tree_path *to);

/* The entries in no order: start with NULL; the table must not change in between. */
struct path_entry *path_table_next(const struct path_table *t, const struct path_entry *after);

void path_table_release(struct path_table *t);

#endif
