/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the references of an extent resolve to.
 *
 * Invariants
 *  1. extent->who has as many users as there are extents that point to it, and goes with the last one.
 *  2. The extents and what they point to take at most a quarter of the memory, or one of them alone what it
 *     needs.  Who has not been asked for longest goes first.
 *  3. Two `who` that hold the same are one.
 */
#include "send/resolved.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "files/backref.h"
#include "send/clone.h"

#define REFS_MAX 1024

struct resolver {
	struct send_plan *p;
	struct leaf_roots *roots;
	struct leaf_items *items;
	struct cursor extents;
	struct cursor leaf_extents; /* the same tree, for the items of leaves */
	struct lru known;           /* struct extent */
	struct map who;             /* struct referrers */
	u64 next_id;
	size_t bytes;

	/* What is being resolved. */
	struct backrefs refs;
	struct referrer *ref;
	size_t ref_count, ref_capacity;
	struct place *place;
	size_t place_count, place_capacity;
};

int resolver_new(struct send_plan *p, struct leaf_roots *roots, struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_nomem(sizeof(*r));
	r->p = p;
	r->roots = roots;
	cursor_init(&r->extents, &p->fs->extent_tree);
	cursor_init(&r->leaf_extents, &p->fs->extent_tree);
	ret = lru_init(&r->known, 0);
	if (!ret)
		ret = map_init(&r->who);
	if (!ret)
		ret = leaf_items_new(p->fs, &r->leaf_extents, &r->items);
	if (ret) {
		resolver_free(r);
		return ret;
	}
	*out = r;
	return 0;
}

static size_t who_bytes(const struct referrers *w)
{
	return sizeof(*w) + w->ref_count * sizeof(*w->ref) + w->place_count * sizeof(*w->place);
}

