/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>

#include "support/forest.h"

#define LIMIT (64u << 20)

static const struct image_item items[] = {{{256, KEY_INODE_ITEM, 0}, "inode", 5}};

static struct block_expect expect(u32 n)
{
	return (struct block_expect){
		.logical = forest_logical(n),
		.generation = IMAGE_GENERATION,
		.tree = FS_TREE_OBJECTID,
	};
}

static void make_leaves(struct forest *f, u32 count)
{
	for (u32 n = 0; n < count; n++)
		forest_leaf(f, n, FS_TREE_OBJECTID, items, 1);
}

static int get(struct forest *f, u32 n, struct extent_buffer **eb)
{
	struct block_expect want = expect(n);

	return extent_buffer_get(f->cache, &want, eb);
}

/* Number of reads that getting block @n costs now. */
static unsigned reads_of(struct forest *f, u32 n)
{
	unsigned before = atomic_load(&f->device->reads);
	struct extent_buffer *eb;

	assert_ok(get(f, n, &eb));
	extent_buffer_put(eb);
	return atomic_load(&f->device->reads) - before;
}

static void test_read_once(void **state)
{
	struct extent_buffer *eb, *again;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	assert_ok(get(&f, 0, &eb));
	assert_int_equal(eb->logical, FOREST_LOGICAL);
	assert_memory_equal(leaf_data(eb, 0), "inode", 5);
	assert_ok(get(&f, 0, &again));
	assert_ptr_equal(eb, again);
	extent_buffer_put(again);
	extent_buffer_put(eb);
	assert_int_equal(reads_of(&f, 0), 0);
	assert_ptr_equal(extent_cache_volume(f.cache), f.volume);
	extent_buffer_put(NULL);
	forest_release(&f);
}

static void test_second_copy(void **state)
{
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 3);
	forest_block(&f, 0, 0)[200] ^= 1;
	assert_ok(get(&f, 0, &eb));
	assert_memory_equal(eb->data, forest_block(&f, 0, 1), IMAGE_NODE);
	extent_buffer_put(eb);

	faulty_set(f.device, FAULT_FAIL, FOREST_PHYSICAL + IMAGE_NODE, 1);
	assert_int_equal(reads_of(&f, 1), 2);
	faulty_set(f.device, FAULT_CORRUPT, FOREST_PHYSICAL + 3 * IMAGE_NODE - 1, 1);
	assert_int_equal(reads_of(&f, 2), 2);
	forest_release(&f);
}

/* A mirror that missed a write is whole in itself, but too old for the pointer. */
static void test_stale_copy(void **state)
{
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	((struct node_header *)forest_block(&f, 0, 0))->generation = le64_of(IMAGE_GENERATION - 1);
	image_seal(forest_block(&f, 0, 0));
	assert_ok(get(&f, 0, &eb));
	assert_int_equal(eb->generation, IMAGE_GENERATION);
	extent_buffer_put(eb);
	forest_release(&f);
}

static void test_both_copies_bad(void **state)
{
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	faulty_set(f.device, FAULT_FAIL, FOREST_PHYSICAL, 1);
	forest_block(&f, 0, 1)[200] ^= 1;
	assert_error(get(&f, 0, &eb), EIO,
		     "tree 5: block: logical 16777216 on img at 1048576: read of img fails on purpose; "
		     "logical 16777216 on img at 2097152: checksum mismatch");
	forest_release(&f);
}

static void test_failure_is_not_kept(void **state)
{
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	faulty_set(f.device, FAULT_FAIL, FOREST_PHYSICAL, 2 * FOREST_COPY);
	assert_int_equal(get(&f, 0, &eb), -EIO);
	faulty_set(f.device, FAULT_NONE, 0, 0);
	assert_ok(get(&f, 0, &eb));
	extent_buffer_put(eb);
	forest_release(&f);
}

static void test_no_chunk(void **state)
{
	struct block_expect want = expect(0);
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	want.logical = 4096;
	assert_error(extent_buffer_get(f.cache, &want, &eb), EIO,
		     "tree 5: block: logical 4096 lies in no chunk");
	forest_release(&f);
}

static void test_block_that_leaves_its_chunk(void **state)
{
	struct block_expect want = expect(FOREST_BLOCKS);
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	want.logical -= 512;
	assert_error(extent_buffer_get(f.cache, &want, &eb), EIO,
		     "tree 5: block: logical 17825280 on img at 2096640: logical 17825792 lies in no "
		     "chunk; logical 17825280 on img at 3145216: logical 17825792 lies in no chunk");
	forest_release(&f);
}

