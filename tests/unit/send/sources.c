/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subvolumes made by hand, whose data extents are referred to as each test says:
 *
 *   256, 258   a leaf each, their root
 *   257        its snapshot 259: a root each, over one leaf that both share and 257 owns
 *   300        a leaf; it is no clone source
 *
 * What is considered is written down as "subvolume:inode@offset+bytes".
 */
#include "support/test.h"

#include <stdio.h>

#include "send/clone.h"
#include "send/sources.h"
#include "support/forest.h"

#define EXTENT (64ull << 20)
#define SIZE 65536u

/* Forest blocks.  The leaves' addresses rise in this order. */
enum { ROOT_TREE, EXTENT_TREE, LEAF_256 = 10, LEAF_SHARED, LEAF_258, LEAF_300, TOP_257, TOP_259, NOBODY };

#define FIRST 256u
#define LAST 259u

struct world {
	struct forest f;
	struct filesystem fs;
	struct root_item roots[5];
	struct subvolume sv[4];
	struct send_plan *plan;
	u8 extent[512]; /* the data extent's item */
	u32 extent_size;
	struct {
		u8 bytes[64];
		u32 size;
	} blocks[8];
	char seen[512];
	size_t seen_len;
	unsigned left; /* calls until the walk is to end */
};

static u8 *put(u8 *to, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++)
		*to++ = (u8)(value >> 8 * i);
	return to;
}

/* --- trees --- */

struct file_item {
	u64 ino, file_offset, bytenr, data_offset, num_bytes;
	bool encoded;
};

static void leaf(struct world *w, u32 block, u64 owner, const struct file_item *f, u32 count)
{
	struct file_extent fe[8];
	struct image_item items[8];

	for (u32 i = 0; i < count; i++) {
		fe[i] = (struct file_extent){.ram_bytes = le64_of(SIZE),
					     .compression = f[i].encoded ? COMPRESSION_ZLIB : COMPRESSION_NONE,
					     .type = FILE_EXTENT_REG,
					     .disk_bytenr = le64_of(f[i].bytenr),
					     .disk_num_bytes = le64_of(SIZE),
					     .offset = le64_of(f[i].data_offset),
					     .num_bytes = le64_of(f[i].num_bytes)};
		items[i] = (struct image_item){key_of(f[i].ino, KEY_EXTENT_DATA, f[i].file_offset), &fe[i],
					       sizeof(fe[i])};
	}
	forest_leaf(&w->f, block, owner, items, count);
}

/* One level above the shared leaf. */
static void top(struct world *w, u32 block, u64 owner, u64 first_ino)
{
	struct image_pointer p = {key_of(first_ino, KEY_EXTENT_DATA, 0), forest_logical(LEAF_SHARED),
				  IMAGE_GENERATION};

	forest_node(&w->f, block, owner, 1, &p, 1);
}

static void write_root_tree(struct world *w)
{
	static const struct {
		u64 id;
		u32 block;
		u8 level;
	} roots[] = {{256, LEAF_256, 0}, {257, TOP_257, 1}, {258, LEAF_258, 0}, {259, TOP_259, 1}, {300, LEAF_300, 0}};
	struct image_item items[ARRAY_SIZE(roots)];

	for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
		w->roots[i].generation = le64_of(IMAGE_GENERATION);
		w->roots[i].bytenr = le64_of(forest_logical(roots[i].block));
		w->roots[i].refs = le32_of(1);
		w->roots[i].level = roots[i].level;
		items[i] = (struct image_item){key_of(roots[i].id, KEY_ROOT_ITEM, 0), &w->roots[i],
					       ROOT_ITEM_SIZE_V0};
		if (roots[i].id <= LAST)
			w->sv[i] = (struct subvolume){
				.id = roots[i].id,
				.tree = forest_tree(&w->f, roots[i].block, roots[i].id, roots[i].level)};
	}
	forest_leaf(&w->f, ROOT_TREE, ROOT_TREE_OBJECTID, items, ARRAY_SIZE(items));
}

/* A block's item, with the subvolumes that refer to it. */
static struct image_item block_item(struct world *w, u32 n, u32 block, u8 level, u64 root, u64 second)
{
	u8 *p = w->blocks[n].bytes;

