/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of entries that live inside their owners, found by (key, generation) and kept in the order
 * of their last use.  It never owns its entries.  Not thread-safe.
 */
#ifndef BTRFLY_BASE_LRU_H
#define BTRFLY_BASE_LRU_H

#include "base/list.h"
#include "base/map.h"

struct lru_entry {
	struct map_node node;
	struct list order;
	u64 gen;
};

struct lru {
	struct map map;
	struct list order; /* least recently used first */
	size_t max;        /* 0: no bound, the owner trims */
};

int lru_init(struct lru *l, size_t max); /* 0 or -ENOMEM */
void lru_release(struct lru *l);         /* the entries must be gone already: lru_pop(), which a
					  * zero-initialised one may be asked for, too */

/* The entry, now the most recently used one, or NULL. */
struct lru_entry *lru_find(struct lru *l, u64 key, u64 gen);

/* Store an entry that is not in the table.  Returns the one that had to make room, for its owner to
 * free, or NULL. */
struct lru_entry *lru_store(struct lru *l, struct lru_entry *e, u64 key, u64 gen);

void lru_remove(struct lru *l, struct lru_entry *e);

/* The least and the most recently used entry, still in the table; NULL when it is empty. */
struct lru_entry *lru_oldest(const struct lru *l);
struct lru_entry *lru_newest(const struct lru *l);

/* Take the least recently used entry out; NULL when the table is empty. */
struct lru_entry *lru_pop(struct lru *l);

static inline size_t lru_count(const struct lru *l) { return l->map.count; }
static inline u64 lru_key(const struct lru_entry *e) { return e->node.key; }

#endif
