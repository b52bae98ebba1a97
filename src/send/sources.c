/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else refers to an extent, told in the order in which the kernel meets them.
 *
 * The order is observable, since the first good enough place is cloned from:
 *  1. References by (subvolume, inode, offset) come first, by falling numbers, then those that name a
 *     leaf, by falling address.
 *  2. First the references are resolved to items in leaves.  An item in a leaf that the kernel's cache has
 *     (leaves.h) is considered at once.
 *  3. Then leaf by leaf, in the order of 1, the subvolumes that reach it are found, and for each of them
 *     the leaf's items are considered.
 *  4. An extent with more than 1024 references is not looked at, nor one with a single reference if
 *     the send root is the only source: the reference is our own.
 *
 * The kernel resolves anew for each file range.  Here what an extent resolves to is kept (resolved.h), and of
 * its groups of places those are not gone through again that a walk has been through already: see meet_group().
 *
 * Invariants
 *  1. As long as `state` is the same, the kernel's cache has the same leaves, if in another order, and plain
 *     extents (is_plain()) are asked for by the same inode.  What a group says of a walk holds for its state.
 *  2. `pending` has the groups in which walks over plain extents met leaves of the cache, by their last walk.
 *     settle() moves these leaves to the cache's end, before anything else changes the order.
 *  3. A pending group has the walk as a user.
 */
#include "send/sources.h"

#include <stdlib.h>

#include "base/error.h"
#include "send/groups.h"
#include "send/leaf_roots.h"
#include "send/leaves.h"
#include "send/resolved.h"

#define PENDING_MAX 1024

/* Places of one leaf, in the order in which they are considered. */
struct leaf_places {
	struct leaf *leaf;
	struct key key; /* of an item in the leaf */
	u32 head, tail; /* in walk->met; END: none of them holds what is wanted */
};

/* A place of the extent at hand. */
struct met {
	const struct referring_place *place;
	u32 next; /* of its leaf */
};

struct extent_walk {
	struct leaves leaves;
	struct groups groups;
	struct leaf_roots *roots;
	struct resolver *resolver;

	u64 state;
	bool skip_self; /* of all walks in this state, as the next two */
	u64 self_root, self_ino;
	struct list pending; /* struct group */
	size_t pending_count;

	/* Scratch of one walk. */
	struct leaf_places *leaf;
	size_t leaf_count, leaf_capacity;
	struct met *met;
	size_t met_capacity;
};

#define END UINT32_MAX

/* Invariant 2. */
static void settle(struct extent_walk *w)
{
	while (!list_empty(&w->pending)) {
		struct group *g = LIST_ENTRY(w->pending.next, struct group, touched);

		for (u32 i = 0; i < g->met; i++) {
			const struct referring_place *p = &g->place[i];

			if (p->leaf->cached &&
			    !(w->skip_self && p->root == w->self_root && p->ino == w->self_ino))
				leaves_touch(&w->leaves, p->leaf);
		}
		list_remove(&g->touched);
		g->pending = false;
		groups_put(&w->groups, g);
	}
	w->pending_count = 0;
}

int extent_walk_new(struct send_plan *p, struct extent_walk **out)
{
	struct extent_walk *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return error_nomem(sizeof(*w));
	w->state = 1;
	list_init(&w->pending);
	ret = leaves_init(&w->leaves);
	if (!ret)
		ret = groups_init(&w->groups, &w->leaves);
	if (!ret)
		ret = leaf_roots_new(p, &w->leaves, &w->roots);
	if (!ret)
		ret = resolver_new(p, &w->groups, w->roots, &w->resolver);
	if (ret) {
		extent_walk_free(w);
		return ret;
	}
	*out = w;
	return 0;
}

void extent_walk_free(struct extent_walk *w)
{
	if (!w)
		return;
	settle(w);
	resolver_free(w->resolver);
	groups_release(&w->groups);
	leaf_roots_free(w->roots);
	leaves_release(&w->leaves);
	free(w->leaf);
	free(w->met);
	free(w);
}

typedef int (*each_fn)(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg);

/* Whether the place holds the byte that is wanted, and at which offset of its file. */
static bool holds(const struct span *s, u64 position, u64 *offset)
{
	*offset = s->file_offset;
	if (s->encoded)
		return true;
	if (position < s->data_offset || position - s->data_offset >= s->num_bytes)
		return false;
	*offset += position - s->data_offset;
	return true;
}

static bool is_self(const struct extent_query *q, const struct referring_place *p, const struct span *s)
{
	return q->skip_self && p->root == q->self_root && p->ino == q->self_ino &&
	       s->file_offset - s->data_offset == q->self_offset;
}

