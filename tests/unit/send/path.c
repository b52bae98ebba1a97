/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>

#include "send/path.h"

static void assert_path(const struct path *p, const char *want)
{
	assert_string_equal(p->buf, want);
	assert_int_equal(p->len, strlen(want));
}

static void test_parts(void **state)
{
	struct path p = {0}, copy = {0};

	assert_ok(path_add(&p, "usr", 3));
	assert_path(&p, "usr");
	assert_ok(path_add(&p, "library", 3));
	assert_path(&p, "usr/lib");
	assert_ok(path_copy(&copy, &p));
	path_clear(&p);
	assert_ok(path_add(&p, "x", 1));
	assert_path(&p, "x");
	assert_path(&copy, "usr/lib");
	assert_ok(path_set(&p, "ab", 1));
	assert_path(&p, "a");
	path_release(&p);
	path_release(&copy);
}

static void test_empty(void **state)
{
	struct path p = {0}, none = {0};

	/* Never used. */
	assert_true(path_equal(&p, &none));
	assert_true(path_begins(&p, &none));
	/* The top directory. */
	assert_ok(path_set(&p, NULL, 0));
	assert_path(&p, "");
	assert_true(path_equal(&p, &none));
	assert_true(path_equal(&none, &p));
	assert_ok(path_copy(&none, &p));
	assert_path(&none, "");
	path_release(&p);
	path_release(&p);
	path_release(&none);
}

/* PATH_MAX is 4096 with the NUL. */
static void test_limit(void **state)
{
	static char long_name[5000];
	struct path p = {0};

	memset(long_name, 'n', sizeof(long_name));
	assert_ok(path_set(&p, long_name, 4095));
	assert_int_equal(p.len, 4095);
	assert_int_equal(p.buf[4095], '\0');
	assert_error(path_set(&p, long_name, 4096), ENAMETOOLONG,
		     "a path of 4096 bytes is longer than the 4095 of a stream");

	/* With the slash 3839 + 1 + 255 = 4095. */
	assert_ok(path_set(&p, long_name, 3839));
	assert_ok(path_add(&p, long_name, 255));
	assert_int_equal(p.len, 4095);
	assert_int_equal(p.buf[3839], '/');
	assert_ok(path_set(&p, long_name, 3840));
	assert_error(path_add(&p, long_name, 255), ENAMETOOLONG,
		     "a path of 4096 bytes is longer than the 4095 of a stream");
	/* As it was. */
	assert_int_equal(p.len, 3840);
	assert_int_equal(p.buf[3839], 'n');
	assert_int_equal(p.buf[3840], '\0');
	path_release(&p);
}

static void test_growth(void **state)
{
	char want[4096] = "";
	struct path p = {0};
	size_t len = 0;

	/* 819 names of 4 letters with their slashes: 4094. */
	for (int i = 0; i < 819; i++) {
		assert_ok(path_add(&p, "name", 4));
		len += (size_t)snprintf(want + len, sizeof(want) - len, i ? "/name" : "name");
	}
	assert_path(&p, want);
	path_release(&p);
}

static bool begins(const char *p, const char *start)
{
	struct path a = {.buf = (char *)p, .len = (u32)strlen(p)};
	struct path b = {.buf = (char *)start, .len = (u32)strlen(start)};

	return path_begins(&a, &b);
}

static bool equal(const char *p, const char *q)
{
	struct path a = {.buf = (char *)p, .len = (u32)strlen(p)};
	struct path b = {.buf = (char *)q, .len = (u32)strlen(q)};

	return path_equal(&a, &b);
}

static void test_compare(void **state)
{
	/* What stands in the buffer behind the path is not part of it. */
	struct path cut = {.buf = (char *)"a/b/c", .len = 3}, longer = {.buf = (char *)"a/b/", .len = 4};

	assert_false(path_begins(&cut, &longer));
	assert_true(path_begins(&longer, &cut));
	assert_false(path_equal(&cut, &longer));
	assert_true(equal("a/b", "a/b"));
	assert_false(equal("a/b", "a/c"));
	assert_false(equal("a/b", "a/bb"));
	assert_false(equal("a", ""));

	assert_true(begins("a/b", "a/b"));
	assert_true(begins("a/bc", "a/b")); /* bytes, not names */
	assert_true(begins("a/b", ""));
	assert_false(begins("a/b", "a/b/"));
	assert_false(begins("a/b", "b"));
	assert_false(begins("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_compare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
