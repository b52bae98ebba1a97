/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "base/lru.h"

struct thing {
	int tag;
	struct lru_entry lru;
};

static struct thing *thing_of(struct lru_entry *e)
{
	return e ? CONTAINER_OF(e, struct thing, lru) : NULL;
}

/* The table must hold these and no others, oldest first; it is empty afterwards. */
static void assert_order(struct lru *l, const int *tags, size_t count)
{
	assert_int_equal(lru_count(l), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(thing_of(lru_oldest(l))->tag, tags[i]);
		assert_int_equal(thing_of(lru_pop(l))->tag, tags[i]);
	}
	assert_int_equal(lru_count(l), 0);
	assert_null(lru_pop(l));
}

static void store_all(struct lru *l, struct thing *t, int count)
{
	for (int i = 0; i < count; i++) {
		t[i].tag = i;
		assert_null(lru_store(l, &t[i].lru, 100 + (u64)i, 0));
	}
}

static void test_empty(void **state)
{
	struct lru l;

	assert_ok(lru_init(&l, 3));
	assert_null(lru_find(&l, 0, 0));
	assert_null(lru_oldest(&l));
	assert_null(lru_newest(&l));
	assert_null(lru_pop(&l));
	assert_int_equal(lru_count(&l), 0);
	lru_release(&l);
}

static void test_order_is_that_of_storing(void **state)
{
	struct thing t[4];
	struct lru l;

	assert_ok(lru_init(&l, 0));
	store_all(&l, t, 4);
	assert_ptr_equal(thing_of(lru_oldest(&l)), &t[0]);
	assert_ptr_equal(thing_of(lru_newest(&l)), &t[3]);
	assert_int_equal(lru_key(&t[2].lru), 102);
	assert_order(&l, (int[]){0, 1, 2, 3}, 4);
	lru_release(&l);
}

static void test_finding_makes_newest(void **state)
{
	struct thing t[4];
	struct lru l;

	assert_ok(lru_init(&l, 0));
	store_all(&l, t, 4);
	assert_ptr_equal(thing_of(lru_find(&l, 101, 0)), &t[1]);
	assert_ptr_equal(thing_of(lru_newest(&l)), &t[1]);
	assert_ptr_equal(thing_of(lru_find(&l, 100, 0)), &t[0]);
	assert_ptr_equal(thing_of(lru_oldest(&l)), &t[2]);
	/* What is not there, or is looked at without being looked for, moves nothing. */
	assert_null(lru_find(&l, 104, 0));
	assert_null(lru_find(&l, 102, 1));
	assert_order(&l, (int[]){2, 3, 1, 0}, 4);
	lru_release(&l);
}

static void test_generations(void **state)
{
	struct thing t[3] = {{.tag = 0}, {.tag = 1}, {.tag = 2}};
	struct lru l;

	/* One key, three generations: three entries. */
	assert_ok(lru_init(&l, 0));
	for (u64 i = 0; i < 3; i++)
		assert_null(lru_store(&l, &t[i].lru, 7, 10 * i));
	for (u64 i = 0; i < 3; i++)
		assert_ptr_equal(thing_of(lru_find(&l, 7, 10 * i)), &t[i]);
	assert_null(lru_find(&l, 7, 5));
	lru_remove(&l, &t[1].lru);
	assert_null(lru_find(&l, 7, 10));
	assert_ptr_equal(thing_of(lru_find(&l, 7, 20)), &t[2]);
	assert_ptr_equal(thing_of(lru_find(&l, 7, 0)), &t[0]);
	assert_order(&l, (int[]){2, 0}, 2);
	lru_release(&l);
}

static void test_bound(void **state)
{
	struct thing t[5];
	struct lru l;

	assert_ok(lru_init(&l, 3));
	store_all(&l, t, 3);
	assert_non_null(lru_find(&l, 100, 0));
	t[3].tag = 3;
	t[4].tag = 4;
	/* The least recently used one goes, not the first that came. */
	assert_ptr_equal(thing_of(lru_store(&l, &t[3].lru, 103, 0)), &t[1]);
	assert_null(lru_find(&l, 101, 0));
	assert_int_equal(lru_count(&l), 3);
	assert_ptr_equal(thing_of(lru_store(&l, &t[4].lru, 104, 0)), &t[2]);
	/* What went may come back. */
	assert_ptr_equal(thing_of(lru_store(&l, &t[1].lru, 101, 0)), &t[0]);
	assert_order(&l, (int[]){3, 4, 1}, 3);
	lru_release(&l);
}

static void test_bound_of_one(void **state)
{
	struct thing t[2] = {{.tag = 0}, {.tag = 1}};
	struct lru l;

	assert_ok(lru_init(&l, 1));
	assert_null(lru_store(&l, &t[0].lru, 1, 0));
	assert_ptr_equal(thing_of(lru_store(&l, &t[1].lru, 1, 1)), &t[0]);
	assert_null(lru_find(&l, 1, 0));
	assert_ptr_equal(lru_oldest(&l), lru_newest(&l));
	assert_order(&l, (int[]){1}, 1);
	lru_release(&l);
}

/* More than the table's first buckets, in an order of use that is not that of storing. */
static void test_many(void **state)
{
	enum { COUNT = 5000 };
	static struct thing t[COUNT];
	struct lru l;

	assert_ok(lru_init(&l, 0));
	store_all(&l, t, COUNT);
	for (int i = 1; i < COUNT; i += 2)
		assert_ptr_equal(thing_of(lru_find(&l, 100 + (u64)i, 0)), &t[i]);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(thing_of(lru_pop(&l)), &t[i < COUNT / 2 ? 2 * i : 2 * (i - COUNT / 2) + 1]);
	assert_null(lru_oldest(&l));
	lru_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_order_is_that_of_storing),
		cmocka_unit_test(test_finding_makes_newest),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_bound_of_one),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
