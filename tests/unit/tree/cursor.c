/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Over a tree of three levels: block 0 is the root, 1 … 3 are nodes, 4 … 12 leaves of three items each.  Item i of
 * the 27 has the key (i × 10, 1, i) and the value i.
 */
#include "support/test.h"

#include "support/forest.h"

#define LIMIT (64u << 20)
#define ITEMS 27u
#define FIRST_LEAF 4u

static u8 value[ITEMS];

static struct key key_at(u32 i)
{
	return key_of(i * 10, 1, i);
}

static void make_tree(struct forest *f)
{
	struct image_pointer top[3];

	forest_init(f, LIMIT);
	for (u32 n = 0; n < 3; n++) {
		struct image_pointer middle[3];

		for (u32 l = 0; l < 3; l++) {
			u32 block = FIRST_LEAF + 3 * n + l, first = 9 * n + 3 * l;
			struct image_item items[3];

			for (u32 i = 0; i < 3; i++) {
				value[first + i] = (u8)(first + i);
				items[i] = (struct image_item){key_at(first + i), &value[first + i], 1};
			}
			forest_leaf(f, block, 257, items, 3);
			middle[l] = (struct image_pointer){key_at(first), forest_logical(block),
							   IMAGE_GENERATION};
		}
		forest_node(f, 1 + n, 257, 1, middle, 3);
		top[n] = (struct image_pointer){key_at(9 * n), forest_logical(1 + n),
						IMAGE_GENERATION};
	}
	forest_node(f, 0, 257, 2, top, 3);
}

static void assert_on(const struct cursor *c, u32 i)
{
	struct key want = key_at(i), got;

	assert_false(cursor_at_end(c));
	got = cursor_key(c);
	assert_int_equal(key_cmp(&want, &got), 0);
	assert_int_equal(cursor_size(c), 1);
	assert_int_equal(*(const u8 *)cursor_data(c), i);
}

static int seek(struct cursor *c, u64 objectid)
{
	struct key k = key_of(objectid, 0, 0);

	return cursor_seek(c, &k);
}

static void test_seek(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	/* From each place to each place, so that every short cut is taken. */
	for (u32 from = 0; from < ITEMS; from++) {
		for (u32 to = 0; to < ITEMS; to++) {
			struct key start = key_at(from), k = key_at(to);

			cursor_init(&c, &t);
			assert_int_equal(cursor_seek(&c, &start), 0);
			assert_on(&c, from);
			assert_int_equal(cursor_seek(&c, &k), 0);
			assert_on(&c, to);
			assert_int_equal(cursor_seek(&c, &start), 0);
			k.offset++;
			assert_int_equal(cursor_seek(&c, &k), 1);
			if (to + 1 < ITEMS)
				assert_on(&c, to + 1);
			else
				assert_true(cursor_at_end(&c));
			k.offset -= 2;
			if (to)
				assert_int_equal(cursor_seek(&c, &k), 1);
			else
				assert_int_equal(seek(&c, 0), 1);
			assert_on(&c, to);
			cursor_release(&c);
		}
	}
	forest_release(&f);
}

static void test_seek_before(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	for (u32 from = 0; from < ITEMS; from++) {
		for (u32 to = 0; to < ITEMS; to++) {
			struct key start = key_at(from), k = key_at(to);

			assert_int_equal(cursor_seek(&c, &start), 0);
			assert_int_equal(cursor_seek_before(&c, &k), 0);
			assert_on(&c, to);
			assert_int_equal(cursor_seek(&c, &start), 0);
			k.offset++;
			assert_int_equal(cursor_seek_before(&c, &k), 1);
			assert_on(&c, to);
		}
	}

	struct key before = key_of(0, 0, 5);

	assert_int_equal(cursor_seek_before(&c, &before), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_prev(&c), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 0);
	assert_on(&c, 0);
	cursor_release(&c);
	forest_release(&f);
}

