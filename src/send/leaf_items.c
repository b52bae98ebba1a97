/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file extents of leaves that data extents name by address.
 *
 * Such an extent says "leaf L", and L has to be looked through for it.  Extents that lie next to each
 * other mostly name the same leaves, so a leaf is looked through once for all its extents, and what it has is
 * kept, sorted by address.
 *
 * Invariants
 *  1. An index has every item of its leaf that refers to a data extent, by rising address, items of one
 *     extent in the leaf's order.
 *  2. The indexes together take at most a sixteenth of the memory, or one of them alone what it needs.
 */
#include "send/leaf_items.h"

#include <stdlib.h>

#include "base/error.h"
#include "files/backref.h"

struct indexed {
	u64 bytenr;
	struct place place;
};

struct leaf_index {
	struct lru_entry lru; /* by address */
	size_t count;
	struct indexed item[];
};

struct leaf_items {
	struct filesystem *fs;
	struct cursor *extents;
	struct lru indexes;
	size_t bytes;
	struct place *found;
	size_t found_capacity;
};

int leaf_items_new(struct filesystem *fs, struct cursor *extents, struct leaf_items **out)
{
	struct leaf_items *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return error_nomem(sizeof(*l));
	l->fs = fs;
	l->extents = extents;
	ret = lru_init(&l->indexes, 0);
	if (ret) {
		free(l);
		return ret;
	}
	*out = l;
	return 0;
}

static size_t size_of(const struct leaf_index *x)
{
	return sizeof(*x) + x->count * sizeof(x->item[0]);
}

static void drop_oldest(struct leaf_items *l)
{
	struct leaf_index *x = CONTAINER_OF(lru_pop(&l->indexes), struct leaf_index, lru);

	l->bytes -= size_of(x);
	free(x);
}

void leaf_items_free(struct leaf_items *l)
{
	if (!l)
		return;
	while (lru_count(&l->indexes))
		drop_oldest(l);
	lru_release(&l->indexes);
	free(l->found);
	free(l);
}

int place_of(struct filesystem *fs, const struct key *k, const void *item, u32 size, u64 leaf, u64 bytenr,
	     struct place *out)
{
	const struct file_extent *fe = item;
	struct file_range r;

	/* The address first: most items looked at are other extents'. */
	if (size < sizeof(*fe) || fe->type == FILE_EXTENT_INLINE || le64_get(fe->disk_bytenr) != bytenr)
		return 0;

	int ret = file_range_decode(k, item, size, fs->facts->sectorsize, &r);

	if (ret)
		return ret;
	*out = (struct place){.leaf = leaf,
			      .ino = k->objectid,
			      .file_offset = k->offset,
			      .data_offset = r.offset,
			      .num_bytes = r.num_bytes,
			      .encoded = r.compression != COMPRESSION_NONE};
	return 1;
}

static int by_address(const void *a, const void *b)
{
	const struct indexed *x = a, *y = b;

	if (x->bytenr != y->bytenr)
		return x->bytenr < y->bytenr ? -1 : 1;
	/* The leaf's order is that of its keys. */
	if (x->place.ino != y->place.ino)
		return x->place.ino < y->place.ino ? -1 : 1;
	return x->place.file_offset < y->place.file_offset ? -1
							   : x->place.file_offset > y->place.file_offset;
}

static int index_leaf(struct leaf_items *l, const struct extent_buffer *eb, struct leaf_index **out)
{
	struct leaf_index *x = malloc(sizeof(*x) + eb->nritems * sizeof(x->item[0]));

	if (!x)
		return error_nomem(sizeof(*x) + eb->nritems * sizeof(x->item[0]));
	x->count = 0;
	for (u32 slot = 0; slot < eb->nritems; slot++) {
		struct key k = block_key(eb, slot);
		const struct file_extent *fe = leaf_data(eb, slot);
		struct indexed *to = &x->item[x->count];
		int ret;

		if (k.type != KEY_EXTENT_DATA || leaf_size(eb, slot) < sizeof(*fe) ||
		    fe->type == FILE_EXTENT_INLINE)
			continue;
		to->bytenr = le64_get(fe->disk_bytenr);
		ret = to->bytenr ? place_of(l->fs, &k, fe, leaf_size(eb, slot), eb->logical, to->bytenr,
					    &to->place)
				 : 0;
		if (ret < 0) {
			free(x);
			return ret;
		}
		x->count += ret;
	}
	qsort(x->item, x->count, sizeof(x->item[0]), by_address);
	*out = x;
	return 0;
}

static int read_leaf(struct leaf_items *l, u64 leaf, struct leaf_index **out)
{
	struct backrefs of_leaf = {0};
	struct extent_buffer *eb;
	int ret = backrefs_find(l->extents, leaf, &of_leaf);

	if (ret < 0)
		return ret;
	if (!ret)
		return error_set(EIO, "extent tree: no item for the block at %llu, which holds references",
				 (unsigned long long)leaf);

	/* The extent item has the block's generation: what a parent would say of it. */
	struct block_expect want = {
		.logical = leaf, .generation = of_leaf.generation, .tree = FS_TREE_OBJECTID};

	ret = extent_buffer_get(l->fs->cache, &want, &eb);
	if (ret)
		return ret;
	ret = index_leaf(l, eb, out);
	extent_buffer_put(eb);
	if (ret)
		return ret;
	lru_store(&l->indexes, &(*out)->lru, leaf, 0);
	l->bytes += size_of(*out);
	while (l->bytes > l->fs->memory / 16 && lru_count(&l->indexes) > 1)
		drop_oldest(l);
	return 0;
}

static size_t lower_bound(const struct leaf_index *x, u64 bytenr)
{
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (x->item[mid].bytenr < bytenr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int leaf_items_find(struct leaf_items *l, u64 leaf, u64 bytenr, const struct place **out)
{
	struct lru_entry *e = lru_find(&l->indexes, leaf, 0);
	struct leaf_index *x = NULL;
	size_t first, count = 0;

	if (e) {
		x = CONTAINER_OF(e, struct leaf_index, lru);
	} else {
		int ret = read_leaf(l, leaf, &x);

		if (ret)
			return ret;
	}
	first = lower_bound(x, bytenr);
	while (first + count < x->count && x->item[first + count].bytenr == bytenr)
		count++;
	if (count > l->found_capacity) {
		struct place *found = realloc(l->found, count * sizeof(*found));

		if (!found)
			return error_nomem(count * sizeof(*found));
		l->found = found;
		l->found_capacity = count;
	}
	for (size_t i = 0; i < count; i++)
		l->found[i] = x->item[first + i].place;
	*out = l->found;
	return (int)count;
}
