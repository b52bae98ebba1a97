/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "base/huge.h"

static void test_new_each_time(void **state)
{
	u8 *a = huge_page_map(), *b = huge_page_map();

	if (!a || !b) {
		if (a)
			huge_page_unmap(a);
		if (b)
			huge_page_unmap(b);
		print_message("this system has no huge pages to give\n");
		skip();
	}
	assert_ptr_not_equal(a, b);
	assert_int_equal((uintptr_t)a % HUGE_PAGE, 0);
	for (size_t i = 0; i < HUGE_PAGE; i++)
		assert_int_equal(a[i], 0);
	memset(a, 1, HUGE_PAGE);
	huge_page_unmap(a);
	a = huge_page_map();
	if (a) {
		assert_int_equal(a[HUGE_PAGE / 2], 0);
		huge_page_unmap(a);
	}
	huge_page_unmap(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
