/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which clone sources reach a leaf.
 *
 * The kernel walks back references up from the leaf, breadth first, and meets the trees in an order that
 * decides which of several equally good sources is cloned from.  A list once found stays with its leaf
 * (leaves.h), and where the subvolume that is sent is the only source a look down its tree takes the place of
 * the walk up.
 *
 * Invariant: a list holds clone sources only.
 */
#include "send/leaf_roots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "files/backref.h"
#include "send/clone.h"

#define VIEWS_MAX 128
#define REFS_MAX 1024 /* the kernel does not go up from blocks with more references */

struct block_list {
	u64 *block;
	size_t count, capacity;
};

struct leaf_roots {
	struct send_plan *p;
	struct leaves *leaves;
	struct lru views; /* struct root_view */
	struct cursor extents;
	struct backrefs refs;
	struct block_list blocks;
	u64 *roots;
	size_t root_count, root_capacity;
	bool look_down; /* one source, and no block can have more than REFS_MAX references */
};

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

int leaf_roots_new(struct send_plan *p, struct leaves *leaves, struct leaf_roots **out)
{
	struct leaf_roots *l = calloc(1, sizeof(*l));
	u64 subvolumes;
	int ret;

	if (!l)
		return error_nomem(sizeof(*l));
	l->p = p;
	cursor_init(&l->extents, &p->fs->extent_tree);
	l->leaves = leaves;
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
	if (l->refs.count)
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

int leaf_roots_find(struct leaf_roots *l, struct leaf *leaf, const struct key *key)
{
	const u64 address = leaf_address(leaf);
	int ret;

	if (leaf->roots)
		return 0;
	l->root_count = 0;
	ret = l->look_down && l->p->sources->count == 1 ? look_down(l, address, key)
							: walk_up(l, address, key);
	return ret ? ret : leaves_set_roots(l->leaves, leaf, l->roots, (u32)l->root_count);
}
