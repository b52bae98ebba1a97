/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>

#include "compare/paths.h"

struct fixture {
	struct arena arena;
	struct paths paths;
	struct buffer text;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	assert_ok(paths_init(&f.paths, &f.arena));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	paths_release(&f->paths);
	arena_release(&f->arena);
	buffer_release(&f->text);
	return 0;
}

static struct path_node *add(struct fixture *f, const char *path)
{
	struct path_node *n = f->paths.top;

	for (size_t len; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		assert_ok(paths_child(&f->paths, n, path, len, &n));
	}
	return n;
}

static void test_equal_paths_are_one_node(void **state)
{
	struct fixture *f = *state;
	struct path_node *n = add(f, "a/b");

	assert_ptr_equal(add(f, "a/b"), n);
	assert_ptr_equal(n->parent, add(f, "a"));
	assert_ptr_not_equal(add(f, "b"), n);
	assert_ptr_not_equal(add(f, "c/b"), n);
	assert_ptr_not_equal(add(f, "a/bb"), n);
}

static void test_text(void **state)
{
	static const char *const paths[] = {"a", "a/b", "long name/with \377 bytes/x"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_ok(path_text(add(f, paths[i]), &f->text));
		assert_string_equal(f->text.data, paths[i]);
		assert_int_equal(f->text.len, strlen(paths[i]));
	}
	assert_ok(path_text(f->paths.top, &f->text));
	assert_string_equal(f->text.data, ".");
	assert_int_equal(f->text.len, 1);
}

/* By the parts of the path: "a-b" comes behind all that is in "a", although '-' comes before '/'. */
static void test_order(void **state)
{
	static const char *const added[] = {"b",      "a/y", "a-b",   "a",   "a/x/2", "a/x/1/deep",
					    "\377/1", "aa",  "a/x-1", "B/b", "a\001", "a/x"};
	static const char *const wanted[] = {".",     "B",   "B/b",  "a",  "a/x", "a/x/1", "a/x/1/deep", "a/x/2",
					     "a/x-1", "a/y", "a\001", "a-b", "aa",  "b",     "\377",       "\377/1"};
	struct fixture *f = *state;
	struct path_node *n = f->paths.top;

	for (size_t i = 0; i < ARRAY_SIZE(added); i++)
		add(f, added[i]);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_non_null(n);
		assert_ok(path_text(n, &f->text));
		assert_string_equal(f->text.data, wanted[i]);
		assert_ok(paths_next(n, &n));
	}
	assert_null(n);
}

static void test_many_names_in_one_directory(void **state)
{
	struct fixture *f = *state;
	struct path_node *n = f->paths.top;
	char name[16];

	/* 7919 is prime to 20000: every number once, in no order. */
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%05u", i * 7919 % 20000);
		add(f, name);
	}
	for (unsigned i = 0; i < 20000; i++) {
		assert_ok(paths_next(n, &n));
		snprintf(name, sizeof(name), "%05u", i);
		assert_ok(path_text(n, &f->text));
		assert_string_equal(f->text.data, name);
	}
	assert_ok(paths_next(n, &n));
	assert_null(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_equal_paths_are_one_node, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names_in_one_directory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