static void test_next_and_prev(void **state)
{
	struct cursor c;
	struct forest f;
	u32 i;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	assert_int_equal(seek(&c, 0), 1);
	for (i = 0; i < ITEMS - 1; i++) {
		assert_on(&c, i);
		assert_int_equal(cursor_next(&c), 0);
	}
	assert_on(&c, i);
	assert_int_equal(cursor_next(&c), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 1);
	assert_true(cursor_at_end(&c));
	for (; i < ITEMS; i--) {
		assert_int_equal(cursor_prev(&c), 0);
		assert_on(&c, i);
	}
	assert_int_equal(cursor_prev(&c), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_prev(&c), 1);
	assert_int_equal(cursor_next(&c), 0);
	assert_on(&c, 0);
	cursor_release(&c);
	cursor_release(&c);
	forest_release(&f);
}

static void test_next_and_prev_leaf(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	assert_int_equal(seek(&c, 1), 1);
	assert_on(&c, 1);
	for (u32 leaf = 1; leaf < 9; leaf++) {
		assert_int_equal(cursor_next_leaf(&c), 0);
		assert_on(&c, 3 * leaf);
	}
	assert_int_equal(cursor_next_leaf(&c), 1);
	assert_true(cursor_at_end(&c));
	for (u32 leaf = 8; leaf > 0; leaf--) {
		assert_int_equal(cursor_prev_leaf(&c), 0);
		assert_on(&c, 3 * leaf - 1);
	}
	assert_int_equal(cursor_prev_leaf(&c), 1);
	assert_true(cursor_at_end(&c));
	cursor_release(&c);
	forest_release(&f);
}

static void test_seek_in_the_leaf_costs_nothing(void **state)
{
	struct extent_buffer *leaf;
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	assert_int_equal(seek(&c, 30), 1);
	leaf = c.node[0];

	/* Nothing can be read any more, and nothing is in the cache but what the cursor holds. */
	faulty_set(f.device, FAULT_FAIL, 0, (u64)-1);
	assert_int_equal(seek(&c, 50), 1);
	assert_on(&c, 5);
	assert_ptr_equal(c.node[0], leaf);
	assert_int_equal(seek(&c, 31), 1);
	assert_on(&c, 4);
	cursor_release(&c);
	forest_release(&f);
}

static void test_empty_tree(void **state)
{
	struct key k = key_of(1, 1, 1);
	struct cursor c;
	struct forest f;

	forest_init(&f, LIMIT);
	forest_leaf(&f, 0, CSUM_TREE_OBJECTID, NULL, 0);

	struct tree t = forest_tree(&f, 0, CSUM_TREE_OBJECTID, 0);

	cursor_init(&c, &t);
	assert_int_equal(cursor_seek(&c, &k), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 1);
	assert_int_equal(cursor_prev(&c), 1);
	assert_int_equal(cursor_seek_before(&c, &k), 1);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 1);
	cursor_release(&c);
	forest_release(&f);
}

static void test_cursor_that_stands_nowhere(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 1);
	assert_int_equal(cursor_prev(&c), 1);
	assert_int_equal(cursor_next_leaf(&c), 1);
	assert_int_equal(cursor_prev_leaf(&c), 1);
	cursor_release(&c);
	forest_release(&f);
}

static void test_failed_move(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	cursor_init(&c, &t);
	assert_int_equal(seek(&c, 20), 1);
	faulty_set(f.device, FAULT_FAIL, 0, (u64)-1);
	assert_error(cursor_next(&c), EIO,
		     "tree 257: block: logical 16797696 on img at 1069056: read of img fails on "
		     "purpose; logical 16797696 on img at 2117632: read of img fails on purpose");
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_next(&c), 1);
	faulty_set(f.device, FAULT_NONE, 0, 0);
	assert_int_equal(seek(&c, 30), 1);
	assert_on(&c, 3);
	cursor_release(&c);
	forest_release(&f);
}

