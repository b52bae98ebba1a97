/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the references of an extent resolve to.
 *
 * Invariants
 *  1. An extent is a user of each of its groups.
 *  2. The extents, their groups and their leaves take at most a quarter of the memory, or one of them alone
 *     what it needs.  Who has not been asked for longest goes first.
 *  3. place[] and span[] have the same places in the same order.
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
	struct groups *groups;
	struct leaf_roots *roots;
	struct leaf_items *items;
	struct cursor extents;
	struct cursor leaf_extents; /* the same tree, for the items of leaves */
	struct lru known;           /* struct extent */
	size_t bytes;               /* of these alone */

	/* What is being resolved. */
	struct backrefs refs;
	struct named_place *place;
	struct span *span;
	size_t place_count, place_capacity;
};

int resolver_new(struct send_plan *p, struct groups *groups, struct leaf_roots *roots, struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_nomem(sizeof(*r));
	r->p = p;
	r->groups = groups;
	r->roots = roots;
	cursor_init(&r->extents, &p->fs->extent_tree);
	cursor_init(&r->leaf_extents, &p->fs->extent_tree);
	ret = lru_init(&r->known, 0);
	if (!ret)
		ret = leaf_items_new(p->fs, &r->leaf_extents, &r->items);
	if (ret) {
		resolver_free(r);
		return ret;
	}
	*out = r;
	return 0;
}

static void drop_extent(struct resolver *r, struct extent *e)
{
	for (u32 i = 0; i < e->group_count; i++)
		groups_put(r->groups, e->group[i]);
	r->bytes -= e->bytes;
	free(e);
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (lru_count(&r->known))
		drop_extent(r, CONTAINER_OF(lru_pop(&r->known), struct extent, lru));
	lru_release(&r->known);
	leaf_items_free(r->items);
	cursor_release(&r->extents);
	cursor_release(&r->leaf_extents);
	backrefs_release(&r->refs);
	free(r->place);
	free(r->span);
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

static int reserve_place(struct resolver *r)
{
	const size_t capacity = r->place_capacity ? r->place_capacity * 2 : 64;
	struct named_place *place;
	struct span *span;

	if (r->place_count < r->place_capacity)
		return 0;
	place = realloc(r->place, capacity * sizeof(*place));
	if (!place)
		return error_nomem(capacity * sizeof(*place));
	r->place = place;
	span = realloc(r->span, capacity * sizeof(*span));
	if (!span)
		return error_nomem(capacity * sizeof(*span));
	r->span = span;
	r->place_capacity = capacity;
	return 0;
}

/* Add a place of the reference by @root whose places begin with number @first. */
static int add_place(struct resolver *r, const struct place *p, u64 root, size_t first)
{
	int ret = reserve_place(r);

	if (ret)
		return ret;
	r->place[r->place_count] =
		(struct named_place){p->leaf, root, p->ino, r->place_count == first};
	r->span[r->place_count++] =
		(struct span){p->file_offset, p->data_offset, p->num_bytes, p->encoded};
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
	const size_t first = s->place_count;
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
			ret = add_place(s, &p, r->root, first);
		}
		if (ret >= 0)
			ret = cursor_next(c);
	}
	return ret < 0 ? ret : 0;
}

/* The items in a leaf that the extent names by address. */
static int resolve_by_leaf(struct resolver *s, const struct backref *r)
{
	const size_t first = s->place_count;
	const struct place *p;
	int count = leaf_items_find(s->items, r->parent, s->refs.bytenr, &p), ret = 0;

	for (int i = 0; i < count && !ret; i++)
		ret = add_place(s, &p[i], 0, first);
	return count < 0 ? count : ret;
}

/* Fill in place[] and span[] for the extent whose item has been found. */
static int resolve(struct resolver *s)
{
	struct backrefs *b = &s->refs;
	int ret = backrefs_read(&s->extents, b);

	if (ret)
		return ret;
	s->place_count = 0;
	if (b->count)
		qsort(b->ref, b->count, sizeof(*b->ref), falling);
	for (size_t i = 0; i < b->count && !ret; i++) {
		const struct backref *r = &b->ref[i];

		if (r->type == KEY_SHARED_DATA_REF)
			ret = resolve_by_leaf(s, r);
		else if (r->type == KEY_EXTENT_DATA_REF && r->root != DATA_RELOC_TREE_OBJECTID)
			ret = resolve_by_root(s, r);
	}
	return ret;
}

static bool same_span(const struct span *a, const struct span *b)
{
	return a->file_offset == b->file_offset && a->data_offset == b->data_offset &&
	       a->num_bytes == b->num_bytes && a->encoded == b->encoded;
}

/* Cut what has been resolved into the groups of @e: 0 or -ENOMEM. */
static int make_groups(struct resolver *r, struct extent *e)
{
	for (size_t at = 0; at < r->place_count;) {
		u32 length = group_length(&r->place[at], r->place_count - at);
		struct group *group = groups_get(r->groups, &r->place[at], length);

		if (!group)
			return -ENOMEM;
		e->group[e->group_count++] = group;
		at += length;
	}
	return 0;
}

/* Keep what has been resolved for @bytenr. */
static int keep(struct resolver *r, u64 bytenr, struct extent **out)
{
	size_t spans = r->place_count ? 1 : 0, groups = 0, bytes;
	struct extent *e;

	for (size_t i = 1; i < r->place_count && spans == 1; i++)
		if (!same_span(&r->span[0], &r->span[i]))
			spans = r->place_count;
	for (size_t at = 0; at < r->place_count; groups++)
		at += group_length(&r->place[at], r->place_count - at);
	bytes = sizeof(*e) + spans * sizeof(e->span[0]) + groups * sizeof(e->group[0]);
	e = malloc(bytes);
	if (!e)
		return error_nomem(bytes);
	e->bytes = bytes;
	e->place_count = (u32)r->place_count;
	e->group_count = 0;
	e->group = (struct group **)&e->span[spans];
	e->uniform = spans <= 1;
	if (spans)
		memcpy(e->span, r->span, spans * sizeof(e->span[0]));
	r->bytes += bytes;
	if (make_groups(r, e)) {
		drop_extent(r, e);
		return -ENOMEM;
	}
	lru_store(&r->known, &e->lru, bytenr, 0);
	while (r->bytes + r->groups->bytes + r->groups->leaves->bytes > r->p->fs->memory / 4 &&
	       lru_count(&r->known) > 1)
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
