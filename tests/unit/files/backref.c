/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extent trees of a leaf or two; each item is written byte by byte. */
#include "support/test.h"

#include "files/backref.h"
#include "support/forest.h"

#define EXTENT 0x100000ull

/* An item under construction. */
struct item {
	u8 bytes[512];
	u32 size;
};

static void put(struct item *i, u64 value, u32 size)
{
	for (u32 n = 0; n < size; n++)
		i->bytes[i->size++] = (u8)(value >> 8 * n);
}

static struct item extent_item(u64 refs, u64 flags)
{
	struct item i = {.size = 0};

	put(&i, refs, 8);
	put(&i, 42, 8); /* generation */
	put(&i, flags, 8);
	return i;
}

static void put_data_ref(struct item *i, u64 root, u64 ino, u64 offset, u32 count)
{
	put(i, root, 8);
	put(i, ino, 8);
	put(i, offset, 8);
	put(i, count, 4);
}

struct world {
	struct forest f;
	struct tree tree;
	struct cursor c;
	struct backrefs b;
};

static void world_init(struct world *w, const struct image_item *items, u32 count)
{
	*w = (struct world){.b = {0}};
	forest_init(&w->f, 1 << 20);
	forest_leaf(&w->f, 0, EXTENT_TREE_OBJECTID, items, count);
	w->tree = forest_tree(&w->f, 0, EXTENT_TREE_OBJECTID, 0);
	cursor_init(&w->c, &w->tree);
}

static void world_release(struct world *w)
{
	cursor_release(&w->c);
	backrefs_release(&w->b);
	backrefs_release(&w->b);
	forest_release(&w->f);
}

static struct image_item at(u64 bytenr, u8 type, u64 offset, const struct item *i)
{
	return (struct image_item){key_of(bytenr, type, offset), i->bytes, i->size};
}

static void assert_ref(const struct backrefs *b, size_t i, struct backref want)
{
	const struct backref *r = &b->ref[i];

	assert_true(i < b->count);
	assert_int_equal(r->type, want.type);
	assert_int_equal(r->count, want.count);
	assert_int_equal(r->root, want.root);
	assert_int_equal(r->ino, want.ino);
	assert_int_equal(r->offset, want.offset);
	assert_int_equal(r->parent, want.parent);
}

static void test_inline_data(void **state)
{
	struct item i = extent_item(6, EXTENT_FLAG_DATA);
	struct image_item items[1];
	struct world w;

	put(&i, KEY_EXTENT_OWNER_REF, 1);
	put(&i, 5, 8);
	put(&i, KEY_EXTENT_DATA_REF, 1);
	put_data_ref(&i, 5, 257, (u64)-4096, 2); /* cloned to an offset less than its own */
	put(&i, KEY_EXTENT_DATA_REF, 1);
	put_data_ref(&i, 300, 258, 8192, 1);
	put(&i, KEY_SHARED_DATA_REF, 1);
	put(&i, 0x400000, 8);
	put(&i, 3, 4);
	items[0] = at(EXTENT, KEY_EXTENT_ITEM, 65536, &i);
	world_init(&w, items, 1);

	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_int_equal(w.b.bytenr, EXTENT);
	assert_int_equal(w.b.refs, 6);
	assert_int_equal(w.b.generation, 42);
	assert_int_equal(w.b.flags, EXTENT_FLAG_DATA);
	assert_int_equal(w.b.level, 0);
	assert_int_equal(w.b.count, 0);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 3);
	assert_ref(&w.b, 0, (struct backref){KEY_EXTENT_DATA_REF, 2, 5, 257, (u64)-4096, 0});
	assert_ref(&w.b, 1, (struct backref){KEY_EXTENT_DATA_REF, 1, 300, 258, 8192, 0});
	assert_ref(&w.b, 2, (struct backref){KEY_SHARED_DATA_REF, 3, 0, 0, 0, 0x400000});
	world_release(&w);
}

