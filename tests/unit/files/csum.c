/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A csum tree of two leaves made by hand; the sum of sector n is n. */
#include "support/test.h"

#include "files/csum.h"
#include "support/forest.h"

#define SECTOR ((u64)IMAGE_SECTOR)

struct world {
	struct forest f;
	struct filesystem fs;
	struct csum_finder finder;
	u8 sums[100 * 4];
};

static struct image_item sums_of(struct world *w, u64 sector, u32 count)
{
	return (struct image_item){key_of(EXTENT_CSUM_OBJECTID, KEY_EXTENT_CSUM, sector * SECTOR),
				   w->sums + sector * 4, count * 4};
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .csum_tree = forest_tree(&w.f, 0, CSUM_TREE_OBJECTID, 1)};
	for (u32 i = 0; i < 100; i++)
		put_le32(w.sums + 4 * i, i);

	/* 10 to 14, 15 to 17 right behind, a gap, 20, and in the next leaf 21 to 29. */
	struct image_item left[] = {sums_of(&w, 10, 5), sums_of(&w, 15, 3), sums_of(&w, 20, 1)};
	struct image_item right[] = {sums_of(&w, 21, 9)};
	struct image_pointer leaves[] = {{left[0].key, forest_logical(1), IMAGE_GENERATION},
					 {right[0].key, forest_logical(2), IMAGE_GENERATION}};

	forest_leaf(&w.f, 1, CSUM_TREE_OBJECTID, left, ARRAY_SIZE(left));
	forest_leaf(&w.f, 2, CSUM_TREE_OBJECTID, right, ARRAY_SIZE(right));
	forest_node(&w.f, 0, CSUM_TREE_OBJECTID, 1, leaves, 2);
	csum_finder_init(&w.finder, &w.fs);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	csum_finder_release(&w->finder);
	forest_release(&w->f);
	return 0;
}

static void assert_found(struct world *w, u32 sector, u64 want_count)
{
	const u8 *sums;
	u64 count;

	assert_ok(csum_find(&w->finder, sector * SECTOR, &sums, &count));
	assert_int_equal(count, want_count);
	for (u32 i = 0; i < count; i++)
		assert_int_equal(get_le32(sums + 4 * i), sector + i);
}

static void assert_none(struct world *w, u32 sector)
{
	const u8 *sums;
	u64 count;

	assert_int_equal(csum_find(&w->finder, sector * SECTOR, &sums, &count), -EIO);
	assert_non_null(strstr(error_message(), ": no checksum in the csum tree"));
}

static void test_in_order(void **state)
{
	assert_found(*state, 10, 5);
	assert_found(*state, 12, 3);
	assert_found(*state, 15, 3);
	assert_none(*state, 18);
	assert_none(*state, 19);
	assert_found(*state, 20, 1);
	assert_found(*state, 21, 9);
	assert_none(*state, 30);
}

static void test_in_any_order(void **state)
{
	static const struct {
		u32 sector;
		u64 count; /* 0: none */
	} places[] = {{9, 0}, {10, 5}, {14, 1}, {15, 3}, {17, 1}, {18, 0}, {20, 1}, {21, 9}, {29, 1}, {30, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			const size_t both[] = {i, k};

			for (size_t n = 0; n < 2; n++)
				if (places[both[n]].count)
					assert_found(*state, places[both[n]].sector, places[both[n]].count);
				else
					assert_none(*state, places[both[n]].sector);
		}
}

static void test_damaged_items(void **state)
{
	struct world *w = *state;
	struct image_item bad[] = {sums_of(w, 10, 5), sums_of(w, 15, 3)};
	const u8 *sums;
	u64 count;

	bad[0].size--;
	bad[1].key.offset++;
	forest_leaf(&w->f, 1, CSUM_TREE_OBJECTID, bad, 2);
	assert_error(csum_find(&w->finder, 11 * SECTOR, &sums, &count), EIO,
		     "checksum of data at logical 45056: csum tree: damaged item"
		     " (18446744073709551606 EXTENT_CSUM 40960) of 19 bytes");
	assert_error(csum_find(&w->finder, 16 * SECTOR, &sums, &count), EIO,
		     "checksum of data at logical 65536: csum tree: damaged item"
		     " (18446744073709551606 EXTENT_CSUM 61441) of 12 bytes");
	assert_found(w, 22, 8);
}

static void test_items_past_the_end_of_addresses(void **state)
{
	struct world *w = *state;
	struct image_item bad = {key_of(EXTENT_CSUM_OBJECTID, KEY_EXTENT_CSUM, -SECTOR), w->sums, 8};
	const u8 *sums;
	u64 count;

	forest_leaf(&w->f, 3, CSUM_TREE_OBJECTID, &bad, 1);
	w->fs.csum_tree = forest_tree(&w->f, 3, CSUM_TREE_OBJECTID, 0);
	assert_int_equal(csum_find(&w->finder, -SECTOR, &sums, &count), -EIO);
	assert_non_null(strstr(error_message(), "damaged item"));
}

static void test_no_csum_tree(void **state)
{
	struct world *w = *state;
	const u8 *sums;
	u64 count;

	w->fs.csum_tree.logical = 0;
	assert_error(csum_find(&w->finder, 40960, &sums, &count), EIO,
		     "data at logical 40960: the filesystem has no csum tree");
}

static void test_damaged_tree(void **state)
{
	struct world *w = *state;
	const u8 *sums;
	u64 count;

	assert_found(w, 20, 1);
	faulty_set(w->f.device, FAULT_FAIL, 0, (u64)-1);
	/* Neither the next item nor a search can be had, and what was there before is not taken for it. */
	assert_int_equal(csum_find(&w->finder, 21 * SECTOR, &sums, &count), -EIO);
	assert_int_equal(csum_find(&w->finder, 21 * SECTOR, &sums, &count), -EIO);
	faulty_set(w->f.device, FAULT_NONE, 0, 0);
	assert_found(w, 21, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_items_past_the_end_of_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_csum_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_tree, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
