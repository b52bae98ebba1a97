/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An extent tree that knows of two leaves of a subvolume, and the file extents in these. */
#include "support/test.h"

#include "send/leaf_items.h"
#include "support/forest.h"

#define OWNER 256u
#define A (64ull << 20) /* data extents */
#define B (65ull << 20)
#define C (66ull << 20)

/* Forest blocks. */
enum { EXTENT_TREE, LEFT = 10, RIGHT, STRANGER };

struct world {
	struct forest f;
	struct filesystem fs;
	struct cursor extents;
	struct leaf_items *items;
	struct extent_item block;
	struct file_extent fe[8];
};

static struct file_extent extent_of(u64 bytenr, u64 offset, u64 num_bytes)
{
	return (struct file_extent){.ram_bytes = le64_of(1 << 20),
				    .type = FILE_EXTENT_REG,
				    .disk_bytenr = le64_of(bytenr),
				    .disk_num_bytes = le64_of(bytenr ? 1 << 20 : 0),
				    .offset = le64_of(offset),
				    .num_bytes = le64_of(num_bytes)};
}

static struct image_item data(struct world *w, u32 n, u64 ino, u64 offset)
{
	return (struct image_item){key_of(ino, KEY_EXTENT_DATA, offset), &w->fe[n], sizeof(w->fe[n])};
}

static void write_left(struct world *w)
{
	w->fe[0] = extent_of(A, 0, 8192);
	w->fe[1] = extent_of(0, 0, 4096); /* a hole */
	w->fe[2] = extent_of(B, 4096, 4096);
	w->fe[3] = extent_of(A, 65536, 12288);
	w->fe[4] = (struct file_extent){.ram_bytes = le64_of(32), .type = FILE_EXTENT_INLINE};
	w->fe[5] = extent_of(A, 8192, 4096);
	w->fe[5].type = FILE_EXTENT_PREALLOC;

	struct image_item items[] = {data(w, 0, 257, 0),    data(w, 1, 257, 8192), data(w, 2, 257, 12288),
				     data(w, 3, 258, 4096), data(w, 4, 259, 0),    data(w, 5, 260, 0)};

	forest_leaf(&w->f, LEFT, OWNER, items, ARRAY_SIZE(items));
}

static void write_right(struct world *w)
{
	struct file_extent packed = extent_of(B, 4096, 4096);

	packed.compression = COMPRESSION_ZSTD;
	packed.ram_bytes = packed.disk_num_bytes = le64_of(131072);
	w->fe[6] = packed;

	static const u8 no_extent[sizeof(struct file_extent)] = "long enough for a file extent, and none";
	struct image_item items[] = {{key_of(260, KEY_INODE_REF, 256), no_extent, sizeof(no_extent)},
				     data(w, 6, 261, 4096)};

	forest_leaf(&w->f, RIGHT, OWNER, items, ARRAY_SIZE(items));
}

static void write_extent_tree(struct world *w)
{
	struct image_item items[] = {
		{key_of(forest_logical(LEFT), KEY_METADATA_ITEM, 0), &w->block, sizeof(w->block)},
		{key_of(forest_logical(RIGHT), KEY_METADATA_ITEM, 0), &w->block, sizeof(w->block)},
	};

	w->block = (struct extent_item){.refs = le64_of(1),
					.generation = le64_of(IMAGE_GENERATION),
					.flags = le64_of(EXTENT_FLAG_TREE_BLOCK)};
	forest_leaf(&w->f, EXTENT_TREE, EXTENT_TREE_OBJECTID, items, ARRAY_SIZE(items));
}

/* What was read before a block was rewritten is not to be met again. */
static void forget(struct world *w)
{
	cursor_release(&w->extents);
	extent_cache_free(w->f.cache);
	assert_ok(extent_cache_new(w->f.volume, 1 << 20, &w->f.cache));
	w->fs.cache = w->fs.extent_tree.cache = w->f.cache;
	cursor_init(&w->extents, &w->fs.extent_tree);
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	write_left(&w);
	write_right(&w);
	write_extent_tree(&w);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .memory = 1 << 20,
				   .extent_tree = forest_tree(&w.f, EXTENT_TREE, EXTENT_TREE_OBJECTID, 0)};
	cursor_init(&w.extents, &w.fs.extent_tree);
	assert_ok(leaf_items_new(&w.fs, &w.extents, &w.items));
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	leaf_items_free(w->items);
	leaf_items_free(NULL);
	cursor_release(&w->extents);
	forest_release(&w->f);
	return 0;
}

static int find(struct world *w, u32 leaf, u64 bytenr, const struct place **out)
{
	return leaf_items_find(w->items, forest_logical(leaf), bytenr, out);
}