static void test_inline_tree_block(void **state)
{
	struct item i = extent_item(2, EXTENT_FLAG_TREE_BLOCK);
	struct image_item items[1];
	struct world w;

	put(&i, KEY_TREE_BLOCK_REF, 1);
	put(&i, 257, 8);
	put(&i, KEY_SHARED_BLOCK_REF, 1);
	put(&i, 0x500000, 8);
	items[0] = at(EXTENT, KEY_METADATA_ITEM, 3, &i);
	world_init(&w, items, 1);

	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_int_equal(w.b.level, 3); /* in its key */
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 2);
	assert_ref(&w.b, 0, (struct backref){KEY_TREE_BLOCK_REF, 1, 257, 0, 0, 0});
	assert_ref(&w.b, 1, (struct backref){KEY_SHARED_BLOCK_REF, 1, 0, 0, 0, 0x500000});
	world_release(&w);
}

/* Before skinny metadata a tree block had an EXTENT_ITEM, with first key and level before the references. */
static void test_old_tree_block(void **state)
{
	struct item i = extent_item(1, EXTENT_FLAG_TREE_BLOCK | EXTENT_FLAG_FULL_BACKREF);
	struct image_item items[1];
	struct world w;

	put(&i, 256, 8);
	put(&i, KEY_INODE_ITEM, 1);
	put(&i, 0, 8);
	put(&i, 2, 1); /* level */
	put(&i, KEY_SHARED_BLOCK_REF, 1);
	put(&i, 0x600000, 8);
	items[0] = at(EXTENT, KEY_EXTENT_ITEM, 4096, &i);
	world_init(&w, items, 1);

	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.level, 2);
	assert_int_equal(w.b.count, 1);
	assert_ref(&w.b, 0, (struct backref){KEY_SHARED_BLOCK_REF, 1, 0, 0, 0, 0x600000});
	world_release(&w);
}

/* Those that had no room in the item; the next extent's are not ours. */
static void test_keyed(void **state)
{
	struct item data = extent_item(7, EXTENT_FLAG_DATA), next = extent_item(1, EXTENT_FLAG_DATA);
	struct item data_ref = {.size = 0}, shared = {.size = 0}, nothing = {.size = 0};
	struct world w;

	put(&data, KEY_EXTENT_DATA_REF, 1);
	put_data_ref(&data, 5, 257, 0, 1);
	put_data_ref(&data_ref, 400, 260, 4096, 2);
	put(&shared, 4, 4);

	struct image_item items[] = {
		at(EXTENT, KEY_EXTENT_ITEM, 65536, &data),
		at(EXTENT, KEY_EXTENT_OWNER_REF, 5, &nothing),
		at(EXTENT, KEY_TREE_BLOCK_REF, 299, &nothing),
		at(EXTENT, KEY_EXTENT_DATA_REF, 0x1234, &data_ref), /* a hash */
		at(EXTENT, KEY_SHARED_BLOCK_REF, 0x700000, &nothing),
		at(EXTENT, KEY_SHARED_DATA_REF, 0x800000, &shared),
		at(EXTENT + 65536, KEY_EXTENT_ITEM, 4096, &next),
		at(EXTENT + 65536, KEY_EXTENT_DATA_REF, 1, &data_ref),
	};

	world_init(&w, items, ARRAY_SIZE(items));
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 5);
	assert_ref(&w.b, 0, (struct backref){KEY_EXTENT_DATA_REF, 1, 5, 257, 0, 0});
	assert_ref(&w.b, 1, (struct backref){KEY_TREE_BLOCK_REF, 1, 299, 0, 0, 0});
	assert_ref(&w.b, 2, (struct backref){KEY_EXTENT_DATA_REF, 2, 400, 260, 4096, 0});
	assert_ref(&w.b, 3, (struct backref){KEY_SHARED_BLOCK_REF, 1, 0, 0, 0, 0x700000});
	assert_ref(&w.b, 4, (struct backref){KEY_SHARED_DATA_REF, 4, 0, 0, 0, 0x800000});
	/* Used again for the next extent, which is the tree's last. */
	assert_int_equal(backrefs_find(&w.c, EXTENT + 65536, &w.b), 1);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 1);
	assert_ref(&w.b, 0, (struct backref){KEY_EXTENT_DATA_REF, 2, 400, 260, 4096, 0});
	world_release(&w);
}

