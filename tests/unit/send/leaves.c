/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "send/leaves.h"

#define CACHED_MAX 128
#define IDLE_MAX 65536

/* In use once, with one root. */
static struct leaf *leaf_of(struct leaves *l, u64 address)
{
	static const u64 root = 256;
	struct leaf *leaf = leaves_get(l, address);

	if (!leaf->roots)
		assert_ok(leaves_set_roots(l, leaf, &root, 1));
	return leaf;
}

static void test_found_again(void **state)
{
	struct leaf *leaf, *other;
	struct leaves l;

	assert_ok(leaves_init(&l));
	leaf = leaf_of(&l, 4096);
	other = leaf_of(&l, 8192);
	assert_int_equal(leaf_address(leaf), 4096);
	assert_ptr_equal(leaves_get(&l, 4096), leaf);
	assert_ptr_not_equal(other, leaf);
	leaves_put(&l, leaf);
	leaves_put(&l, leaf);
	leaves_put(&l, other);
	leaves_release(&l);
}

/* Its roots are still known when it is asked for again; what is not in use is not counted. */
static void test_idle_leaf_keeps_its_roots(void **state)
{
	struct leaves l;
	struct leaf *leaf;
	size_t bytes;

	assert_ok(leaves_init(&l));
	leaf = leaf_of(&l, 4096);
	bytes = l.bytes;
	assert_true(bytes >= sizeof(struct leaf) + sizeof(struct root_list) + sizeof(u64));
	leaves_put(&l, leaf);
	assert_int_equal(l.bytes, 0);
	assert_int_equal(l.idle_count, 1);
	leaf = leaves_get(&l, 4096);
	assert_int_equal(l.idle_count, 0);
	assert_non_null(leaf->roots);
	assert_int_equal(leaf->roots->id[0], 256);
	assert_int_equal(l.bytes, bytes);
	leaves_put(&l, leaf);
	leaves_release(&l);
}

static void test_leaf_without_roots_goes(void **state)
{
	struct leaves l;

	assert_ok(leaves_init(&l));
	leaves_put(&l, leaves_get(&l, 4096));
	assert_int_equal(l.all.count, 0);
	assert_int_equal(l.bytes, 0);
	leaves_release(&l);
}

static void test_so_many_idle_leaves_and_no_more(void **state)
{
	struct leaves l;
	struct leaf *leaf;

	assert_ok(leaves_init(&l));
	for (u64 i = 0; i <= IDLE_MAX; i++)
		leaves_put(&l, leaf_of(&l, i));
	assert_int_equal(l.all.count, IDLE_MAX);
	leaf = leaves_get(&l, 1);
	assert_non_null(leaf->roots);
	leaves_put(&l, leaf);
	leaf = leaves_get(&l, 0);
	assert_null(leaf->roots);
	leaves_put(&l, leaf);
	leaves_release(&l);
}

/* The 129th makes room for itself with the one that was used least recently. */
static void test_the_kernels_cache(void **state)
{
	struct leaf *leaf[CACHED_MAX + 2];
	struct leaves l;

	assert_ok(leaves_init(&l));
	for (u64 i = 0; i < CACHED_MAX + 2; i++) {
		leaf[i] = leaf_of(&l, i);
		if (i == CACHED_MAX)
			leaves_touch(&l, leaf[0]);
		assert_false(leaf[i]->cached);
		leaves_store(&l, leaf[i]);
		assert_true(leaf[i]->cached);
	}
	for (u64 i = 0; i < CACHED_MAX + 2; i++) {
		assert_int_equal(leaf[i]->cached, i != 1 && i != 2);
		leaves_put(&l, leaf[i]);
	}
	/* The cache has the others still. */
	assert_int_equal(l.idle_count, 2);
	assert_int_equal(l.cached_count, CACHED_MAX);
	leaves_release(&l);
}

static void test_leaf_of_many_subvolumes_is_not_stored(void **state)
{
	struct leaves l;
	u64 roots[18] = {0};
	struct leaf *a, *b;

	assert_ok(leaves_init(&l));
	a = leaves_get(&l, 4096);
	b = leaves_get(&l, 8192);
	assert_ok(leaves_set_roots(&l, a, roots, 17));
	assert_ok(leaves_set_roots(&l, b, roots, 18));
	leaves_store(&l, a);
	leaves_store(&l, b);
	assert_true(a->cached);
	assert_false(b->cached);
	leaves_put(&l, a);
	leaves_put(&l, b);
	leaves_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_idle_leaf_keeps_its_roots),
		cmocka_unit_test(test_leaf_without_roots_goes),
		cmocka_unit_test(test_so_many_idle_leaves_and_no_more),
		cmocka_unit_test(test_the_kernels_cache),
		cmocka_unit_test(test_leaf_of_many_subvolumes_is_not_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
