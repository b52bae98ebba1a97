/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/map.h"

#include <stdlib.h>

#include "base/error.h"

#define INITIAL_BUCKETS 64

static size_t bucket_of(const struct map *m, u64 key)
{
	/* Multiplication by 2^64 / golden ratio: inode numbers and addresses are regular. */
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & m->mask;
}

int map_init(struct map *m)
{
	m->buckets = calloc(INITIAL_BUCKETS, sizeof(*m->buckets));
	m->mask = INITIAL_BUCKETS - 1;
	m->count = 0;
	return m->buckets ? 0 : error_nomem(INITIAL_BUCKETS * sizeof(*m->buckets));
}

void map_release(struct map *m)
{
	free(m->buckets);
	*m = (struct map){0};
}

static void grow(struct map *m)
{
	struct map bigger = {.mask = m->mask * 2 + 1, .count = m->count};

	bigger.buckets = calloc(bigger.mask + 1, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return;
	for (size_t i = 0; i <= m->mask; i++) {
		/* Reversed first, so that nodes of one key keep their order. */
		struct map_node *reversed = NULL, *n, *next;

		for (n = m->buckets[i]; n; n = next) {
			next = n->next;
			n->next = reversed;
			reversed = n;
		}
		for (n = reversed; n; n = next) {
			struct map_node **head = &bigger.buckets[bucket_of(&bigger, n->key)];

			next = n->next;
			n->next = *head;
			*head = n;
		}
	}
	free(m->buckets);
	*m = bigger;
}

void map_add(struct map *m, struct map_node *n, u64 key)
{
	if (m->count > m->mask)
		grow(m);

	struct map_node **head = &m->buckets[bucket_of(m, key)];

	n->key = key;
	n->next = *head;
	*head = n;
	m->count++;
}

void map_remove(struct map *m, struct map_node *n)
{
	struct map_node **p = &m->buckets[bucket_of(m, n->key)];

	while (*p && *p != n)
		p = &(*p)->next;
	if (*p) {
		*p = n->next;
		m->count--;
	}
}

struct map_node *map_find(const struct map *m, u64 key)
{
	struct map_node *n = m->buckets[bucket_of(m, key)];

	while (n && n->key != key)
		n = n->next;
	return n;
}

struct map_node *map_next_same(const struct map_node *n)
{
	u64 key = n->key;
	struct map_node *m = n->next;

	while (m && m->key != key)
		m = m->next;
	return m;
}

struct map_node *map_iterate(const struct map *m, const struct map_node *after)
{
	if (!m->count)
		return NULL;
	if (after && after->next)
		return after->next;
	for (size_t i = after ? bucket_of(m, after->key) + 1 : 0; i <= m->mask; i++)
		if (m->buckets[i])
			return m->buckets[i];
	return NULL;
}
