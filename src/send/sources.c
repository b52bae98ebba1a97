/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else refers to an extent, told in the order in which the kernel meets them.
 *
 * The order is observable, since the first good enough place is cloned from:
 *  1. References by (subvolume, inode, offset) come first, by falling numbers, then those that name a
 *     leaf, by falling address.
 *  2. First the references are resolved to items in leaves.  An item in a leaf that the kernel's cache has
 *     (leaf_roots.h) is considered at once.
 *  3. Then leaf by leaf, in the order of 1, the subvolumes that reach it are found, and for each of them
 *     the leaf's items are considered.
 *  4. An extent with more than 1024 references is not looked at, nor one with a single reference if
 *     the send root is the only source: the reference is our own.
 *
 * The kernel resolves anew for each file range.  Here what an extent resolves to is kept, so that an
 * extent that many files share is resolved once and not once a file.
 */
#include "send/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "files/backref.h"
#include "send/clone.h"
#include "send/leaf_items.h"
#include "send/leaf_roots.h"

#define REFS_MAX 1024

/* A reference and the places that it resolves to. */
struct resolved {
	u64 root; /* 0: by leaf */
	u64 ino, offset;
	u32 first, count; /* in extent->place */
};

struct extent {
	struct lru_entry lru; /* by address */
	size_t bytes;
	size_t ref_count, place_count, place_capacity;
	struct resolved *ref; /* in the order of rule 1 */
	struct place *place;
};

/* Places of one leaf, in the order in which they are considered. */
struct leaf_places {
	u64 leaf;
	struct key key; /* of an item in the leaf */
	u32 head, tail; /* in walk->next; END: none of them holds what is wanted */
};

struct extent_walk {
	struct send_plan *p;
	struct leaf_roots *roots;
	struct leaf_items *items;
	struct cursor extents;
	struct cursor leaf_extents; /* the same tree, for the items of leaves */
	struct backrefs refs;
	struct lru resolved; /* struct extent */
	size_t resolved_bytes;

	/* Scratch of one walk. */
	struct leaf_places *leaves;
	size_t leaf_count, leaf_capacity;
	u32 *next; /* for each place the next one of its leaf */
	size_t next_capacity;
};

#define END UINT32_MAX

int extent_walk_new(struct send_plan *p, struct extent_walk **out)
{
	struct extent_walk *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return error_nomem(sizeof(*w));
	w->p = p;
	cursor_init(&w->extents, &p->fs->extent_tree);
	cursor_init(&w->leaf_extents, &p->fs->extent_tree);
	ret = lru_init(&w->resolved, 0);
	if (!ret)
		ret = leaf_items_new(p->fs, &w->leaf_extents, &w->items);
	if (!ret)
		ret = leaf_roots_new(p, &w->roots);
	if (ret) {
		extent_walk_free(w);
		return ret;
	}
	*out = w;
	return 0;
}

static void free_extent(struct extent *e)
{
	free(e->ref);
	free(e->place);
	free(e);
}

void extent_walk_free(struct extent_walk *w)
{
	struct lru_entry *e;

	if (!w)
		return;
	while (w->resolved.map.buckets && (e = lru_pop(&w->resolved)))
		free_extent(CONTAINER_OF(e, struct extent, lru));
	lru_release(&w->resolved);
	leaf_roots_free(w->roots);
	leaf_items_free(w->items);
	cursor_release(&w->extents);
	cursor_release(&w->leaf_extents);
	backrefs_release(&w->refs);
	free(w->leaves);
	free(w->next);
	free(w);
}

static int falling(const void *a, const void *b)
{
	const struct backref *x = a, *y = b;

	if (x->root != y->root)
		return x->root > y->root ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino > y->ino ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset > y->offset ? -1 : 1;
	return x->parent > y->parent ? -1 : x->parent < y->parent;
}

static int add_place(struct extent *e, const struct place *p)
{
	if (e->place_count == e->place_capacity) {
		size_t capacity = e->place_capacity ? e->place_capacity * 2 : 4;
		struct place *place = realloc(e->place, capacity * sizeof(*place));

		if (!place)
			return error_nomem(capacity * sizeof(*place));
		e->place = place;
		e->place_capacity = capacity;
	}
	e->place[e->place_count++] = *p;
	return 0;
}

/* Whether the leaf is one that the extent names by address, or another subvolume's: then the items in it
 * are not this reference's. */
static bool is_foreign(const struct extent_walk *w, const struct backref *r,
		       const struct extent_buffer *leaf)
{
	if (leaf->owner != r->root)
		return true;
	for (size_t i = w->refs.count; i-- && !w->refs.ref[i].root;)
		if (w->refs.ref[i].parent == leaf->logical)
			return true;
	return false;
}

