/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which clone sources reach a leaf.
 *
 * The kernel walks back references up from the leaf, breadth first, and meets the trees in an order that
 * decides which of several equally good sources is cloned from.  It keeps what it found for 128 leaves;
 * which leaves these are decides too (sources.c), so that cache is kept here as the kernel keeps it.
 * What is behind it is ours: lists once found are kept for many more leaves, and where the subvolume that
 * is sent is the only source a look down its tree takes the place of the walk up.
 *
 * Invariants
 *  1. A list holds clone sources only.
 *  2. `kernel` has exactly the leaves that the kernel's cache has at this point, in its order.
 */
#include "send/leaf_roots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "files/backref.h"
#include "send/clone.h"

#define KERNEL_CACHE_MAX 128
#define KERNEL_CACHE_ROOTS 17 /* leaves that more sources reach are not cached */
#define KNOWN_MAX 65536
#define VIEWS_MAX 128
#define REFS_MAX 1024 /* the kernel does not go up from blocks with more references */

struct block_list {
	u64 *block;
	size_t count, capacity;
};

struct leaf_roots {
	struct send_plan *p;
	struct lru kernel; /* struct root_list */
	struct lru known;  /* struct root_list */
	struct lru views;  /* struct root_view */
	struct cursor extents;
	struct backrefs refs;
	struct block_list blocks;
	u64 *roots;
	size_t root_count, root_capacity;
	bool look_down; /* one source, and no block can have more than REFS_MAX references */
};

static struct root_list *list_of(struct lru_entry *e)
{
	return e ? CONTAINER_OF(e, struct root_list, lru) : NULL;
}

static int count_subvolumes(struct send_plan *p, u64 max, u64 *count)
{
	struct cursor c;
	struct key k = key_of(FIRST_FREE_OBJECTID, KEY_ROOT_ITEM, 0);
	int ret;

	*count = 0;
	cursor_init(&c, &p->fs->root_tree);
	for (ret = cursor_seek(&c, &k); ret >= 0 && !cursor_at_end(&c) && *count <= max;
	     ret = cursor_next(&c)) {
		k = cursor_key(&c);
		if (k.objectid > LAST_FREE_OBJECTID)
			break;
		*count += k.type == KEY_ROOT_ITEM;
	}
	cursor_release(&c);
	return ret < 0 ? ret : 0;
}

int leaf_roots_new(struct send_plan *p, struct leaf_roots **out)
{
	struct leaf_roots *l = calloc(1, sizeof(*l));
	u64 subvolumes;
	int ret;

	if (!l)
		return error_nomem(sizeof(*l));
	l->p = p;
	cursor_init(&l->extents, &p->fs->extent_tree);
	ret = lru_init(&l->kernel, KERNEL_CACHE_MAX);
	if (!ret)
		ret = lru_init(&l->known, KNOWN_MAX);
	if (!ret)
		ret = lru_init(&l->views, VIEWS_MAX);
	if (!ret)
		ret = count_subvolumes(p, REFS_MAX, &subvolumes);
	if (ret) {
		leaf_roots_free(l);
		return ret;
	}
	l->look_down = subvolumes < REFS_MAX;
	*out = l;
	return 0;
}

static void free_lists(struct lru *lists)
{
	struct lru_entry *e;

	if (!lists->map.buckets)
		return;
	while ((e = lru_pop(lists)))
		free(list_of(e));
	lru_release(lists);
}

static void free_view(struct lru_entry *e)
{
	if (!e)
		return;

	struct root_view *v = CONTAINER_OF(e, struct root_view, lru);

	cursor_release(&v->cursor);
	free(v);
}

void leaf_roots_free(struct leaf_roots *l)
{
	struct lru_entry *e;

	if (!l)
		return;
	free_lists(&l->kernel);
	free_lists(&l->known);
	if (l->views.map.buckets) {
		while ((e = lru_pop(&l->views)))
			free_view(e);
		lru_release(&l->views);
	}
	cursor_release(&l->extents);
	backrefs_release(&l->refs);
	free(l->blocks.block);
	free(l->roots);
	free(l);
}