	p = put(p, second ? 2 : 1, 8);
	p = put(p, IMAGE_GENERATION, 8);
	p = put(p, EXTENT_FLAG_TREE_BLOCK, 8);
	p = put(put(p, KEY_TREE_BLOCK_REF, 1), root, 8);
	if (second)
		p = put(put(p, KEY_TREE_BLOCK_REF, 1), second, 8);
	w->blocks[n].size = (u32)(p - w->blocks[n].bytes);
	return (struct image_item){key_of(forest_logical(block), KEY_METADATA_ITEM, level), w->blocks[n].bytes,
				   w->blocks[n].size};
}

static void write_extent_tree(struct world *w)
{
	struct image_item items[] = {
		block_item(w, 0, LEAF_256, 0, 256, 0),
		block_item(w, 1, LEAF_SHARED, 0, 257, 259),
		block_item(w, 2, LEAF_258, 0, 258, 0),
		block_item(w, 3, LEAF_300, 0, 300, 0),
		block_item(w, 4, TOP_257, 1, 257, 0),
		block_item(w, 5, TOP_259, 1, 259, 0),
		{key_of(EXTENT, KEY_EXTENT_ITEM, SIZE), w->extent, w->extent_size},
	};

	forest_leaf(&w->f, EXTENT_TREE, EXTENT_TREE_OBJECTID, items, ARRAY_SIZE(items));
}

/* --- the data extent --- */

static void refs(struct world *w, u64 count)
{
	u8 *p = put(w->extent, count, 8);

	p = put(p, IMAGE_GENERATION, 8);
	p = put(p, EXTENT_FLAG_DATA, 8);
	w->extent_size = (u32)(p - w->extent);
}

static void by_root(struct world *w, u64 root, u64 ino, u64 offset, u32 count)
{
	u8 *p = w->extent + w->extent_size;

	p = put(p, KEY_EXTENT_DATA_REF, 1);
	p = put(put(put(put(p, root, 8), ino, 8), offset, 8), count, 4);
	w->extent_size = (u32)(p - w->extent);
}

static void by_leaf(struct world *w, u32 block, u32 count)
{
	u8 *p = w->extent + w->extent_size;

	p = put(put(put(p, KEY_SHARED_DATA_REF, 1), forest_logical(block), 8), count, 4);
	w->extent_size = (u32)(p - w->extent);
}

/* --- walks --- */

#define LEAF(w, block, owner, ...)                                                                 \
	leaf(w, block, owner, (struct file_item[]){__VA_ARGS__},                                   \
	     ARRAY_SIZE(((struct file_item[]){__VA_ARGS__})))

static int setup(void **state)
{
	static struct world w;

	w = (struct world){.left = 100};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .memory = 1 << 20,
				   .root_tree = forest_tree(&w.f, ROOT_TREE, ROOT_TREE_OBJECTID, 0),
				   .extent_tree = forest_tree(&w.f, EXTENT_TREE, EXTENT_TREE_OBJECTID, 0)};
	write_root_tree(&w);
	LEAF(&w, LEAF_256, 256, {257, 0, EXTENT, 0, SIZE, false}, {260, 0, EXTENT, 0, 8192, false},
	     {260, 131072, EXTENT, 0, 4096, false});
	LEAF(&w, LEAF_SHARED, 257, {300, 0, EXTENT, 4096, 8192, false}, {301, 0, EXTENT, 0, 16384, false});
	LEAF(&w, LEAF_258, 258, {400, 0, EXTENT, 0, SIZE, false});
	LEAF(&w, LEAF_300, 300, {500, 0, EXTENT, 0, SIZE, false});
	top(&w, TOP_257, 257, 300);
	top(&w, TOP_259, 259, 300);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	send_plan_free(w->plan);
	forest_release(&w->f);
	return 0;
}

/* A plan to send 256, with all the others as clone sources or with none. */
static void plan(struct world *w, bool others, bool clone_all)
{
	const struct plan_options options = {.proto = 1, .clone_all = clone_all};

	write_extent_tree(w);
	assert_ok(send_plan_new(&w->fs, &w->sv[0], NULL, &w->sv[1], others ? 3 : 0, &options, &w->plan));
}

