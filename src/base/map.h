/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table from u64 to nodes that live inside their owners.  It never owns
 * its nodes.  Several nodes may have the same key (walk them with map_next_same);
 * they are met newest first.  Not thread-safe.
 */
#ifndef BTRFLY_BASE_MAP_H
#define BTRFLY_BASE_MAP_H

#include "base/types.h"

struct map_node {
	struct map_node *next;
	u64 key;
};

struct map {
	struct map_node **buckets;
	size_t mask; /* number of buckets - 1 */
	size_t count;
};

int map_init(struct map *m); /* 0 or -ENOMEM */
void map_release(struct map *m); /* zero-initialised is fine */

/* Never fails: where growing does not succeed the chains get longer. */
void map_add(struct map *m, struct map_node *n, u64 key);
void map_remove(struct map *m, struct map_node *n);
struct map_node *map_find(const struct map *m, u64 key);
struct map_node *map_next_same(const struct map_node *n);

/* Iterate in no order: start with NULL; the map must not change in between. */
struct map_node *map_iterate(const struct map *m, const struct map_node *after);

#endif
