/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "base/pool.h"

/* 1000 bytes become 1024, and 2047 of them fit a slab beside its first word. */
#define PIECES 5000

static void test_pieces_do_not_overlap(void **state)
{
	static u8 *piece[PIECES];
	struct pool p;

	pool_init(&p, 1000);
	assert_int_equal(p.size, 1024);
	for (int i = 0; i < PIECES; i++) {
		piece[i] = pool_get(&p);
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % POOL_ALIGN, 0);
		memset(piece[i], i & 0xff, p.size);
	}
	for (int i = 0; i < PIECES; i++) {
		assert_int_equal(piece[i][0], i & 0xff);
		assert_int_equal(piece[i][p.size - 1], i & 0xff);
	}
	pool_release(&p);
}

static void test_pieces_are_used_again(void **state)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, 4096);
	a = pool_get(&p);
	b = pool_get(&p);
	assert_ptr_not_equal(a, b);
	pool_put(&p, a);
	pool_put(&p, b);
	assert_ptr_equal(pool_get(&p), b);
	assert_ptr_equal(pool_get(&p), a);
	pool_put(&p, a);
	pool_release(&p);
}

static void test_empty_pool(void **state)
{
	struct pool p;

	pool_init(&p, 64);
	pool_release(&p);
	pool_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_pieces_are_used_again),
		cmocka_unit_test(test_empty_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