/*
 * Whether what happens to the places of @e before one that is taken follows from their leaves and inodes
 * alone: all of them stand at the wanted offset, so that a place in the inode at hand can only be the range at
 * hand itself, and whichever is not turned down has all the bytes.
 */
static bool is_plain(const struct extent *e, const struct extent_query *q)
{
	const struct span *s = e->span;
	u64 offset;

	return e->uniform && e->place_count && holds(s, q->position, &offset) && offset == q->file_offset &&
	       s->num_bytes >= q->len && (!q->skip_self || s->file_offset - s->data_offset == q->self_offset);
}

static void new_state(struct extent_walk *w, const struct extent_query *q)
{
	settle(w);
	w->state++;
	w->skip_self = q->skip_self;
	w->self_root = q->self_root;
	w->self_ino = q->self_ino;
}

static void add_pending(struct extent_walk *w, struct group *g)
{
	list_remove(&g->touched);
	list_add_tail(&w->pending, &g->touched);
	if (g->pending)
		return;
	g->pending = true;
	g->users++;
	if (++w->pending_count == PENDING_MAX)
		settle(w);
}

/* Go through a group of a plain extent for the first time in this state. */
static void look_through(struct extent_walk *w, struct group *g, const struct extent_query *q,
			 const struct span *s, each_fn each, void *arg)
{
	g->state = w->state;
	g->touches = g->taken = false;
	for (g->met = 0; g->met < g->count && !g->taken; g->met++) {
		const struct referring_place *p = &g->place[g->met];

		if (!p->leaf->cached || is_self(q, p, s))
			continue;
		g->touches = true;
		for (u32 n = 0; n < p->leaf->roots->count && !g->taken; n++) {
			g->root = p->leaf->roots->id[n];
			g->taken = each(g->root, p->ino, q->file_offset, s->num_bytes, arg);
		}
	}
}

/*
 * Rule 2, for a group of a plain extent: 1 if the walk is over.
 * Copies of a file have their extents in the same leaves, one after the other, and so most groups are
 * the last extent's.  Nothing in one of them that was turned down then can be taken now.
 */
static int meet_group(struct extent_walk *w, struct group *g, const struct extent_query *q,
		      const struct span *s, each_fn each, void *arg)
{
	const bool known = g->state == w->state;

	if (!known)
		look_through(w, g, q, s, each, arg);
	if (g->touches)
		add_pending(w, g);
	if (known && g->taken)
		return each(g->root, g->place[g->met - 1].ino, q->file_offset, s->num_bytes, arg);
	return g->taken;
}

/* Rule 2, for an extent that is not plain. */
static int consider_cached(struct extent_walk *w, const struct extent *e, const struct extent_query *q,
			   each_fn each, void *arg)
{
	settle(w);
	for (u32 i = 0, at = 0; i < e->group_count; i++) {
		const struct group *g = e->group[i];

		for (u32 k = 0; k < g->count; k++, at++) {
			const struct referring_place *p = &g->place[k];
			const struct span *s = extent_span(e, at);
			u64 offset;

			if (!p->leaf->cached || is_self(q, p, s) || !holds(s, q->position, &offset))
				continue;
			leaves_touch(&w->leaves, p->leaf);
			for (u32 n = 0; n < p->leaf->roots->count; n++)
				if (each(p->leaf->roots->id[n], p->ino, offset, s->num_bytes, arg))
					return 1;
		}
	}
	return 0;
}

static int meet_cached(struct extent_walk *w, const struct extent *e, const struct extent_query *q,
		       each_fn each, void *arg)
{
	if (!is_plain(e, q))
		return consider_cached(w, e, q, each, arg);
	if (w->self_ino != q->self_ino || w->self_root != q->self_root || w->skip_self != q->skip_self)
		new_state(w, q);
	for (u32 i = 0; i < e->group_count; i++)
		if (meet_group(w, e->group[i], q, &e->span[0], each, arg))
			return 1;
	return 0;
}

/* The list of a leaf, empty at first.  NULL: out of memory. */
static struct leaf_places *leaf_list(struct extent_walk *w, const struct extent *e, u32 at)
{
	const struct referring_place *p = w->met[at].place;
	struct leaf *leaf = p->leaf;

	/* The number may be an earlier walk's. */
	if (leaf->number < w->leaf_count && w->leaf[leaf->number].leaf == leaf)
		return &w->leaf[leaf->number];
	if (w->leaf_count == w->leaf_capacity) {
		size_t capacity = w->leaf_capacity ? w->leaf_capacity * 2 : 64;
		struct leaf_places *l = realloc(w->leaf, capacity * sizeof(*l));

		if (!l) {
			error_nomem(capacity * sizeof(*l));
			return NULL;
		}
		w->leaf = l;
		w->leaf_capacity = capacity;
	}
	leaf->number = (u32)w->leaf_count;
	w->leaf[w->leaf_count] = (struct leaf_places){
		leaf, key_of(p->ino, KEY_EXTENT_DATA, extent_span(e, at)->file_offset), END, END};
	return &w->leaf[w->leaf_count++];
}