static void test_root_of_the_wrong_generation(void **state)
{
	struct cursor c;
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	t.generation++;
	cursor_init(&c, &t);
	assert_error(seek(&c, 0), EIO,
		     "tree 257: block: logical 16777216 on img at 1048576: generation 7 instead of 8; "
		     "logical 16777216 on img at 2097152: generation 7 instead of 8");
	assert_true(cursor_at_end(&c));
	cursor_release(&c);
	forest_release(&f);
}

/* Walk the whole tree, which must fail with @sentence in the end. */
static void assert_walk_fails(const struct tree *t, const char *sentence)
{
	struct cursor c;
	int ret;

	cursor_init(&c, t);
	ret = seek(&c, 0);
	while (ret >= 0 && !cursor_at_end(&c))
		ret = cursor_next(&c);
	assert_error(ret, EIO, sentence);
	cursor_release(&c);
}

static void test_node_that_points_to_itself(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);

	struct image_pointer self = {key_at(0), forest_logical(0), IMAGE_GENERATION};
	struct tree t = forest_tree(&f, 0, 257, 1);

	forest_node(&f, 0, 257, 1, &self, 1);
	assert_walk_fails(&t, "tree 257: block: logical 16777216: level 1 instead of 0");
	forest_release(&f);
}

/* Two parents that share a child are a path twice as long at each level: the keys forbid it. */
static void test_leaf_with_two_parents(void **state)
{
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);
	struct image_pointer shared[] = {
		{key_at(0), forest_logical(FIRST_LEAF), IMAGE_GENERATION},
		{key_at(3), forest_logical(FIRST_LEAF + 1), IMAGE_GENERATION},
		{key_at(9), forest_logical(FIRST_LEAF + 3), IMAGE_GENERATION},
	};

	forest_node(&f, 1, 257, 1, shared, 3);
	assert_walk_fails(&t, "tree 257: block: logical 16781312 on img at 1052672: last key (90 "
			      "INODE_ITEM 9) is not below (90 INODE_ITEM 9), the next block's; "
			      "logical 16781312 on img at 2101248: last key (90 INODE_ITEM 9) is not "
			      "below (90 INODE_ITEM 9), the next block's");
	forest_release(&f);
}

static void test_leaf_that_reaches_beyond_its_parent(void **state)
{
	struct image_item items[] = {{key_at(6), "x", 1}, {key_at(9), "x", 1}};
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	forest_leaf(&f, FIRST_LEAF + 2, 257, items, 2);
	assert_walk_fails(&t, "tree 257: block: logical 16801792 on img at 1073152: last key (90 "
			      "INODE_ITEM 9) is not below (90 INODE_ITEM 9), the next block's; "
			      "logical 16801792 on img at 2121728: last key (90 INODE_ITEM 9) is not "
			      "below (90 INODE_ITEM 9), the next block's");
	forest_release(&f);
}

static void test_empty_leaf_below_the_root(void **state)
{
	struct forest f;

	make_tree(&f);

	struct tree t = forest_tree(&f, 0, 257, 2);

	forest_leaf(&f, FIRST_LEAF, 257, NULL, 0);
	assert_walk_fails(&t, "tree 257: block: logical 16793600 on img at 1064960: an empty leaf that "
			      "is not the root; logical 16793600 on img at 2113536: an empty leaf that "
			      "is not the root");
	forest_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_seek_before),
		cmocka_unit_test(test_next_and_prev),
		cmocka_unit_test(test_next_and_prev_leaf),
		cmocka_unit_test(test_seek_in_the_leaf_costs_nothing),
		cmocka_unit_test(test_empty_tree),
		cmocka_unit_test(test_cursor_that_stands_nowhere),
		cmocka_unit_test(test_failed_move),
		cmocka_unit_test(test_root_of_the_wrong_generation),
		cmocka_unit_test(test_node_that_points_to_itself),
		cmocka_unit_test(test_leaf_with_two_parents),
		cmocka_unit_test(test_leaf_that_reaches_beyond_its_parent),
		cmocka_unit_test(test_empty_leaf_below_the_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
