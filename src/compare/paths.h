/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The paths that a comparison speaks of, of both subvolumes in one tree of names: what has the same path in
 * both is one node.  It has nodes for what changed and for the directories above, and for nothing else.
 */
#ifndef BTRFLY_COMPARE_PATHS_H
#define BTRFLY_COMPARE_PATHS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"

struct path_node {
	struct map_node in_names;
	struct path_node *parent;   /* NULL: the top */
	struct path_node *children; /* newest first, until paths_next() has sorted them */
	struct path_node *sibling;
	struct change *changes;
	u16 name_len;
	char name[];
};

struct paths {
	struct arena *arena; /* where nodes live */
	struct map names;
	struct path_node *top;
};

int paths_init(struct paths *p, struct arena *arena);
void paths_release(struct paths *p); /* nodes stay with the arena */

/* The node of @name in @parent, made if it is not there. */
int paths_child(struct paths *p, struct path_node *parent, const char *name, size_t len,
		struct path_node **out);

/*
 * The node behind @node, NULL behind the last: a directory comes before what is in it, and that before the
 * directory's next neighbour; neighbours are ordered by the bytes of their names.  No more nodes may be made
 * once this has begun.
 */
int paths_next(struct path_node *node, struct path_node **out);

/* The path from the top without a leading slash, NUL-terminated; "." for the top. */
int path_text(const struct path_node *node, struct buffer *out);

/* By the bytes of the names, as memcmp() does. */
int path_name_order(const struct path_node *a, const struct path_node *b);

#endif
