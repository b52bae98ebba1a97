/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The leaves that refer to data extents.
 *
 * The kernel keeps for 128 leaves which subvolumes reach them, and which leaves these are decides what is
 * cloned from where (sources.c).  That cache is kept here as the kernel keeps it.  Extents point at their
 * leaves, so that it takes no search to see whether one of them is in the cache.
 *
 * Invariants
 *  1. A leaf that the kernel's cache has counts that as a user and is on `cached`; one without users is on
 *     `idle`; any other is on no list.
 *  2. Idle leaves have roots: what is known is kept for them who ask again.  There are at most IDLE_MAX.
 *  3. A list of roots never changes.
 */
#include "send/leaves.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define KERNEL_CACHE_MAX 128
#define KERNEL_CACHE_ROOTS 17 /* leaves that more sources reach are not stored */
#define IDLE_MAX 65536

int leaves_init(struct leaves *l)
{
	*l = (struct leaves){0};
	list_init(&l->cached);
	list_init(&l->idle);
	return map_init(&l->all);
}

static struct leaf *oldest(const struct list *l)
{
	return LIST_ENTRY(l->next, struct leaf, order);
}

static void drop(struct leaves *l, struct leaf *leaf)
{
	map_remove(&l->all, &leaf->node);
	list_remove(&leaf->order);
	free(leaf->roots);
	free(leaf);
}

void leaves_release(struct leaves *l)
{
	if (!l->all.buckets)
		return;
	while (!list_empty(&l->cached))
		drop(l, oldest(&l->cached));
	while (!list_empty(&l->idle))
		drop(l, oldest(&l->idle));
	map_release(&l->all);
}

static size_t bytes_of(const struct leaf *leaf)
{
	const struct root_list *r = leaf->roots;

	return sizeof(*leaf) + (r ? sizeof(*r) + r->count * sizeof(r->id[0]) : 0);
}

struct leaf *leaves_get(struct leaves *l, u64 address)
{
	struct map_node *n = map_find(&l->all, address);
	struct leaf *leaf = n ? CONTAINER_OF(n, struct leaf, node) : NULL;

	if (!leaf) {
		leaf = calloc(1, sizeof(*leaf));
		if (!leaf) {
			error_nomem(sizeof(*leaf));
			return NULL;
		}
		list_init(&leaf->order);
		map_add(&l->all, &leaf->node, address);
		l->bytes += bytes_of(leaf);
	} else if (!leaf->users) {
		list_remove(&leaf->order);
		l->idle_count--;
		l->bytes += bytes_of(leaf);
	}
	leaf->users++;
	return leaf;
}

void leaves_put(struct leaves *l, struct leaf *leaf)
{
	if (--leaf->users)
		return;
	l->bytes -= bytes_of(leaf);
	if (!leaf->roots) {
		drop(l, leaf);
		return;
	}
	list_add_tail(&l->idle, &leaf->order);
	if (++l->idle_count > IDLE_MAX) {
		drop(l, oldest(&l->idle));
		l->idle_count--;
	}
}

int leaves_set_roots(struct leaves *l, struct leaf *leaf, const u64 *id, u32 count)
{
	struct root_list *r = malloc(sizeof(*r) + count * sizeof(*id));

	if (!r)
		return error_nomem(sizeof(*r) + count * sizeof(*id));
	r->count = count;
	if (count)
		memcpy(r->id, id, count * sizeof(*id));
	l->bytes -= bytes_of(leaf);
	leaf->roots = r;
	l->bytes += bytes_of(leaf);
	return 0;
}

void leaves_store(struct leaves *l, struct leaf *leaf)
{
	if (leaf->roots->count > KERNEL_CACHE_ROOTS)
		return;
	if (l->cached_count == KERNEL_CACHE_MAX) {
		struct leaf *out = oldest(&l->cached);

		list_remove(&out->order);
		out->cached = false;
		l->cached_count--;
		leaves_put(l, out);
	}
	leaf->users++;
	leaf->cached = true;
	list_add_tail(&l->cached, &leaf->order);
	l->cached_count++;
}