/* A block group's item has the same objectid as its first extent. */
static void test_behind_the_last_reference(void **state)
{
	struct item data = extent_item(1, EXTENT_FLAG_DATA), group = {.size = 24};
	struct image_item items[] = {
		at(EXTENT, KEY_EXTENT_ITEM, 65536, &data),
		at(EXTENT, KEY_BLOCK_GROUP_ITEM, 1 << 20, &group),
	};
	struct world w;

	world_init(&w, items, ARRAY_SIZE(items));
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 0);
	world_release(&w);
}

/* On the way to the next leaf. */
static void test_across_leaves(void **state)
{
	struct item data = extent_item(3, EXTENT_FLAG_DATA), shared = {.size = 0};
	struct world w;

	put(&shared, 1, 4);

	struct image_item left[] = {at(EXTENT, KEY_EXTENT_ITEM, 65536, &data),
				    at(EXTENT, KEY_SHARED_DATA_REF, 0x400000, &shared)};
	struct image_item right[] = {at(EXTENT, KEY_SHARED_DATA_REF, 0x500000, &shared),
				     at(EXTENT, KEY_SHARED_DATA_REF, 0x600000, &shared)};
	struct image_pointer leaves[] = {{left[0].key, forest_logical(1), IMAGE_GENERATION},
					 {right[0].key, forest_logical(2), IMAGE_GENERATION}};

	world_init(&w, NULL, 0);
	forest_leaf(&w.f, 1, EXTENT_TREE_OBJECTID, left, 2);
	forest_leaf(&w.f, 2, EXTENT_TREE_OBJECTID, right, 2);
	forest_node(&w.f, 0, EXTENT_TREE_OBJECTID, 1, leaves, 2);
	w.tree.level = 1;
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_ok(backrefs_read(&w.c, &w.b));
	assert_int_equal(w.b.count, 3);
	for (u64 i = 0; i < 3; i++)
		assert_ref(&w.b, i, (struct backref){KEY_SHARED_DATA_REF, 1, 0, 0, 0, 0x400000 + 0x100000 * i});

	/* The leaf with the rest cannot be read. */
	forest_block(&w.f, 2, 0)[200] ^= 1;
	forest_block(&w.f, 2, 1)[200] ^= 1;
	cursor_release(&w.c);
	extent_cache_free(w.f.cache);
	assert_ok(extent_cache_new(w.f.volume, 1 << 20, &w.f.cache));
	w.tree.cache = w.f.cache;
	cursor_init(&w.c, &w.tree);
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	assert_int_equal(backrefs_read(&w.c, &w.b), -EIO);
	assert_non_null(strstr(error_message(), "tree 2: block: "));
	world_release(&w);
}

static void test_none(void **state)
{
	struct item i = extent_item(1, EXTENT_FLAG_DATA), group = {.size = 24};
	struct image_item items[] = {
		at(EXTENT, KEY_EXTENT_ITEM, 4096, &i),
		at(EXTENT + 4096, KEY_BLOCK_GROUP_ITEM, 1 << 20, &group),
		at(EXTENT + 8192, KEY_ROOT_ITEM, 0, &group), /* does not belong into this tree */
	};
	struct world w;

	world_init(&w, items, ARRAY_SIZE(items));
	assert_int_equal(backrefs_find(&w.c, EXTENT - 4096, &w.b), 0); /* before the first */
	assert_int_equal(backrefs_find(&w.c, EXTENT + 4096, &w.b), 0); /* no extent's item */
	assert_int_equal(backrefs_find(&w.c, EXTENT + 8192, &w.b), 0);
	assert_int_equal(backrefs_find(&w.c, EXTENT + 12288, &w.b), 0);
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
	world_release(&w);

	world_init(&w, NULL, 0);
	assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 0);
	world_release(&w);
}

