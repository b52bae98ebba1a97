/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <string.h>

#include "base/escape.h"

static void expect(const char *text, size_t len, const char *want)
{
	char out[200];

	assert_int_equal(escape_text(out, sizeof(out), text, len), strlen(want));
	assert_string_equal(out, want);
}

static void test_plain_text_stays(void **state)
{
	expect("usr/lib/x.so-1_2+3~\"'*$", 23, "usr/lib/x.so-1_2+3~\"'*$");
	expect("", 0, "");
}

static void test_white_space_and_backslash(void **state)
{
	expect("\a\b\033\f\n\r\t\v \\", 10, "\\a\\b\\e\\f\\n\\r\\t\\v\\ \\\\");
}

static void test_other_bytes_are_octal(void **state)
{
	expect("\0\1\177\200\377\303\244", 7, "\\000\\001\\177\\200\\377\\303\\244");
}

static void test_what_does_not_fit_is_left_out_whole(void **state)
{
	char out[10];

	assert_int_equal(escape_text(out, sizeof(out), "\1\2\3", 3), 8);
	assert_string_equal(out, "\\001\\002");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays),
		cmocka_unit_test(test_white_space_and_backslash),
		cmocka_unit_test(test_other_bytes_are_octal),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
