/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths of the tree with a note each, kept right while the tree is renamed under them.  It is a tree of names
 * itself: finding, changing and renaming take one look-up for each name of the path, whatever the table holds, and a
 * directory is renamed with all that lies beneath it at once.  The names come from outside, so the
 * hash is seeded.  It is empty most of the time and then costs nothing.
 */
#ifndef BTRFLY_RECEIVE_PATH_TABLE_H
#define BTRFLY_RECEIVE_PATH_TABLE_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "receive/note.h"
#include "stream/path.h"

struct path_entry {
	struct map_node node; /* by parent and name */
	struct map_node linked; /* by note.links, if that is not 0 */
	struct path_entry *parent; /* NULL: the root of the tree */
	struct list children, sibling;
	u64 id;
	struct note note; /* empty: here only for what lies beneath */
	size_t len;
	char *name;
};

/* Zero-initialised is empty and valid. */
struct path_table {
	struct path_entry *root; /* made when the first note comes */
	struct map map, links;
	u64 seed, last_id;
};

static inline bool path_table_empty(const struct path_table *t) { return !t->root; }

/* Note something of [@text, @text + @len), "" being the root, in place of what was noted.  0 or -ENOMEM. */
int path_table_put(struct path_table *t, const char *text, size_t len, const struct note *note);

/* What is noted of @p; NULL for nothing. */
const struct note *path_table_find(const struct path_table *t, const struct tree_path *p);
const struct note *path_table_find_path(const struct path_table *t, const char *text, size_t len);

/* @p and everything beneath it is gone. */
void path_table_remove(struct path_table *t, const struct tree_path *p);

/* @from and everything beneath it is called @to now.  0, or -ENOMEM and then what was noted of @from is lost. */
int path_table_rename(struct path_table *t, const struct tree_path *from, const struct tree_path *to);

/* The entries with a note, in no order: start with NULL; the table must not change in between. */
struct path_entry *path_table_next(const struct path_table *t, const struct path_entry *after);

/* The entries with the same note.links, not 0: start with NULL. */
struct path_entry *path_table_linked(const struct path_table *t, u64 links, const struct path_entry *after);

/* Append the path of @e, which may be longer than a command's can be, and a NUL that is not counted.  0 or -ENOMEM. */
int path_table_path(const struct path_entry *e, struct buffer *path);

void path_table_release(struct path_table *t);

#endif
