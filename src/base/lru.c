/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/lru.h"

int lru_init(struct lru *l, size_t max)
{
	list_init(&l->order);
	l->max = max;
	return map_init(&l->map);
}

void lru_release(struct lru *l)
{
	map_release(&l->map);
}

struct lru_entry *lru_find(struct lru *l, u64 key, u64 gen)
{
	struct map_node *n = map_find(&l->map, key);

	for (; n; n = map_next_same(n)) {
		struct lru_entry *e = CONTAINER_OF(n, struct lru_entry, node);

		if (e->gen == gen) {
			list_remove(&e->order);
			list_add_tail(&l->order, &e->order);
			return e;
		}
	}
	return NULL;
}

struct lru_entry *lru_store(struct lru *l, struct lru_entry *e, u64 key, u64 gen)
{
	struct lru_entry *out = NULL;

	if (l->max && lru_count(l) >= l->max)
		out = lru_pop(l);
	e->gen = gen;
	map_add(&l->map, &e->node, key);
	list_add_tail(&l->order, &e->order);
	return out;
}

void lru_remove(struct lru *l, struct lru_entry *e)
{
	map_remove(&l->map, &e->node);
	list_remove(&e->order);
}

struct lru_entry *lru_oldest(const struct lru *l)
{
	return lru_count(l) ? LIST_ENTRY(l->order.next, struct lru_entry, order) : NULL;
}

struct lru_entry *lru_newest(const struct lru *l)
{
	return lru_count(l) ? LIST_ENTRY(l->order.prev, struct lru_entry, order) : NULL;
}

struct lru_entry *lru_pop(struct lru *l)
{
	struct lru_entry *e = lru_oldest(l);

	if (e)
		lru_remove(l, e);
	return e;
}