/* The one item of the tree, with its last @less bytes cut off. */
static int read_cut(const struct item *i, u8 type, u32 less)
{
	struct item cut = *i;
	struct image_item items[1];
	struct world w;
	int ret;

	cut.size -= less;
	items[0] = at(EXTENT, type, type == KEY_METADATA_ITEM ? 0 : 4096, &cut);
	world_init(&w, items, 1);
	ret = backrefs_find(&w.c, EXTENT, &w.b);
	if (ret == 1)
		ret = backrefs_read(&w.c, &w.b);
	world_release(&w);
	return ret;
}

static void test_truncated_inline(void **state)
{
	static const u8 types[] = {KEY_EXTENT_DATA_REF, KEY_SHARED_DATA_REF, KEY_TREE_BLOCK_REF, KEY_SHARED_BLOCK_REF,
				   KEY_EXTENT_OWNER_REF};
	static const u32 sizes[] = {28, 12, 8, 8, 8};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct item item = extent_item(1, EXTENT_FLAG_DATA);

		put(&item, types[i], 1);
		for (u32 n = 0; n < sizes[i]; n++)
			put(&item, 1, 1);
		assert_ok(read_cut(&item, KEY_EXTENT_ITEM, 0));
		for (u32 less = 1; less <= sizes[i]; less++)
			assert_error(read_cut(&item, KEY_EXTENT_ITEM, less), EIO,
				     "extent tree: extent 1048576: inline reference runs past the item");
		/* Without its type nothing is there any more. */
		assert_ok(read_cut(&item, KEY_EXTENT_ITEM, sizes[i] + 1));
	}
}

static void test_unknown_inline(void **state)
{
	struct item item = extent_item(1, EXTENT_FLAG_DATA);

	put(&item, 181, 1);
	put(&item, 0, 8);
	assert_error(read_cut(&item, KEY_EXTENT_ITEM, 0), EIO,
		     "extent tree: extent 1048576: unknown type of inline reference");
}

static void test_too_small(void **state)
{
	struct item item = extent_item(1, EXTENT_FLAG_DATA), block = extent_item(1, EXTENT_FLAG_TREE_BLOCK);

	assert_error(read_cut(&item, KEY_EXTENT_ITEM, 1), EIO,
		     "extent tree: extent 1048576: item is too small");
	assert_error(read_cut(&item, KEY_METADATA_ITEM, 24), EIO,
		     "extent tree: extent 1048576: item is too small");
	for (u32 n = 0; n < 18; n++)
		put(&block, 0, 1);
	assert_ok(read_cut(&block, KEY_EXTENT_ITEM, 0));
	for (u32 less = 1; less <= 18; less++)
		assert_error(read_cut(&block, KEY_EXTENT_ITEM, less), EIO,
			     "extent tree: extent 1048576: item is too small for a tree block's");
}

static void test_keyed_too_small(void **state)
{
	static const struct {
		u8 type;
		u32 size;
		const char *sentence;
	} bad[] = {
		{KEY_EXTENT_DATA_REF, 27, "extent tree: extent 1048576: keyed data reference is too small"},
		{KEY_SHARED_DATA_REF, 3, "extent tree: extent 1048576: keyed shared reference is too small"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct item item = extent_item(1, EXTENT_FLAG_DATA), keyed = {.size = bad[i].size};
		struct image_item items[] = {at(EXTENT, KEY_EXTENT_ITEM, 4096, &item),
					     at(EXTENT, bad[i].type, 1, &keyed)};
		struct world w;

		world_init(&w, items, 2);
		assert_int_equal(backrefs_find(&w.c, EXTENT, &w.b), 1);
		assert_error(backrefs_read(&w.c, &w.b), EIO, bad[i].sentence);
		world_release(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline_data),
		cmocka_unit_test(test_inline_tree_block),
		cmocka_unit_test(test_old_tree_block),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_behind_the_last_reference),
		cmocka_unit_test(test_across_leaves),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_truncated_inline),
		cmocka_unit_test(test_unknown_inline),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_keyed_too_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