static int append_place(struct extent_walk *w, const struct extent *e, u32 at)
{
	struct leaf_places *l = leaf_list(w, e, at);

	if (!l)
		return -ENOMEM;
	w->met[at].next = END;
	if (l->head == END)
		l->head = at;
	else
		w->met[l->tail].next = at;
	l->tail = at;
	return 0;
}

/* Add the places [@first, @end) of a leaf that is named by address, from its end.  The kernel asks who reaches
 * the leaf even if none of them holds what is wanted, and so has it in its cache from then on. */
static int append_leaf(struct extent_walk *w, const struct extent *e, u32 first, u32 end, u64 position)
{
	u64 offset;
	int ret = 0;

	if (!leaf_list(w, e, first))
		return -ENOMEM;
	for (u32 i = end; i-- > first && !ret;)
		if (holds(extent_span(e, i), position, &offset))
			ret = append_place(w, e, i);
	return ret;
}

/* Add the places [@first, @end) of a reference by subvolume, inode and offset: its leaves by falling
 * address. */
static int append_items(struct extent_walk *w, const struct extent *e, u32 first, u32 end, u64 position)
{
	u64 below = UINT64_MAX, offset;
	int ret = 0;

	for (u64 leaf = 0; !ret; below = leaf, leaf = 0) {
		for (u32 i = first; i < end; i++) {
			u64 address = leaf_address(w->met[i].place->leaf);

			if (address < below && address > leaf &&
			    holds(extent_span(e, i), position, &offset))
				leaf = address;
		}
		if (!leaf)
			break;
		for (u32 i = first; i < end && !ret; i++)
			if (leaf_address(w->met[i].place->leaf) == leaf &&
			    holds(extent_span(e, i), position, &offset))
				ret = append_place(w, e, i);
	}
	return ret;
}

static int reserve_met(struct extent_walk *w, size_t places)
{
	if (places <= w->met_capacity)
		return 0;

	struct met *met = realloc(w->met, places * sizeof(*met));

	if (!met)
		return error_nomem(places * sizeof(*met));
	w->met = met;
	w->met_capacity = places;
	return 0;
}

/* Fill in met[] and leaf[]. */
static int list_leaves(struct extent_walk *w, const struct extent *e, const struct extent_query *q)
{
	int ret = reserve_met(w, e->place_count);

	if (ret)
		return ret;
	for (u32 i = 0, at = 0; i < e->group_count; i++)
		for (u32 k = 0; k < e->group[i]->count; k++)
			w->met[at++].place = &e->group[i]->place[k];
	w->leaf_count = 0;
	for (u32 first = 0, end; first < e->place_count && !ret; first = end) {
		const struct referring_place *p = w->met[first].place;

		for (end = first + 1; end < e->place_count && !w->met[end].place->first;)
			end++;
		if (!p->root)
			ret = append_leaf(w, e, first, end, q->position);
		else if (!is_self(q, p, extent_span(e, first)))
			ret = append_items(w, e, first, end, q->position);
	}
	return ret;
}

/* Rule 3: 1 if the walk is over. */
static int consider_leaf(struct extent_walk *w, const struct extent *e,
			 const struct leaf_places *l, u64 position, each_fn each, void *arg)
{
	const struct root_list *roots;
	u64 offset;

	if (l->leaf->cached) {
		leaves_touch(&w->leaves, l->leaf);
	} else {
		int ret = leaf_roots_find(w->roots, l->leaf, &l->key);

		if (ret)
			return ret;
		leaves_store(&w->leaves, l->leaf);
	}
	roots = l->leaf->roots;
	for (u32 i = 0; i < roots->count; i++) {
		for (u32 at = l->head; at != END; at = w->met[at].next) {
			const struct span *s = extent_span(e, at);

			if (holds(s, position, &offset) &&
			    each(roots->id[i], w->met[at].place->ino, offset, s->num_bytes, arg))
				return 1;
		}
	}
	return 0;
}

int extent_walk(struct extent_walk *w, const struct extent_query *q, each_fn each, void *arg)
{
	struct extent *e;
	int ret = resolver_find(w->resolver, q->bytenr, &e);

	if (ret || !e)
		return ret;
	if (meet_cached(w, e, q, each, arg))
		return 0;
	new_state(w, q);
	ret = list_leaves(w, e, q);
	for (size_t i = 0; i < w->leaf_count && !ret; i++)
		ret = consider_leaf(w, e, &w->leaf[i], q->position, each, arg);
	return ret < 0 ? ret : 0;
}