int leaf_roots_view(struct leaf_roots *l, u64 id, struct root_view **out)
{
	struct lru_entry *e = lru_find(&l->views, id, 0);
	struct root_view *v;

	if (e) {
		*out = CONTAINER_OF(e, struct root_view, lru);
		return 0;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		return error_nomem(sizeof(*v));

	int ret = filesystem_tree(l->p->fs, id, &v->tree);

	if (ret == -ENOENT) {
		v->missing = true;
	} else if (ret) {
		free(v);
		return ret;
	}
	cursor_init(&v->cursor, &v->tree);
	free_view(lru_store(&l->views, &v->lru, id, 0));
	*out = v;
	return 0;
}

const struct root_list *leaf_roots_cached(struct leaf_roots *l, u64 leaf)
{
	return list_of(lru_find(&l->kernel, leaf, 0));
}

static int push(u64 **array, size_t *count, size_t *capacity, u64 v)
{
	for (size_t i = 0; i < *count; i++)
		if ((*array)[i] == v)
			return 0;
	if (*count == *capacity) {
		size_t bigger = *capacity ? *capacity * 2 : 64;
		u64 *a = realloc(*array, bigger * sizeof(*a));

		if (!a)
			return error_nomem(bigger * sizeof(*a));
		*array = a;
		*capacity = bigger;
	}
	(*array)[(*count)++] = v;
	return 0;
}

static int add_root(struct leaf_roots *l, u64 root)
{
	if (!clone_source_find(l->p->sources, root))
		return 0;
	return push(&l->roots, &l->root_count, &l->root_capacity, root);
}

static int add_block(struct leaf_roots *l, u64 block)
{
	return push(&l->blocks.block, &l->blocks.count, &l->blocks.capacity, block);
}

/* The kernel goes through references by falling subvolume id, those that name a block instead last. */
static int falling(const void *a, const void *b)
{
	const struct backref *x = a, *y = b;

	if (x->root != y->root)
		return x->root > y->root ? -1 : 1;
	return x->parent > y->parent ? -1 : x->parent < y->parent;
}

/* One step up from @block, in whose range @key lies. */
static int go_up(struct leaf_roots *l, u64 block, const struct key *key)
{
	int ret = backrefs_find(&l->extents, block, &l->refs);

	if (ret <= 0 || l->refs.refs > REFS_MAX)
		return ret < 0 ? ret : 0;
	ret = backrefs_read(&l->extents, &l->refs);
	if (ret)
		return ret;
	if (l->refs.level >= LEVEL_MAX - 1)
		return error_set(EIO, "extent tree: block %" PRIu64 ": level %u", block,
				 l->refs.level);
	qsort(l->refs.ref, l->refs.count, sizeof(*l->refs.ref), falling);
	for (size_t i = 0; i < l->refs.count && !ret; i++) {
		const struct backref *r = &l->refs.ref[i];
		struct root_view *v;

		if (r->parent) {
			ret = add_block(l, r->parent);
			continue;
		}
		if (r->type != KEY_TREE_BLOCK_REF || r->root == DATA_RELOC_TREE_OBJECTID)
			continue;
		ret = leaf_roots_view(l, r->root, &v);
		if (ret || v->missing || v->tree.level < l->refs.level)
			continue;
		if (v->tree.level == l->refs.level) {
			ret = add_root(l, r->root);
			continue;
		}
		ret = cursor_seek_before(&v->cursor, key);
		if (ret < 0)
			return ret;
		ret = 0;
		if (v->cursor.node[l->refs.level + 1])
			ret = add_block(l, v->cursor.node[l->refs.level + 1]->logical);
	}
	return ret;
}

static int walk_up(struct leaf_roots *l, u64 leaf, const struct key *key)
{
	int ret;

	l->blocks.count = 0;
	ret = add_block(l, leaf);
	for (size_t i = 0; i < l->blocks.count && !ret; i++)
		ret = go_up(l, l->blocks.block[i], key);
	return ret;
}

static int look_down(struct leaf_roots *l, u64 leaf, const struct key *key)
{
	struct root_view *v;
	int ret = leaf_roots_view(l, l->p->send.sv.id, &v);

	if (!ret)
		ret = cursor_seek_before(&v->cursor, key);
	if (ret < 0)
		return ret;
	if (v->cursor.node[0] && v->cursor.node[0]->logical == leaf)
		return add_root(l, l->p->send.sv.id);
	return 0;
}

static struct root_list *list_new(u64 count, const u64 *id)
{
	struct root_list *r = malloc(sizeof(*r) + count * sizeof(*id));

	if (r) {
		r->count = (u32)count;
		if (count)
			memcpy(r->id, id, count * sizeof(*id));
	}
	return r;
}

int leaf_roots_find(struct leaf_roots *l, u64 leaf, const struct key *key,
		    const struct root_list **out)
{
	struct root_list *r = list_of(lru_find(&l->known, leaf, 0));

	if (!r) {
		int ret;

		l->root_count = 0;
		ret = l->look_down && l->p->sources->count == 1 ? look_down(l, leaf, key)
								: walk_up(l, leaf, key);
		if (ret)
			return ret;
		r = list_new(l->root_count, l->roots);
		if (!r)
			return error_nomem(sizeof(*r) + l->root_count * sizeof(u64));
		free(list_of(lru_store(&l->known, &r->lru, leaf, 0)));
	}
	if (r->count <= KERNEL_CACHE_ROOTS) {
		struct root_list *copy = list_new(r->count, r->id);

		if (!copy)
			return error_nomem(sizeof(*copy));
		free(list_of(lru_store(&l->kernel, &copy->lru, leaf, 0)));
	}
	*out = r;
	return 0;
}