/* The items behind a reference by subvolume, inode and offset. */
static int resolve_by_root(struct extent_walk *w, const struct backref *r, struct extent *e)
{
	struct root_view *v;
	u32 found = 0;
	/* An offset that wrapped below zero: the items are somewhere in the file. */
	struct key k = key_of(r->ino, KEY_EXTENT_DATA, r->offset >= INT64_MAX ? 0 : r->offset);
	int ret = leaf_roots_view(w->roots, r->root, &v);

	if (ret || v->missing)
		return ret;

	struct cursor *c = &v->cursor;

	ret = cursor_seek(c, &k);
	if (ret >= 0 && !cursor_at_end(c) && c->slot[0] && is_foreign(w, r, c->node[0]))
		ret = cursor_next_leaf(c);
	while (ret >= 0 && !cursor_at_end(c) && found < r->count) {
		struct place p = {0};

		k = cursor_key(c);
		if (k.objectid != r->ino || k.type != KEY_EXTENT_DATA)
			break;
		if (!c->slot[0] && is_foreign(w, r, c->node[0])) {
			ret = cursor_next_leaf(c);
			continue;
		}
		ret = place_of(w->p->fs, &k, cursor_data(c), cursor_size(c), c->node[0]->logical,
			       w->refs.bytenr, &p);
		if (ret > 0 && k.offset - p.data_offset == r->offset) {
			found++;
			ret = add_place(e, &p);
		}
		if (ret >= 0)
			ret = cursor_next(c);
	}
	return ret < 0 ? ret : 0;
}

/* The items in a leaf that the extent names by address. */
static int resolve_by_leaf(struct extent_walk *w, const struct backref *r, struct extent *e)
{
	const struct place *p;
	int count = leaf_items_find(w->items, r->parent, w->refs.bytenr, &p), ret = 0;

	for (int i = 0; i < count && !ret; i++)
		ret = add_place(e, &p[i]);
	return count < 0 ? count : ret;
}

static int resolve(struct extent_walk *w, struct extent *e)
{
	struct backrefs *b = &w->refs;
	int ret = backrefs_read(&w->extents, b);

	if (ret)
		return ret;
	qsort(b->ref, b->count, sizeof(*b->ref), falling);
	e->ref = calloc(b->count ? b->count : 1, sizeof(*e->ref));
	if (!e->ref)
		return error_nomem(b->count * sizeof(*e->ref));
	for (size_t i = 0; i < b->count && !ret; i++) {
		const struct backref *r = &b->ref[i];
		struct resolved *to = &e->ref[e->ref_count++];

		*to = (struct resolved){.root = r->root,
					.ino = r->ino,
					.offset = r->offset,
					.first = (u32)e->place_count};
		if (r->type == KEY_SHARED_DATA_REF)
			ret = resolve_by_leaf(w, r, e);
		else if (r->type == KEY_EXTENT_DATA_REF && r->root != DATA_RELOC_TREE_OBJECTID)
			ret = resolve_by_root(w, r, e);
		to->count = (u32)(e->place_count - to->first);
	}
	e->bytes = sizeof(*e) + b->count * sizeof(*e->ref) + e->place_capacity * sizeof(*e->place);
	return ret;
}

/* The extent, resolved; NULL if rule 4 passes it over. */
static int extent_of(struct extent_walk *w, u64 bytenr, struct extent **out)
{
	struct lru_entry *known = lru_find(&w->resolved, bytenr, 0);
	u64 max = w->p->options.clone_all ? UINT64_MAX : REFS_MAX;

	*out = NULL;
	if (known) {
		*out = CONTAINER_OF(known, struct extent, lru);
		return 0;
	}

	int ret = backrefs_find(&w->extents, bytenr, &w->refs);

	if (ret <= 0 || w->refs.refs > max ||
	    (w->refs.refs == 1 && w->p->sources->count == 1))
		return ret < 0 ? ret : 0;

	struct extent *e = calloc(1, sizeof(*e));

	if (!e)
		return error_nomem(sizeof(*e));
	ret = resolve(w, e);
	if (ret) {
		free_extent(e);
		return ret;
	}
	lru_store(&w->resolved, &e->lru, bytenr, 0);
	w->resolved_bytes += e->bytes;
	while (w->resolved_bytes > w->p->fs->memory / 4 && lru_count(&w->resolved) > 1) {
		struct extent *old = CONTAINER_OF(lru_pop(&w->resolved), struct extent, lru);

		w->resolved_bytes -= old->bytes;
		free_extent(old);
	}
	*out = e;
	return 0;
}

typedef int (*each_fn)(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg);

/* Whether the item holds the byte that is wanted, and at which offset of its file. */
static bool holds(const struct place *p, u64 position, u64 *offset)
{
	*offset = p->file_offset;
	if (p->encoded)
		return true;
	if (position < p->data_offset || position - p->data_offset >= p->num_bytes)
		return false;
	*offset += position - p->data_offset;
	return true;
}

/* Rule 2 for one place: 1 if the walk is over. */
static int consider_cached(struct extent_walk *w, const struct place *p, u64 position,
			   each_fn each, void *arg)
{
	const struct root_list *roots;
	u64 offset;

	if (!holds(p, position, &offset))
		return 0;
	roots = leaf_roots_cached(w->roots, p->leaf);
	for (u32 i = 0; roots && i < roots->count; i++)
		if (each(roots->id[i], p->ino, offset, p->num_bytes, arg))
			return 1;
	return 0;
}