static void drop_extent(struct resolver *r, struct extent *e)
{
	struct referrers *w = e->who;

	r->bytes -= e->bytes;
	free(e);
	if (--w->users)
		return;
	r->bytes -= who_bytes(w);
	map_remove(&r->who, &w->node);
	free(w);
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (r->who.buckets && lru_count(&r->known))
		drop_extent(r, CONTAINER_OF(lru_pop(&r->known), struct extent, lru));
	lru_release(&r->known);
	map_release(&r->who);
	leaf_items_free(r->items);
	cursor_release(&r->extents);
	cursor_release(&r->leaf_extents);
	backrefs_release(&r->refs);
	free(r->ref);
	free(r->place);
	free(r);
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

static int add_place(struct resolver *r, const struct place *p)
{
	if (r->place_count == r->place_capacity) {
		size_t capacity = r->place_capacity ? r->place_capacity * 2 : 64;
		struct place *place = realloc(r->place, capacity * sizeof(*place));

		if (!place)
			return error_nomem(capacity * sizeof(*place));
		r->place = place;
		r->place_capacity = capacity;
	}
	r->place[r->place_count++] = *p;
	return 0;
}

static int reserve_refs(struct resolver *r, size_t count)
{
	struct referrer *ref;

	r->ref_count = r->place_count = 0;
	if (count <= r->ref_capacity)
		return 0;
	ref = realloc(r->ref, count * sizeof(*ref));
	if (!ref)
		return error_nomem(count * sizeof(*ref));
	r->ref = ref;
	r->ref_capacity = count;
	return 0;
}

/* Whether the leaf is one that the extent names by address, or another subvolume's: then the items in it
 * are not this reference's. */
static bool is_foreign(const struct resolver *s, const struct backref *r,
		       const struct extent_buffer *leaf)
{
	if (leaf->owner != r->root)
		return true;
	for (size_t i = s->refs.count; i-- && !s->refs.ref[i].root;)
		if (s->refs.ref[i].parent == leaf->logical)
			return true;
	return false;
}

/* The items behind a reference by subvolume, inode and offset. */
static int resolve_by_root(struct resolver *s, const struct backref *r)
{
	struct root_view *v;
	u32 found = 0;
	/* An offset that wrapped below zero: the items are somewhere in the file. */
	struct key k = key_of(r->ino, KEY_EXTENT_DATA, r->offset >= INT64_MAX ? 0 : r->offset);
	int ret = leaf_roots_view(s->roots, r->root, &v);

	if (ret || v->missing)
		return ret;

	struct cursor *c = &v->cursor;

	ret = cursor_seek(c, &k);
	if (ret >= 0 && !cursor_at_end(c) && c->slot[0] && is_foreign(s, r, c->node[0]))
		ret = cursor_next_leaf(c);
	while (ret >= 0 && !cursor_at_end(c) && found < r->count) {
		struct place p = {0};

		k = cursor_key(c);
		if (k.objectid != r->ino || k.type != KEY_EXTENT_DATA)
			break;
		if (!c->slot[0] && is_foreign(s, r, c->node[0])) {
			ret = cursor_next_leaf(c);
			continue;
		}
		ret = place_of(s->p->fs, &k, cursor_data(c), cursor_size(c), c->node[0]->logical,
			       s->refs.bytenr, &p);
		if (ret > 0 && k.offset - p.data_offset == r->offset) {
			found++;
			ret = add_place(s, &p);
		}
		if (ret >= 0)
			ret = cursor_next(c);
	}
	return ret < 0 ? ret : 0;
}

/* The items in a leaf that the extent names by address. */
static int resolve_by_leaf(struct resolver *s, const struct backref *r)
{
	const struct place *p;
	int count = leaf_items_find(s->items, r->parent, s->refs.bytenr, &p), ret = 0;

	for (int i = 0; i < count && !ret; i++)
		ret = add_place(s, &p[i]);
	return count < 0 ? count : ret;
}

/* Fill in ref[] and place[] for the extent whose item has been found. */
static int resolve(struct resolver *s)
{
	struct backrefs *b = &s->refs;
	int ret = backrefs_read(&s->extents, b);

	if (!ret)
		ret = reserve_refs(s, b->count);
	if (ret)
		return ret;
	qsort(b->ref, b->count, sizeof(*b->ref), falling);
	for (size_t i = 0; i < b->count && !ret; i++) {
		const struct backref *r = &b->ref[i];
		struct referrer *to = &s->ref[s->ref_count++];

		*to = (struct referrer){
			.root = r->root, .ino = r->ino, .first = (u32)s->place_count};
		if (r->type == KEY_SHARED_DATA_REF)
			ret = resolve_by_leaf(s, r);
		else if (r->type == KEY_EXTENT_DATA_REF && r->root != DATA_RELOC_TREE_OBJECTID)
			ret = resolve_by_root(s, r);
		to->count = (u32)(s->place_count - to->first);
	}
	return ret;
}

static u64 mix(u64 hash, u64 value)
{
	return ((hash ^ value) * 0x9e3779b97f4a7c15ull) ^ (hash >> 29);
}

static u64 hash_who(const struct resolver *r)
{
	u64 hash = r->place_count;

	for (size_t i = 0; i < r->ref_count; i++)
		hash = mix(mix(hash, r->ref[i].root), r->ref[i].ino + r->ref[i].count);
	for (size_t i = 0; i < r->place_count; i++)
		hash = mix(mix(hash, r->place[i].leaf), r->place[i].ino);
	return hash;
}

static bool same_who(const struct resolver *r, const struct referrers *w)
{
	if (w->ref_count != r->ref_count || w->place_count != r->place_count)
		return false;
	for (size_t i = 0; i < r->ref_count; i++)
		if (w->ref[i].root != r->ref[i].root || w->ref[i].ino != r->ref[i].ino ||
		    w->ref[i].first != r->ref[i].first || w->ref[i].count != r->ref[i].count)
			return false;
	for (size_t i = 0; i < r->place_count; i++)
		if (w->place[i].leaf != r->place[i].leaf || w->place[i].ino != r->place[i].ino)
			return false;
	return true;
}

/* What has been resolved, as one that is there already or a new one; NULL: out of memory. */
static struct referrers *who_of(struct resolver *r)
{
	const u64 hash = hash_who(r);
	struct map_node *n = map_find(&r->who, hash);
	struct referrers *w;

	for (; n; n = map_next_same(n)) {
		w = CONTAINER_OF(n, struct referrers, node);
		if (same_who(r, w))
			return w;
	}
	w = malloc(sizeof(*w) + r->ref_count * sizeof(*w->ref) + r->place_count * sizeof(*w->place));
	if (!w) {
		error_nomem(sizeof(*w));
		return NULL;
	}
	w->id = ++r->next_id;
	w->users = 0;
	w->ref_count = (u32)r->ref_count;
	w->place_count = (u32)r->place_count;
	w->ref = (struct referrer *)(w + 1);
	w->place = (struct referring_place *)(w->ref + r->ref_count);
	if (r->ref_count)
		memcpy(w->ref, r->ref, r->ref_count * sizeof(*w->ref));
	for (size_t i = 0; i < r->place_count; i++)
		w->place[i] = (struct referring_place){r->place[i].leaf, r->place[i].ino};
	map_add(&r->who, &w->node, hash);
	r->bytes += who_bytes(w);
	return w;
}

static bool same_span(const struct place *a, const struct place *b)
{
	return a->file_offset == b->file_offset && a->data_offset == b->data_offset &&
	       a->num_bytes == b->num_bytes && a->encoded == b->encoded;
}

/* Keep what has been resolved for @bytenr. */
static int keep(struct resolver *r, u64 bytenr, struct extent **out)
{
	size_t spans = r->place_count ? 1 : 0;
	struct extent *e;

	for (size_t i = 1; i < r->place_count && spans == 1; i++)
		if (!same_span(&r->place[0], &r->place[i]))
			spans = r->place_count;
	e = malloc(sizeof(*e) + spans * sizeof(e->span[0]));
	if (!e)
		return error_nomem(sizeof(*e) + spans * sizeof(e->span[0]));
	e->who = who_of(r);
	if (!e->who) {
		free(e);
		return -ENOMEM;
	}
	e->who->users++;
	e->uniform = spans <= 1;
	for (size_t i = 0; i < spans; i++) {
		const struct place *p = &r->place[i];

		e->span[i] = (struct span){p->file_offset, p->data_offset, p->num_bytes, p->encoded};
	}
	e->bytes = sizeof(*e) + spans * sizeof(e->span[0]);
	r->bytes += e->bytes;
	lru_store(&r->known, &e->lru, bytenr, 0);
	while (r->bytes > r->p->fs->memory / 4 && lru_count(&r->known) > 1)
		drop_extent(r, CONTAINER_OF(lru_pop(&r->known), struct extent, lru));
	*out = e;
	return 0;
}

int resolver_find(struct resolver *r, u64 bytenr, struct extent **out)
{
	struct lru_entry *known = lru_find(&r->known, bytenr, 0);
	const u64 max = r->p->options.clone_all ? UINT64_MAX : REFS_MAX;
	int ret;

	*out = NULL;
	if (known) {
		*out = CONTAINER_OF(known, struct extent, lru);
		return 0;
	}
	ret = backrefs_find(&r->extents, bytenr, &r->refs);
	if (ret <= 0 || r->refs.refs > max || (r->refs.refs == 1 && r->p->sources->count == 1))
		return ret < 0 ? ret : 0;
	ret = resolve(r);
	return ret ? ret : keep(r, bytenr, out);
}
