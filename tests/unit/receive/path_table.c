/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "receive/path_table.h"

static struct path_table t;

static struct tree_path path(const char *text)
{
	struct tree_path p;

	assert_ok(tree_path_set(&p, (struct stream_bytes){text, (u32)strlen(text)}));
	return p;
}

static void put_path(const char *text, u64 value)
{
	assert_ok(path_table_put(&t, text, strlen(text), value));
}

/* The value at @text, 0 if it is not there. */
static u64 at(const char *text)
{
	struct tree_path p = path(text);
	struct path_entry *e = path_table_find(&t, &p);

	return e ? e->value : 0;
}

static void rename_path(const char *from, const char *to)
{
	struct tree_path a = path(from), b = path(to);

	assert_ok(path_table_rename(&t, &a, &b));
}

static int teardown(void **state)
{
	path_table_release(&t);
	t = (struct path_table){0};
	return 0;
}

static void test_empty_table(void **state)
{
	struct tree_path p = path("a");

	assert_true(path_table_empty(&t));
	assert_null(path_table_find(&t, &p));
	assert_null(path_table_next(&t, NULL));
	path_table_remove(&t, &p);
	rename_path("a", "b");
}

static void test_put_twice_changes_the_value(void **state)
{
	put_path("a/b", 1);
	put_path("a/b", 2);
	assert_int_equal(at("a/b"), 2);
	assert_int_equal(t.map.count, 1);
}

static void test_rename_of_the_path_itself(void **state)
{
	put_path("a", 1);
	rename_path("a", "b/c");
	assert_int_equal(at("a"), 0);
	assert_int_equal(at("b/c"), 1);
}

static void test_rename_of_a_directory_above(void **state)
{
	put_path("a/x/1", 1);
	put_path("a/x/2", 2);
	put_path("a/xy", 3);
	rename_path("a/x", "b");
	assert_int_equal(at("b/1"), 1);
	assert_int_equal(at("b/2"), 2);
	assert_int_equal(at("a/xy"), 3);
	rename_path("b", "a/xx");
	assert_int_equal(at("a/xx/2"), 2);
}

static void test_rename_over_a_path(void **state)
{
	put_path("a", 1);
	put_path("b", 2);
	rename_path("a", "b");
	assert_int_equal(at("b"), 1);
	assert_int_equal(t.map.count, 1);
	rename_path("unknown", "b");
	assert_true(path_table_empty(&t));
}

static void test_rename_to_itself_and_into_itself(void **state)
{
	put_path("a/b", 1);
	rename_path("a", "a");
	assert_int_equal(at("a/b"), 1);
	rename_path("a", "a/c");
	assert_int_equal(at("a/b"), 1);
}

static void test_remove_takes_what_lies_beneath(void **state)
{
	put_path("a/b", 1);
	put_path("a/c/d", 2);
	put_path("ab", 3);

	struct tree_path p = path("a");

	path_table_remove(&t, &p);
	assert_int_equal(t.map.count, 1);
	assert_int_equal(at("ab"), 3);
}

/* A path too long to be named by any command is dropped, not cut. */
static void test_rename_to_a_path_that_is_too_long(void **state)
{
	static char parent[4090];

	memset(parent, 'p', sizeof(parent) - 1);
	for (size_t i = 200; i < sizeof(parent) - 1; i += 200)
		parent[i] = '/';
	put_path("a/b", 1);
	put_path("a/long-name", 2);
	rename_path("a", parent);
	assert_int_equal(t.map.count, 1);
	rename_path(parent, "a");
	assert_int_equal(at("a/b"), 1);
	assert_int_equal(at("a/long-name"), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty_table),
		TEST(test_put_twice_changes_the_value),
		TEST(test_rename_of_the_path_itself),
		TEST(test_rename_of_a_directory_above),
		TEST(test_rename_over_a_path),
		TEST(test_rename_to_itself_and_into_itself),
		TEST(test_remove_takes_what_lies_beneath),
		TEST(test_rename_to_a_path_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
