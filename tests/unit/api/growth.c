/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A struct in three versions, and a library of the second one: who may call it with which, and what it gets. */
#include "support/test.h"

#include "api/growth.h"
#include "base/types.h"

struct first {
	size_t struct_size;
	u32 a, b;
};

struct known {
	size_t struct_size;
	u32 a, b;
	u64 c;
};

struct newer {
	size_t struct_size;
	u32 a, b;
	u64 c;
	u64 d, e;
};

#define TAKE(own, given)                                                                           \
	growth_take(own, given, sizeof(struct first), sizeof(struct known), "struct known")

/* Stands in front of what must not be read or written. */
struct fenced {
	struct first first;
	u64 fence;
};

static void test_an_equal_caller(void **state)
{
	const struct known given = {sizeof(given), 1, 2, 3};
	struct known own;

	assert_ok(TAKE(&own, &given));
	assert_memory_equal(&own, &given, sizeof(own));
}

static void test_what_an_older_caller_lacks_is_zero(void **state)
{
	const struct fenced given = {{sizeof(struct first), 1, 2}, ~0ull};
	struct known own;

	memset(&own, 0xaa, sizeof(own));
	assert_ok(TAKE(&own, &given));
	assert_true(own.a == 1 && own.b == 2 && own.c == 0);
}

static void test_a_member_that_is_cut_is_zero_behind_the_cut(void **state)
{
	const struct known given = {sizeof(struct first) + 1, 1, 2, 0x0102030405060708};
	struct known own;

	assert_ok(TAKE(&own, &given));
	assert_int_equal(((const u8 *)&own.c)[0], ((const u8 *)&given.c)[0]);
	assert_int_equal(((const u8 *)&own.c)[1], 0);
}

static void test_a_newer_caller_that_asks_for_nothing_new(void **state)
{
	const struct newer given = {sizeof(given), 1, 2, 3, 0, 0};
	struct {
		struct known own;
		u64 fence;
	} taken = {.fence = 42};

	assert_ok(TAKE(&taken.own, &given));
	assert_true(taken.own.a == 1 && taken.own.b == 2 && taken.own.c == 3);
	assert_int_equal(taken.fence, 42);
}

static void test_a_newer_caller_that_asks_for_something_new(void **state)
{
	struct newer given = {sizeof(given), 1, 2, 3, 0, 1};
	struct known own = {.a = 77};

	_Static_assert(offsetof(struct newer, d) == 24 && offsetof(struct newer, e) == 32, "bytes below");
	((u8 *)&given.e)[0] = 0;
	((u8 *)&given.e)[7] = 1; /* the last byte of all */
	assert_error(TAKE(&own, &given), E2BIG,
		     "byte 39 of struct known is set, and this version of the library knows 24");
	((u8 *)&given.d)[0] = 1; /* the first that is not known */
	assert_error(TAKE(&own, &given), E2BIG,
		     "byte 24 of struct known is set, and this version of the library knows 24");
	assert_int_equal(own.a, 77);
}

static void test_sizes_that_no_version_has(void **state)
{
	struct first given = {0};
	struct known own;

	assert_error(TAKE(&own, &given), EINVAL,
		     "struct_size of struct known is 0: start with its initializer");
	given.struct_size = sizeof(given) - 1;
	assert_error(TAKE(&own, &given), EINVAL,
		     "struct_size of struct known is 15: start with its initializer");
	given.struct_size = SIZE_MAX;
	assert_int_equal(TAKE(&own, &given), -E2BIG);
}

static void test_a_result_ends_where_its_caller_does(void **state)
{
	const struct known own = {0, 1, 2, 3};
	struct fenced older = {{.struct_size = sizeof(struct first)}, 42};
	struct newer newer = {.struct_size = sizeof(newer)};
	struct known equal = {.struct_size = sizeof(equal)};

	growth_give(&older, &own, sizeof(own));
	assert_true(older.first.struct_size == sizeof(struct first) && older.first.a == 1 &&
		    older.first.b == 2 && older.fence == 42);
	growth_give(&equal, &own, sizeof(own));
	assert_true(equal.struct_size == sizeof(equal) && equal.a == 1 && equal.c == 3);
	growth_give(&newer, &own, sizeof(own));
	assert_true(newer.struct_size == sizeof(newer) && newer.c == 3 && !newer.d && !newer.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_equal_caller),
		cmocka_unit_test(test_what_an_older_caller_lacks_is_zero),
		cmocka_unit_test(test_a_member_that_is_cut_is_zero_behind_the_cut),
		cmocka_unit_test(test_a_newer_caller_that_asks_for_nothing_new),
		cmocka_unit_test(test_a_newer_caller_that_asks_for_something_new),
		cmocka_unit_test(test_sizes_that_no_version_has),
		cmocka_unit_test(test_a_result_ends_where_its_caller_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
