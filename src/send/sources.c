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
 * The kernel resolves anew for each file range.  Here what an extent resolves to is kept (resolved.h), and a
 * walk that would go as the one before it is not made again: see repeat().
 */
#include "send/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "send/leaf_roots.h"
#include "send/resolved.h"

/* Places of one leaf, in the order in which they are considered. */
struct leaf_places {
	u64 leaf;
	struct key key; /* of an item in the leaf */
	u32 head, tail; /* in walk->next; END: none of them holds what is wanted */
};

struct extent_walk {
	struct leaf_roots *roots;
	struct resolver *resolver;

	/* The walk before, if it ended at a place in a leaf that the kernel's cache had. */
	struct {
		bool valid;
		u64 who; /* its referrers' id */
		u64 self_ino, self_root;
		bool skip_self;
		u32 place;
		u64 root;
	} last;

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
	ret = leaf_roots_new(p, &w->roots);
	if (!ret)
		ret = resolver_new(p, w->roots, &w->resolver);
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
	resolver_free(w->resolver);
	leaf_roots_free(w->roots);
	free(w->leaves);
	free(w->next);
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

static bool is_self(const struct extent_query *q, const struct extent *e, const struct referrer *r)
{
	const struct span *s;

	if (!q->skip_self || !r->count || r->root != q->self_root || r->ino != q->self_ino)
		return false;
	s = extent_span(e, r->first);
	return s->file_offset - s->data_offset == q->self_offset;
}

/*
 * Whether what happens to the places of @e before one that is taken follows from their leaves and inodes alone:
 * all of them stand at the wanted offset, so that a place in the inode at hand can only be the range at hand itself,
 * and whichever is not turned down has all the bytes.
 */
static bool is_plain(const struct extent *e, const struct extent_query *q)
{
	u64 offset;

	return e->uniform && e->who->place_count && holds(&e->span[0], q->position, &offset) &&
	       offset == q->file_offset && e->span[0].num_bytes >= q->len;
}

/*
 * Copies of a file have their extents in the same leaves, one after the other.  If the walk before went over
 * the same places, it left the kernel's cache in the order in which this one would leave it, and this one ends at
 * the same place.  1 if so.
 */
static int repeat(struct extent_walk *w, const struct extent *e, const struct extent_query *q, each_fn each,
		  void *arg)
{
	u64 offset;

	if (!w->last.valid || w->last.who != e->who->id || w->last.self_ino != q->self_ino ||
	    w->last.self_root != q->self_root || w->last.skip_self != q->skip_self || !is_plain(e, q))
		return 0;
	holds(&e->span[0], q->position, &offset);
	return each(w->last.root, e->who->place[w->last.place].ino, offset, e->span[0].num_bytes, arg);
}

/* Rule 2: 1 if the walk is over. */
static int consider_cached(struct extent_walk *w, const struct extent *e, const struct extent_query *q,
			   each_fn each, void *arg)
{
	for (u32 i = 0; i < e->who->ref_count; i++) {
		const struct referrer *r = &e->who->ref[i];

		if (is_self(q, e, r))
			continue;
		for (u32 at = r->first; at < r->first + r->count; at++) {
			const struct span *s = extent_span(e, at);
			const struct referring_place *p = &e->who->place[at];
			const struct root_list *roots;
			u64 offset;

			if (!holds(s, q->position, &offset))
				continue;
			roots = leaf_roots_cached(w->roots, p->leaf);
			for (u32 n = 0; roots && n < roots->count; n++) {
				if (!each(roots->id[n], p->ino, offset, s->num_bytes, arg))
					continue;
				w->last.valid = is_plain(e, q) && p->ino != q->self_ino;
				w->last.who = e->who->id;
				w->last.self_ino = q->self_ino;
				w->last.self_root = q->self_root;
				w->last.skip_self = q->skip_self;
				w->last.place = at;
				w->last.root = roots->id[n];
				return 1;
			}
		}
	}
	return 0;
}

/* The list of a leaf, empty at first.  NULL: out of memory. */
static struct leaf_places *leaf_list(struct extent_walk *w, const struct extent *e, u32 at)
{
	const struct referring_place *p = &e->who->place[at];

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
		p->leaf, key_of(p->ino, KEY_EXTENT_DATA, extent_span(e, at)->file_offset), END, END};
	return &w->leaves[w->leaf_count++];
}

static int append_place(struct extent_walk *w, const struct extent *e, u32 at)
{
	struct leaf_places *l = leaf_list(w, e, at);

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
static int append_leaf(struct extent_walk *w, const struct extent *e, const struct referrer *r,
		       u64 position)
{
	u64 offset;
	int ret = 0;

	if (r->count && !leaf_list(w, e, r->first))
		return -ENOMEM;
	for (u32 i = r->first + r->count; i-- > r->first && !ret;)
		if (holds(extent_span(e, i), position, &offset))
			ret = append_place(w, e, i);
	return ret;
}

/* Add the places of a reference by subvolume, inode and offset: its leaves by falling address. */
static int append_items(struct extent_walk *w, const struct extent *e, const struct referrer *r,
			u64 position)
{
	const struct referring_place *place = e->who->place;
	u64 below = UINT64_MAX, offset;
	int ret = 0;

	for (u64 leaf = 0; !ret; below = leaf, leaf = 0) {
		for (u32 i = r->first; i < r->first + r->count; i++)
			if (place[i].leaf < below && place[i].leaf > leaf &&
			    holds(extent_span(e, i), position, &offset))
				leaf = place[i].leaf;
		if (!leaf)
			break;
		for (u32 i = r->first; i < r->first + r->count && !ret; i++)
			if (place[i].leaf == leaf && holds(extent_span(e, i), position, &offset))
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
			const struct span *s = extent_span(e, at);

			if (holds(s, position, &offset) &&
			    each(roots->id[i], e->who->place[at].ino, offset, s->num_bytes, arg))
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
	const struct referrer *r;
	struct extent *e;
	int ret = resolver_find(w->resolver, q->bytenr, &e);

	if (ret || !e)
		return ret;
	if (repeat(w, e, q, each, arg))
		return 0;
	w->last.valid = false;
	if (consider_cached(w, e, q, each, arg))
		return 0;
	ret = reserve_next(w, e->who->place_count);
	w->leaf_count = 0;
	for (u32 i = 0; i < e->who->ref_count && !ret; i++) {
		r = &e->who->ref[i];
		if (!is_self(q, e, r))
			ret = r->root ? append_items(w, e, r, q->position)
				      : append_leaf(w, e, r, q->position);
	}
	for (size_t i = 0; i < w->leaf_count && !ret; i++)
		ret = consider_leaf(w, e, &w->leaves[i], q->position, each, arg);
	return ret < 0 ? ret : 0;
}
