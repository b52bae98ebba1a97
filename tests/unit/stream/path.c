/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "stream/path.h"

static struct tree_path p;

static int set(const char *text)
{
	return tree_path_set(&p, (struct stream_bytes){text, (u32)strlen(text)});
}

static void test_the_root(void **state)
{
	assert_ok(set(""));
	assert_int_equal(p.len, 0);
	assert_string_equal(tree_path_name(&p), ".");
}

static void test_a_name_in_the_root(void **state)
{
	assert_ok(set("o257-7-0"));
	assert_int_equal(p.parent_len, 0);
	assert_string_equal(tree_path_name(&p), "o257-7-0");
}

static void test_a_path(void **state)
{
	assert_ok(set("a/.b/..c/d.."));
	assert_int_equal(p.parent_len, 8);
	assert_string_equal(tree_path_name(&p), "d..");
	assert_string_equal(p.text, "a/.b/..c/d..");
}

static void test_paths_that_leave_the_tree(void **state)
{
	assert_error(set("/etc/passwd"), EINVAL, "path '/etc/passwd' is absolute");
	assert_error(set("/"), EINVAL, "path '/' is absolute");
	assert_error(set(".."), EINVAL, "path '..' has a component '..'");
	assert_error(set("../a"), EINVAL, "path '../a' has a component '..'");
	assert_error(set("a/.."), EINVAL, "path 'a/..' has a component '..'");
	assert_error(set("a/../b"), EINVAL, "path 'a/../b' has a component '..'");
	assert_error(set("."), EINVAL, "path '.' has a component '.'");
	assert_error(set("a/./b"), EINVAL, "path 'a/./b' has a component '.'");
	assert_error(set("a//b"), EINVAL, "path 'a//b' has an empty component");
	assert_error(set("a/"), EINVAL, "path 'a/' has an empty component");
	assert_error(set("//a"), EINVAL, "path '//a' is absolute");
}

static void test_what_a_sentence_shows_is_escaped(void **state)
{
	assert_error(set("../\n\033]0;\377"), EINVAL, "path '../\\n\\e]0;\\377' has a component '..'");
}

static void test_the_longest_path(void **state)
{
	static char text[TREE_PATH_MAX + 2];

	for (size_t i = 0; i < TREE_PATH_MAX; i++)
		text[i] = i % 200 == 199 ? '/' : 'x';
	assert_ok(set(text));
	assert_int_equal(strlen(p.text), TREE_PATH_MAX);
	text[TREE_PATH_MAX] = 'x';
	assert_error(set(text), EINVAL, "path of 4097 bytes is longer than 4096");
}

static void test_the_longest_component(void **state)
{
	char text[2 + 257 + 3] = "a/";

	memset(text + 2, 'x', 255);
	assert_ok(set(text));
	text[257] = '/';
	text[258] = 'b';
	assert_ok(set(text));
	text[257] = 'x';
	text[258] = '\0';
	assert_error(set(text), EINVAL, "a path has a component of 256 bytes, longer than 255");
	text[258] = '/';
	text[259] = 'b';
	assert_error(set(text), EINVAL, "a path has a component of 256 bytes, longer than 255");
}

static void test_covers(void **state)
{
	assert_ok(set("a/b"));
	assert_true(tree_path_covers(&p, "a/b", 3));
	assert_true(tree_path_covers(&p, "a/b/c", 5));
	assert_false(tree_path_covers(&p, "a/bc", 4));
	assert_false(tree_path_covers(&p, "a", 1));
	assert_ok(set(""));
	assert_true(tree_path_covers(&p, "a", 1));
	assert_true(tree_path_covers(&p, "", 0));
}

static int name(const char *text)
{
	return subvolume_name_set(&p, (struct stream_bytes){text, (u32)strlen(text)});
}

static void test_names_of_subvolumes(void **state)
{
	char longest[256] = "", too_long[257] = "";

	memset(longest, 'n', 255);
	memset(too_long, 'n', 256);
	assert_ok(name("snap"));
	assert_ok(name(longest));
	assert_error(name(too_long), ENAMETOOLONG, "the subvolume's name of 256 bytes is longer than 255");
	assert_error(name(""), EINVAL, "the subvolume has no name");
	assert_error(name("a/b"), EINVAL, "path 'a/b' is no name of a subvolume: it has several components");
	assert_error(name(".."), EINVAL, "path '..' has a component '..'");
	assert_error(name("/a"), EINVAL, "path '/a' is absolute");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_root),
		cmocka_unit_test(test_a_name_in_the_root),
		cmocka_unit_test(test_a_path),
		cmocka_unit_test(test_paths_that_leave_the_tree),
		cmocka_unit_test(test_what_a_sentence_shows_is_escaped),
		cmocka_unit_test(test_the_longest_path),
		cmocka_unit_test(test_the_longest_component),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_names_of_subvolumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
