/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "base/arena.h"

static void test_pieces_are_zero_aligned_and_apart(void **state)
{
	static const size_t sizes[] = {1, 7, 16, 17, 100, 4000, 16384, 16385, 65536, 200000, 0};
	struct arena a = {0};
	u8 *pieces[40 * ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)];

		pieces[i] = arena_alloc(&a, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		for (size_t k = 0; k < sizes[i % ARRAY_SIZE(sizes)]; k++)
			assert_int_equal(pieces[i][k], (u8)(i + 1));
	arena_release(&a);
	assert_null(a.blocks);
	arena_release(&a);
}

static void test_too_much_is_an_error(void **state)
{
	struct arena a = {0};

	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_string_equal(error_message(), "out of memory asking for 18446744073709551615 bytes");
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_zero_aligned_and_apart),
		cmocka_unit_test(test_too_much_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