static void assert_place(const struct place *p, u32 leaf, u64 ino, u64 file_offset, u64 data_offset,
			 u64 num_bytes, bool encoded)
{
	assert_int_equal(p->leaf, forest_logical(leaf));
	assert_int_equal(p->ino, ino);
	assert_int_equal(p->file_offset, file_offset);
	assert_int_equal(p->data_offset, data_offset);
	assert_int_equal(p->num_bytes, num_bytes);
	assert_int_equal(p->encoded, encoded);
}

static void test_items(void **state)
{
	struct world *w = *state;
	const struct place *p;

	assert_int_equal(find(w, LEFT, A, &p), 3);
	assert_place(&p[0], LEFT, 257, 0, 0, 8192, false);
	assert_place(&p[1], LEFT, 258, 4096, 65536, 12288, false);
	assert_place(&p[2], LEFT, 260, 0, 8192, 4096, false);
	assert_int_equal(find(w, LEFT, B, &p), 1);
	assert_place(&p[0], LEFT, 257, 12288, 4096, 4096, false);
	assert_int_equal(find(w, RIGHT, B, &p), 1);
	assert_place(&p[0], RIGHT, 261, 4096, 4096, 4096, true);
	assert_int_equal(find(w, RIGHT, A, &p), 0);
	assert_int_equal(find(w, LEFT, C, &p), 0);
	/* A hole is no extent at 0, nor is an address that is only within one. */
	assert_int_equal(find(w, LEFT, 0, &p), 0);
	assert_int_equal(find(w, LEFT, A + 4096, &p), 0);
}

/* Both leaves are ruined behind its back: what it has looked through it has. */
static void ruin_leaves(struct world *w)
{
	for (u32 copy = 0; copy < 2; copy++) {
		forest_block(&w->f, LEFT, copy)[200] ^= 1;
		forest_block(&w->f, RIGHT, copy)[200] ^= 1;
	}
	forget(w);
}

static void test_looked_through_once(void **state)
{
	struct world *w = *state;
	const struct place *p;

	assert_int_equal(find(w, LEFT, C, &p), 0);
	assert_int_equal(find(w, RIGHT, C, &p), 0);
	ruin_leaves(w);
	assert_int_equal(find(w, LEFT, A, &p), 3);
	assert_int_equal(find(w, RIGHT, B, &p), 1);
}

/* Where there is no room the last one stays all the same. */
static void test_little_memory(void **state)
{
	struct world *w = *state;
	const struct place *p;

	w->fs.memory = 0;
	assert_int_equal(find(w, LEFT, A, &p), 3);
	assert_int_equal(find(w, RIGHT, B, &p), 1);
	ruin_leaves(w);
	assert_int_equal(find(w, RIGHT, B, &p), 1);
	assert_int_equal(find(w, LEFT, A, &p), -EIO);
	assert_non_null(strstr(error_message(), "tree 5: block: logical "));
	/* What could not be read takes no place away. */
	assert_int_equal(find(w, RIGHT, B, &p), 1);
}

static void test_leaf_without_item(void **state)
{
	const struct place *p;

	/* 16 MiB + 12 * 4096 */
	assert_error(find(*state, STRANGER, A, &p), EIO,
		     "extent tree: no item for the block at 16826368, which holds references");
}

static void test_other_generation(void **state)
{
	struct world *w = *state;
	const struct place *p;

	w->block.generation = le64_of(6);

	struct image_item item = {key_of(forest_logical(LEFT), KEY_METADATA_ITEM, 0), &w->block, sizeof(w->block)};

	forest_leaf(&w->f, EXTENT_TREE, EXTENT_TREE_OBJECTID, &item, 1);
	forget(w);
	assert_int_equal(find(w, LEFT, A, &p), -EIO);
	assert_non_null(strstr(error_message(), "generation 7 instead of 6"));
}

static void test_damaged_item(void **state)
{
	struct world *w = *state;
	const struct place *p;

	w->fe[0] = extent_of(A, 0, 4097);

	struct image_item item = data(w, 0, 257, 0);

	forest_leaf(&w->f, LEFT, OWNER, &item, 1);
	forget(w);
	assert_error(find(w, LEFT, A, &p), EIO, "(257 EXTENT_DATA 0): damaged file extent: num_bytes 4097");
}

static void test_empty_leaf(void **state)
{
	struct world *w = *state;
	const struct place *p;

	forest_leaf(&w->f, LEFT, OWNER, NULL, 0);
	assert_int_equal(find(w, LEFT, A, &p), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_items),	     TEST(test_looked_through_once), TEST(test_little_memory),
		TEST(test_leaf_without_item), TEST(test_other_generation),    TEST(test_damaged_item),
		TEST(test_empty_leaf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
