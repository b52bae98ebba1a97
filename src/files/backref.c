/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/backref.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"

void backrefs_release(struct backrefs *b)
{
	free(b->ref);
	*b = (struct backrefs){0};
}

static int damaged(const struct backrefs *b, const char *what)
{
	return error_set(EIO, "extent tree: extent %" PRIu64 ": %s", b->bytenr, what);
}

static int add(struct backrefs *b, const struct backref *r)
{
	if (b->count == b->capacity) {
		size_t capacity = b->capacity ? b->capacity * 2 : 16;
		struct backref *ref = realloc(b->ref, capacity * sizeof(*ref));

		if (!ref)
			return error_nomem(capacity * sizeof(*ref));
		b->ref = ref;
		b->capacity = capacity;
	}
	b->ref[b->count++] = *r;
	return 0;
}

int backrefs_find(struct cursor *c, u64 bytenr, struct backrefs *out)
{
	struct key k = key_of(bytenr, KEY_METADATA_ITEM, UINT64_MAX);
	int ret = cursor_seek_before(c, &k);

	out->bytenr = bytenr;
	out->count = 0;
	if (ret < 0 || cursor_at_end(c))
		return ret < 0 ? ret : 0;
	k = cursor_key(c);
	if (k.objectid != bytenr || (k.type != KEY_EXTENT_ITEM && k.type != KEY_METADATA_ITEM))
		return 0;
	if (cursor_size(c) < sizeof(struct extent_item))
		return damaged(out, "item is too small");

	const struct extent_item *e = cursor_data(c);

	out->refs = le64_get(e->refs);
	out->generation = le64_get(e->generation);
	out->flags = le64_get(e->flags);
	out->level = k.type == KEY_METADATA_ITEM ? (u8)k.offset : 0;
	return 1;
}

static struct backref data_ref(const u8 *p)
{
	const struct extent_data_ref *d = (const struct extent_data_ref *)p;

	return (struct backref){.type = KEY_EXTENT_DATA_REF,
				.count = le32_get(d->count),
				.root = le64_get(d->root),
				.ino = le64_get(d->objectid),
				.offset = le64_get(d->offset)};
}

static int read_inline(struct cursor *c, struct backrefs *b)
{
	const u8 *p = cursor_data(c), *end = p + cursor_size(c);

	p += sizeof(struct extent_item);
	if (cursor_key(c).type == KEY_EXTENT_ITEM && (b->flags & EXTENT_FLAG_TREE_BLOCK)) {
		if ((size_t)(end - p) < sizeof(struct tree_block_info))
			return damaged(b, "item is too small for a tree block's");
		b->level = ((const struct tree_block_info *)p)->level;
		p += sizeof(struct tree_block_info);
	}
	while (p < end) {
		size_t left = (size_t)(end - p) - 1;
		struct backref r = {.type = *p++, .count = 1};
		size_t size = r.type == KEY_EXTENT_DATA_REF ? sizeof(struct extent_data_ref)
			      : r.type == KEY_SHARED_DATA_REF ? 12
							      : 8;

		if (size > left)
			return damaged(b, "inline reference runs past the item");
		switch (r.type) {
		case KEY_EXTENT_DATA_REF:
			r = data_ref(p);
			break;
		case KEY_SHARED_DATA_REF:
			r.count = get_le32(p + 8);
			r.parent = get_le64(p);
			break;
		case KEY_SHARED_BLOCK_REF:
			r.parent = get_le64(p);
			break;
		case KEY_TREE_BLOCK_REF:
			r.root = get_le64(p);
			break;
		case KEY_EXTENT_OWNER_REF: /* simple quotas: who pays, not who refers */
			p += size;
			continue;
		default:
			return damaged(b, "unknown type of inline reference");
		}
		p += size;

		int ret = add(b, &r);

		if (ret)
			return ret;
	}
	return 0;
}

static int read_keyed(struct cursor *c, struct backrefs *b)
{
	int ret;

	while (!(ret = cursor_next(c))) {
		struct key k = cursor_key(c);
		struct backref r = {.type = k.type, .count = 1};
		u32 size = cursor_size(c);

		if (k.objectid != b->bytenr || k.type > KEY_SHARED_DATA_REF)
			return 0;
		switch (k.type) {
		case KEY_EXTENT_DATA_REF:
			if (size < sizeof(struct extent_data_ref))
				return damaged(b, "keyed data reference is too small");
			r = data_ref(cursor_data(c));
			break;
		case KEY_SHARED_DATA_REF:
			if (size < sizeof(struct shared_data_ref))
				return damaged(b, "keyed shared reference is too small");
			r.count = get_le32(cursor_data(c));
			r.parent = k.offset;
			break;
		case KEY_SHARED_BLOCK_REF:
			r.parent = k.offset;
			break;
		case KEY_TREE_BLOCK_REF:
			r.root = k.offset;
			break;
		default:
			continue;
		}
		ret = add(b, &r);
		if (ret)
			return ret;
	}
	return ret < 0 ? ret : 0;
}

int backrefs_read(struct cursor *c, struct backrefs *b)
{
	int ret = read_inline(c, b);

	return ret ? ret : read_keyed(c, b);
}
