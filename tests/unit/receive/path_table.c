/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>

#include "receive/path_table.h"

static struct path_table t;

static struct tree_path path(const char *text)
{
	struct tree_path p;

	assert_ok(tree_path_set(&p, (struct stream_bytes){text, (u32)strlen(text)}));
	return p;
}

static void put_path(const char *text, u32 value)
{
	const struct note note = {.flags = value};

	assert_ok(path_table_put(&t, text, strlen(text), &note));
}

static size_t count(void)
{
	size_t n = 0;

	for (struct path_entry *e = NULL; (e = path_table_next(&t, e));)
		n++;
	return n;
}

/* The value at @text, 0 if it is not there. */
static u32 at(const char *text)
{
	struct tree_path p = path(text);
	const struct note *n = path_table_find(&t, &p);

	return n ? n->flags : 0;
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
	assert_int_equal(count(), 1);
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
	assert_int_equal(count(), 1);
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
	assert_int_equal(count(), 1);
	assert_int_equal(at("ab"), 3);
}

/* A path may become too long to be named by any command, and short again. */
static void test_rename_to_a_path_that_is_too_long(void **state)
{
	static char parent[4090];

	memset(parent, 'p', sizeof(parent) - 1);
	for (size_t i = 200; i < sizeof(parent) - 1; i += 200)
		parent[i] = '/';
	put_path("a/b", 1);
	put_path("a/long-name", 2);
	rename_path("a", parent);
	assert_int_equal(count(), 2);
	assert_int_equal(at("a/b"), 0);
	rename_path(parent, "a");
	assert_int_equal(at("a/b"), 1);
	assert_int_equal(at("a/long-name"), 2);
}

static void test_the_root_has_a_note_of_its_own(void **state)
{
	put_path("", 7);
	assert_int_equal(at(""), 7);
	assert_int_equal(count(), 1);
	put_path("a/b", 1);
	assert_int_equal(count(), 2);
	put_path("", 0);
	assert_int_equal(at("a/b"), 1);
	put_path("a/b", 0);
	assert_true(path_table_empty(&t));
}

static size_t linked(u64 links)
{
	size_t n = 0;

	for (struct path_entry *e = NULL; (e = path_table_linked(&t, links, e));)
		n++;
	return n;
}

static void put_linked(const char *text, u64 links)
{
	const struct note note = {.links = links};

	assert_ok(path_table_put(&t, text, strlen(text), &note));
}

static void test_names_of_one_file_are_found_by_its_number(void **state)
{
	struct tree_path p = path("a");

	assert_int_equal(linked(5), 0);
	put_linked("a/x", 5);
	put_linked("b", 5);
	put_linked("c", 6);
	assert_int_equal(linked(5), 2);
	rename_path("b", "c");
	assert_int_equal(linked(6), 0);
	assert_int_equal(linked(5), 2);
	put_linked("c", 7);
	assert_int_equal(linked(5), 1);
	path_table_remove(&t, &p);
	assert_int_equal(linked(5), 0);
	assert_int_equal(linked(7), 1);
}

/* The same by plain strings: what a rename or removal does to each path. */
#define MODEL_MAX 512

static struct {
	char text[64];
	u32 value;
} model[MODEL_MAX];
static size_t model_count;

static bool covers(const char *dir, const char *text)
{
	size_t n = strlen(dir);

	return !strncmp(dir, text, n) && (!text[n] || text[n] == '/');
}

static void model_remove(const char *text)
{
	for (size_t i = 0; i < model_count;) {
		if (covers(text, model[i].text))
			model[i] = model[--model_count];
		else
			i++;
	}
}

static void model_put(const char *text, u32 value)
{
	size_t i = 0;

	while (i < model_count && strcmp(model[i].text, text))
		i++;
	if (i == model_count)
		snprintf(model[model_count++].text, sizeof(model[0].text), "%s", text);
	model[i].value = value;
}

static void model_rename(const char *from, const char *to)
{
	if (covers(from, to) || covers(to, from))
		return;
	model_remove(to);
	for (size_t i = 0; i < model_count; i++) {
		char text[64];

		if (!covers(from, model[i].text))
			continue;
		snprintf(text, sizeof(text), "%s%s", to, model[i].text + strlen(from));
		memcpy(model[i].text, text, sizeof(text));
	}
}

static unsigned seed = 1;

static unsigned draw(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* One to four names of three. */
static const char *draw_path(char text[64])
{
	unsigned names = 1 + draw(4);
	size_t len = 0;

	for (unsigned i = 0; i < names; i++)
		len += (size_t)snprintf(text + len, 64 - len, "%s%c", i ? "/" : "", "abc"[draw(3)]);
	return text;
}

static void check_model(void)
{
	struct buffer path = {0};

	assert_int_equal(count(), model_count);
	for (size_t i = 0; i < model_count; i++)
		assert_int_equal(at(model[i].text), model[i].value);
	for (struct path_entry *e = NULL; (e = path_table_next(&t, e));) {
		buffer_clear(&path);
		assert_ok(path_table_path(e, &path));
		assert_int_equal(strlen((char *)path.data), path.len);
		assert_int_equal(at((char *)path.data), e->note.flags);
	}
	buffer_release(&path);
}

static void test_random_changes_against_a_list(void **state)
{
	for (unsigned i = 0; i < 20000; i++) {
		char a[64], b[64];
		unsigned what = draw(10);

		if (what < 5) {
			u32 value = 1 + draw(1000);

			put_path(draw_path(a), value);
			model_put(a, value);
		} else if (what < 9) {
			draw_path(a);
			draw_path(b);
			/* Longer ones would leave the model's strings. */
			if (strlen(a) + strlen(b) > 20)
				continue;
			rename_path(a, b);
			model_rename(a, b);
		} else {
			struct tree_path p = path(draw_path(a));

			path_table_remove(&t, &p);
			model_remove(a);
		}
		for (size_t k = 0; k < model_count; k++) {
			if (strlen(model[k].text) < 40)
				continue;
			memcpy(a, model[k].text, sizeof(a));
			struct tree_path p = path(a);

			path_table_remove(&t, &p);
			model_remove(a);
			k = 0;
		}
		if (i % 50 == 0)
			check_model();
	}
	check_model();
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
		TEST(test_the_root_has_a_note_of_its_own),
		TEST(test_names_of_one_file_are_found_by_its_number),
		TEST(test_random_changes_against_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