static int see(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg)
{
	struct world *w = arg;

	w->seen_len += (size_t)snprintf(w->seen + w->seen_len, sizeof(w->seen) - w->seen_len,
					"%s%u:%u@%u+%u", w->seen_len ? " " : "", (unsigned)root, (unsigned)ino,
					(unsigned)offset, (unsigned)num_bytes);
	return !--w->left;
}

static void assert_query(struct world *w, const struct extent_query *q, const char *want)
{
	w->seen[0] = '\0';
	w->seen_len = 0;
	assert_ok(extent_walk(w->plan->sources->walk, q, see, w));
	assert_string_equal(w->seen, want);
}

static void assert_walk(struct world *w, const char *want)
{
	const struct extent_query q = {.bytenr = EXTENT};

	assert_query(w, &q, want);
}

/* By falling subvolume, inode and offset, in whatever order they lie. */
static void test_references_by_root(void **state)
{
	struct world *w = *state;

	refs(w, 4);
	by_root(w, 256, 260, 0, 1);
	by_root(w, 258, 400, 0, 1);
	by_root(w, 256, 257, 0, 1);
	by_root(w, 256, 260, 131072, 1);
	plan(w, true, false);
	assert_walk(w, "258:400@0+65536 256:260@131072+4096 256:260@0+8192 256:257@0+65536");
}

/* The leaf that 257 and 259 share is theirs both: the later subvolume first. */
static void test_shared_leaf(void **state)
{
	struct world *w = *state;

	refs(w, 2);
	by_root(w, 257, 301, 0, 1);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	assert_walk(w, "259:301@0+16384 257:301@0+16384 256:257@0+65536");
}

/* Those by leaf come behind those by root, by falling address; a leaf's items from its end. */
static void test_references_by_leaf(void **state)
{
	struct world *w = *state;

	refs(w, 6);
	by_leaf(w, LEAF_256, 3);
	by_leaf(w, LEAF_258, 1);
	by_root(w, 257, 301, 0, 1);
	plan(w, true, false);
	assert_walk(w, "259:301@0+16384 257:301@0+16384 258:400@0+65536 "
		       "256:260@131072+4096 256:260@0+8192 256:257@0+65536");
}

/* A leaf whose subvolumes are known is considered at once, and once more in its turn. */
static void test_known_leaf(void **state)
{
	struct world *w = *state;

	refs(w, 2);
	by_root(w, 258, 400, 0, 1);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	w->left = 1;
	assert_walk(w, "258:400@0+65536");
	/* The walk ended before the leaf of 256 was asked after. */
	w->left = 3;
	assert_walk(w, "258:400@0+65536 258:400@0+65536 256:257@0+65536");
	w->left = 100;
	assert_walk(w, "258:400@0+65536 256:257@0+65536 258:400@0+65536 256:257@0+65536");
}

static void test_position(void **state)
{
	struct world *w = *state;
	struct extent_query q = {.bytenr = EXTENT, .position = 8192};

	/* 301 has bytes [0, 16384) of the extent, 300 has [4096, 12288); 260 has [0, 8192). */
	refs(w, 3);
	by_root(w, 257, 300, (u64)-4096, 1);
	by_root(w, 257, 301, 0, 1);
	by_root(w, 256, 260, 0, 1);
	plan(w, true, false);
	assert_query(w, &q, "259:301@8192+16384 259:300@4096+8192 257:301@8192+16384 257:300@4096+8192");
}

/* Of a compressed extent the whole is meant. */
static void test_encoded(void **state)
{
	struct world *w = *state;
	struct extent_query q = {.bytenr = EXTENT, .position = 0};

	LEAF(w, LEAF_258, 258, {400, 12288, EXTENT, 8192, 4096, true});
	refs(w, 2);
	by_root(w, 258, 400, 4096, 1);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	assert_query(w, &q, "258:400@12288+4096 256:257@0+65536");
}

