/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that something has in one of two subvolumes and not, or perhaps not, in the other. */
#ifndef BTRFLY_COMPARE_NAMES_H
#define BTRFLY_COMPARE_NAMES_H

#include "compare/side.h"

struct name {
	u64 owner; /* of a subvolume's name: the subvolume's id */
	u64 dir_ino;
	struct directory *dir;
	struct path_node *path;
};

/* A list that grows.  Zero-initialised is empty and valid. */
struct names {
	struct name *v;
	size_t count, capacity;
};

/* Add the name @name in directory @dir of @s. */
int names_add(struct names *n, struct side *s, u64 owner, u64 dir, const char *name, size_t len);
void names_release(struct names *n);

/* Orders for qsort(): by owner; by place, which is the directory, as the same one in both subvolumes, and
 * the name in it; by path, whatever the directories on it are. */
int name_order_owner(const void *a, const void *b);
int name_order_place(const void *a, const void *b);
int name_order_path(const void *a, const void *b);

/* Take out what is in both lists, and leave the rest in @order. */
void names_cancel(struct name *a, size_t *a_count, struct name *b, size_t *b_count,
		  int (*order)(const void *, const void *));

#endif