/* What is in the cache is checked again for each parent that asks. */
static void test_cached_block_of_another_tree(void **state)
{
	struct block_expect want = expect(0);
	struct extent_buffer *eb;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	assert_int_equal(reads_of(&f, 0), 1);
	want.tree = ROOT_TREE_OBJECTID;
	assert_error(extent_buffer_get(f.cache, &want, &eb), EIO,
		     "tree 1: block: logical 16777216: it belongs to tree 5");
	forest_release(&f);
}

static void test_two_generations_at_one_address(void **state)
{
	struct block_expect want = expect(0);
	struct extent_buffer *old, *new;
	struct forest f;

	forest_init(&f, LIMIT);
	make_leaves(&f, 1);
	((struct node_header *)forest_block(&f, 0, 0))->generation = le64_of(IMAGE_GENERATION - 1);
	image_seal(forest_block(&f, 0, 0));
	want.generation--;
	assert_ok(extent_buffer_get(f.cache, &want, &old));
	assert_ok(get(&f, 0, &new));
	assert_int_equal(old->generation, IMAGE_GENERATION - 1);
	assert_int_equal(new->generation, IMAGE_GENERATION);
	extent_buffer_put(old);
	extent_buffer_put(new);
	assert_int_equal(reads_of(&f, 0), 0);
	forest_release(&f);
}

/* Room for three blocks of 4 KiB and what goes with each. */
#define ROOM_FOR_THREE (3 * IMAGE_NODE + 1024)

static void test_least_recently_used_goes_first(void **state)
{
	struct forest f;

	forest_init(&f, ROOM_FOR_THREE);
	make_leaves(&f, 4);
	for (u32 n = 0; n < 3; n++)
		assert_int_equal(reads_of(&f, n), 1);
	assert_int_equal(reads_of(&f, 0), 0);
	assert_int_equal(reads_of(&f, 3), 1); /* in the place of 1 */
	assert_int_equal(reads_of(&f, 2), 0);
	assert_int_equal(reads_of(&f, 0), 0);
	assert_int_equal(reads_of(&f, 3), 0);
	assert_int_equal(reads_of(&f, 1), 1);
	forest_release(&f);
}

static void test_referenced_blocks_stay(void **state)
{
	struct extent_buffer *held[8];
	struct forest f;

	forest_init(&f, ROOM_FOR_THREE);
	make_leaves(&f, 9);
	for (u32 n = 0; n < 8; n++)
		assert_ok(get(&f, n, &held[n]));
	for (u32 n = 0; n < 8; n++) {
		assert_int_equal(held[n]->logical, forest_logical(n));
		assert_memory_equal(held[n]->data, forest_block(&f, n, 0), IMAGE_NODE);
	}
	extent_buffer_ref(held[0]);
	extent_buffer_put(held[0]);
	for (u32 n = 1; n < 8; n++)
		extent_buffer_put(held[n]);
	assert_int_equal(reads_of(&f, 8), 1);
	assert_int_equal(reads_of(&f, 0), 0); /* still held */
	assert_int_equal(reads_of(&f, 1), 1);
	extent_buffer_put(held[0]);
	forest_release(&f);
}

#define THREADS 4
#define ROUNDS 4000
#define LEAVES 16u

static void *reader(void *arg)
{
	struct forest *f = arg;
	u32 n = (u32)(uintptr_t)pthread_self() >> 12;

	for (int i = 0; i < ROUNDS; i++) {
		struct extent_buffer *eb, *second;

		n = n * 1664525 + 1013904223;
		if (get(f, (n >> 16) % LEAVES, &eb))
			return (void *)error_message();
		if (get(f, (n >> 20) % LEAVES, &second))
			return (void *)error_message();
		if (memcmp(eb->data, forest_block(f, (n >> 16) % LEAVES, 0), IMAGE_NODE) ||
		    memcmp(second->data, forest_block(f, (n >> 20) % LEAVES, 0), IMAGE_NODE))
			return "wrong block";
		extent_buffer_put(second);
		extent_buffer_put(eb);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	pthread_t threads[THREADS];
	struct forest f;

	forest_init(&f, ROOM_FOR_THREE);
	make_leaves(&f, LEAVES);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &f), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failure;

		pthread_join(threads[i], &failure);
		assert_null(failure);
	}
	forest_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_once),
		cmocka_unit_test(test_second_copy),
		cmocka_unit_test(test_stale_copy),
		cmocka_unit_test(test_both_copies_bad),
		cmocka_unit_test(test_failure_is_not_kept),
		cmocka_unit_test(test_no_chunk),
		cmocka_unit_test(test_block_that_leaves_its_chunk),
		cmocka_unit_test(test_cached_block_of_another_tree),
		cmocka_unit_test(test_two_generations_at_one_address),
		cmocka_unit_test(test_least_recently_used_goes_first),
		cmocka_unit_test(test_referenced_blocks_stay),
		cmocka_unit_test(test_many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