/* The reference has a count, and items that are other extents' may lie between. */
static void test_several_items_of_one_reference(void **state)
{
	struct world *w = *state;

	LEAF(w, LEAF_258, 258, {400, 0, EXTENT, 0, 4096, false}, {400, 4096, EXTENT + SIZE, 0, 4096, false},
	     {400, 8192, EXTENT, 8192, 4096, false}, {401, 8192, EXTENT, 8192, 4096, false});
	refs(w, 2);
	by_root(w, 258, 400, 0, 2);
	plan(w, true, false);
	assert_walk(w, "258:400@0+4096");
	/* Once from the leaf that is known by now, and once in its turn. */
	assert_query(w, &(struct extent_query){.bytenr = EXTENT, .position = 8192},
		     "258:400@8192+4096 258:400@8192+4096");
}

static void test_self(void **state)
{
	struct world *w = *state;
	struct extent_query q = {
		.bytenr = EXTENT, .skip_self = true, .self_root = 256, .self_ino = 260, .self_offset = 131072};

	refs(w, 3);
	by_root(w, 256, 257, 0, 1);
	by_root(w, 256, 260, 0, 1);
	by_root(w, 256, 260, 131072, 1);
	plan(w, false, false);
	assert_query(w, &q, "256:260@0+8192 256:257@0+65536");
	q.skip_self = false;
	w->left = 3;
	assert_query(w, &q, "256:260@131072+4096 256:260@0+8192 256:257@0+65536");
}

/* Neither a subvolume that is no clone source nor one that is gone is told. */
static void test_strangers(void **state)
{
	struct world *w = *state;

	refs(w, 3);
	by_root(w, 300, 500, 0, 1);
	by_root(w, 301, 257, 0, 1);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	assert_walk(w, "256:257@0+65536");
}

static void test_single_reference(void **state)
{
	struct world *w = *state;

	refs(w, 1);
	by_root(w, 256, 257, 0, 1);
	plan(w, false, false);
	assert_walk(w, "");
	/* With other sources it may be theirs. */
	send_plan_free(w->plan);
	plan(w, true, false);
	assert_walk(w, "256:257@0+65536");
}

static void test_many_references(void **state)
{
	struct world *w = *state;

	refs(w, 1025);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	assert_walk(w, "");
	send_plan_free(w->plan);
	plan(w, true, true);
	assert_walk(w, "256:257@0+65536");
}

static void test_1024_references(void **state)
{
	struct world *w = *state;

	refs(w, 1024);
	by_root(w, 256, 257, 0, 1);
	plan(w, true, false);
	assert_walk(w, "256:257@0+65536");
}

static void test_unknown_extent(void **state)
{
	struct world *w = *state;

	refs(w, 2);
	plan(w, true, false);
	assert_query(w, &(struct extent_query){.bytenr = EXTENT + SIZE}, "");
}

/* It counts references and has none: nothing to put in order, and nobody to be considered. */
static void test_no_references(void **state)
{
	struct world *w = *state;

	refs(w, 2);
	plan(w, true, false);
	assert_walk(w, "");
}

static void test_damage(void **state)
{
	const struct extent_query q = {.bytenr = EXTENT};
	struct world *w = *state;

	/* A leaf that the extent tree does not know. */
	refs(w, 2);
	by_leaf(w, NOBODY, 1);
	plan(w, true, false);
	assert_error(extent_walk(w->plan->sources->walk, &q, see, w), EIO,
		     "extent tree: no item for the block at 16842752, which holds references");
	assert_int_equal(w->seen_len, 0);
	/* It is not remembered as resolved. */
	assert_int_equal(extent_walk(w->plan->sources->walk, &q, see, w), -EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_references_by_root),
		TEST(test_shared_leaf),
		TEST(test_references_by_leaf),
		TEST(test_known_leaf),
		TEST(test_position),
		TEST(test_encoded),
		TEST(test_several_items_of_one_reference),
		TEST(test_self),
		TEST(test_strangers),
		TEST(test_single_reference),
		TEST(test_many_references),
		TEST(test_1024_references),
		TEST(test_unknown_extent),
		TEST(test_no_references),
		TEST(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