static bool is_self(const struct extent_query *q, const struct resolved *r)
{
	return q->skip_self && r->root == q->self_root && r->ino == q->self_ino &&
	       r->offset == q->self_offset;
}

/* The list of a leaf, empty at first.  NULL: out of memory. */
static struct leaf_places *leaf_list(struct extent_walk *w, const struct place *p)
{
	/* Places of one leaf mostly come one after the other. */
	for (size_t i = w->leaf_count; i--;)
		if (w->leaves[i].leaf == p->leaf)
			return &w->leaves[i];
	if (w->leaf_count == w->leaf_capacity) {
		size_t capacity = w->leaf_capacity ? w->leaf_capacity * 2 : 64;
		struct leaf_places *l = realloc(w->leaves, capacity * sizeof(*l));

		if (!l) {
			error_nomem(capacity * sizeof(*l));
			return NULL;
		}
		w->leaves = l;
		w->leaf_capacity = capacity;
	}
	w->leaves[w->leaf_count] = (struct leaf_places){
		p->leaf, key_of(p->ino, KEY_EXTENT_DATA, p->file_offset), END, END};
	return &w->leaves[w->leaf_count++];
}

static int append_place(struct extent_walk *w, const struct extent *e, u32 at)
{
	struct leaf_places *l = leaf_list(w, &e->place[at]);

	if (!l)
		return -ENOMEM;
	w->next[at] = END;
	if (l->head == END)
		l->head = at;
	else
		w->next[l->tail] = at;
	l->tail = at;
	return 0;
}

/* Add the places of a leaf that is named by address, from its end.  The kernel asks who reaches the leaf
 * even if none of them holds what is wanted, and so has it in its cache from then on. */
static int append_leaf(struct extent_walk *w, const struct extent *e, const struct resolved *r,
		       u64 position)
{
	u64 offset;
	int ret = 0;

	if (r->count && !leaf_list(w, &e->place[r->first]))
		return -ENOMEM;
	for (u32 i = r->first + r->count; i-- > r->first && !ret;)
		if (holds(&e->place[i], position, &offset))
			ret = append_place(w, e, i);
	return ret;
}

/* Add the places of a reference by subvolume, inode and offset: its leaves by falling address. */
static int append_items(struct extent_walk *w, const struct extent *e, const struct resolved *r,
			u64 position)
{
	u64 below = UINT64_MAX, offset;
	int ret = 0;

	for (u64 leaf = 0; !ret; below = leaf, leaf = 0) {
		for (u32 i = r->first; i < r->first + r->count; i++) {
			const struct place *p = &e->place[i];

			if (p->leaf < below && p->leaf > leaf && holds(p, position, &offset))
				leaf = p->leaf;
		}
		if (!leaf)
			break;
		for (u32 i = r->first; i < r->first + r->count && !ret; i++)
			if (e->place[i].leaf == leaf && holds(&e->place[i], position, &offset))
				ret = append_place(w, e, i);
	}
	return ret;
}

/* Rule 3: 1 if the walk is over. */
static int consider_leaf(struct extent_walk *w, const struct extent *e,
			 const struct leaf_places *l, u64 position, each_fn each, void *arg)
{
	const struct root_list *roots = leaf_roots_cached(w->roots, l->leaf);
	u64 offset;

	if (!roots) {
		int ret = leaf_roots_find(w->roots, l->leaf, &l->key, &roots);

		if (ret)
			return ret;
	}
	for (u32 i = 0; i < roots->count; i++) {
		for (u32 at = l->head; at != END; at = w->next[at]) {
			const struct place *p = &e->place[at];

			if (holds(p, position, &offset) &&
			    each(roots->id[i], p->ino, offset, p->num_bytes, arg))
				return 1;
		}
	}
	return 0;
}

static int reserve_next(struct extent_walk *w, size_t places)
{
	if (places <= w->next_capacity)
		return 0;

	u32 *next = realloc(w->next, places * sizeof(*next));

	if (!next)
		return error_nomem(places * sizeof(*next));
	w->next = next;
	w->next_capacity = places;
	return 0;
}

int extent_walk(struct extent_walk *w, const struct extent_query *q, each_fn each, void *arg)
{
	struct extent *e;
	int ret = extent_of(w, q->bytenr, &e);

	if (ret || !e)
		return ret;
	for (size_t i = 0; i < e->ref_count; i++) {
		const struct resolved *r = &e->ref[i];

		if (is_self(q, r))
			continue;
		for (u32 at = r->first; at < r->first + r->count; at++)
			if (consider_cached(w, &e->place[at], q->position, each, arg))
				return 0;
	}
	ret = reserve_next(w, e->place_count);
	w->leaf_count = 0;
	for (size_t i = 0; i < e->ref_count && !ret; i++)
		if (!is_self(q, &e->ref[i]))
			ret = e->ref[i].root ? append_items(w, e, &e->ref[i], q->position)
					     : append_leaf(w, e, &e->ref[i], q->position);
	for (size_t i = 0; i < w->leaf_count && !ret; i++)
		ret = consider_leaf(w, e, &w->leaves[i], q->position, each, arg);
	return ret < 0 ? ret : 0;
}
