/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "support/forest.h"
#include "tree/chunk_tree.h"

#define LIMIT (1u << 20)
#define MIB (1ull << 20)

/* Load a chunk tree of one leaf. */
static int load(struct forest *f, const struct image_item *items, u32 count)
{
	struct tree t = forest_tree(f, 0, CHUNK_TREE_OBJECTID, 0);

	forest_leaf(f, 0, CHUNK_TREE_OBJECTID, items, count);
	return chunk_tree_load(&t);
}

static struct image_item device_item(const struct dev_item *item)
{
	return (struct image_item){
		{DEV_ITEMS_OBJECTID, KEY_DEV_ITEM, le64_get(item->devid)}, item, sizeof(*item)};
}

static struct image_item chunk_item(u64 logical, const void *item, size_t size)
{
	return (struct image_item){
		{FIRST_CHUNK_TREE_OBJECTID, KEY_CHUNK_ITEM, logical}, item, (u32)size};
}

static void test_load(void **state)
{
	static const u64 where[][2] = {{1, MIB}, {2, 5 * MIB}};
	struct dev_item one, two = image_dev_item(2, 10 * MIB);
	u8 raid1[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(MIB, BLOCK_GROUP_DATA | BLOCK_GROUP_RAID1, 2, where, raid1);
	struct mapping m;
	struct forest f;

	forest_init(&f, LIMIT);
	one = f.im.super.dev_item;

	const struct image_item items[] = {
		device_item(&one),
		device_item(&two),
		chunk_item(64 * MIB, raid1, size),
		chunk_item(65 * MIB, raid1, size),
	};

	assert_ok(load(&f, items, 4));
	assert_int_equal(volume_device_count(f.volume), 2);
	assert_int_equal(volume_missing_count(f.volume), 1);
	assert_ok(volume_map(f.volume, 65 * MIB + 4096, &m));
	assert_int_equal(m.copies, 2);
	assert_int_equal(m.copy[0].physical, MIB + 4096);
	assert_null(m.copy[1].device);
	assert_int_equal(m.copy[1].physical, 5 * MIB + 4096);
	forest_release(&f);
}

static void test_system_chunk_that_differs_from_the_array(void **state)
{
	static const u64 where[][2] = {{1, FOREST_PHYSICAL}};
	u8 single[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(MIB, BLOCK_GROUP_SYSTEM, 1, where, single);
	struct forest f;

	forest_init(&f, LIMIT);

	struct image_item item = chunk_item(FOREST_LOGICAL, single, size);

	assert_error(load(&f, &item, 1), EIO,
		     "chunk tree: chunk at logical 16777216 overlaps the one at 16777216");
	forest_release(&f);
}

static void test_bad_chunk(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);

	struct image_item item = chunk_item(64 * MIB, "short", 5);

	assert_error(load(&f, &item, 1), EIO, "chunk tree: chunk at logical 67108864: only 5 bytes");
	forest_release(&f);
}

static void test_bad_device(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);

	struct image_item item = {{DEV_ITEMS_OBJECTID, KEY_DEV_ITEM, 1}, "short", 5};

	assert_error(load(&f, &item, 1), EIO,
		     "chunk tree: device item has 5 bytes instead of 98");
	forest_release(&f);
}

static void test_device_that_was_removed(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	assert_error(load(&f, NULL, 0), EINVAL,
		     "chunk tree: img (device 1) is no longer part of its filesystem");
	forest_release(&f);
}

static void test_unreadable(void **state)
{
	struct forest f;
	struct tree t;

	forest_init(&f, LIMIT);
	t = forest_tree(&f, 0, CHUNK_TREE_OBJECTID, 0);
	assert_error(chunk_tree_load(&t), EIO,
		     "chunk tree: tree 3: block: logical 16777216 on img at 1048576: checksum "
		     "mismatch; logical 16777216 on img at 2097152: checksum mismatch");
	forest_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_system_chunk_that_differs_from_the_array),
		cmocka_unit_test(test_bad_chunk),
		cmocka_unit_test(test_bad_device),
		cmocka_unit_test(test_device_that_was_removed),
		cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
