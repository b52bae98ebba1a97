/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* A line with one member of bytes, as it was written. */
static char *bytes_line(const char *data, size_t len)
{
	struct json_line j;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_line_begin(&j, out);
	json_line_bytes(&j, "k", data, len);
	json_line_end(&j);
	fclose(out);
	return text;
}

static void expect(const char *data, size_t len, const char *want)
{
	char *text = bytes_line(data, len);

	assert_string_equal(text, want);
	free(text);
}

static void test_text_is_escaped(void **state)
{
	expect("a\"b\\c\n\t\1", 8, "{\"k\":\"a\\\"b\\\\c\\u000a\\u0009\\u0001\"}\n");
	expect("z\303\266\342\202\254\360\235\204\236", 10,
	       "{\"k\":\"z\303\266\342\202\254\360\235\204\236\"}\n");
	expect("", 0, "{\"k\":\"\"}\n");
}

static void test_other_bytes_come_twice(void **state)
{
	expect("a\377b", 3, "{\"k\":\"a\\ufffdb\",\"k_hex\":\"61ff62\"}\n");
	/* Overlong, a surrogate, beyond Unicode, cut short. */
	expect("\300\200", 2, "{\"k\":\"\\ufffd\\ufffd\",\"k_hex\":\"c080\"}\n");
	expect("\355\240\200", 3, "{\"k\":\"\\ufffd\\ufffd\\ufffd\",\"k_hex\":\"eda080\"}\n");
	expect("\364\220\200\200", 4,
	       "{\"k\":\"\\ufffd\\ufffd\\ufffd\\ufffd\",\"k_hex\":\"f4908080\"}\n");
	expect("\342\202", 2, "{\"k\":\"\\ufffd\\ufffd\",\"k_hex\":\"e282\"}\n");
}

/* json-c reads back what we wrote, for every byte. */
static void test_a_parser_reads_it(void **state)
{
	char all[255];

	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);

	char *text = bytes_line(all, sizeof(all));
	struct json_object *o = json_tokener_parse(text), *k;

	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "k", &k));
	assert_memory_equal(json_object_get_string(k), all, 127);
	json_object_put(o);
	free(text);
}

static void test_numbers_and_times(void **state)
{
	struct json_line j;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_line_begin(&j, out);
	json_line_u64(&j, "n", UINT64_MAX);
	json_line_time(&j, "t", 981173106, 123456789);
	json_line_time(&j, "before", -315619200, 5);
	json_line_uuid(&j, "u", (const u8 *)"\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0");
	json_line_end(&j);
	fclose(out);
	assert_string_equal(text, "{\"n\":18446744073709551615,"
				  "\"t\":\"2001-02-03T04:05:06.123456789Z\","
				  "\"before\":\"1960-01-01T00:00:00.000000005Z\","
				  "\"u\":\"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\"}\n");
	free(text);
}

static void test_booleans_and_lists_of_strings(void **state)
{
	struct json_line j;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_line_begin(&j, out);
	json_line_bool(&j, "yes", true);
	json_line_list_begin(&j, "words");
	json_line_item_string(&j, "one");
	json_line_item_string(&j, "t\"wo");
	json_line_list_end(&j);
	json_line_bool(&j, "no", false);
	json_line_end(&j);
	fclose(out);
	assert_string_equal(text, "{\"yes\":true,\"words\":[\"one\",\"t\\\"wo\"],\"no\":false}\n");
	free(text);
}

static void test_lists_of_objects(void **state)
{
	struct json_line j;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_line_begin(&j, out);
	json_line_list_begin(&j, "none");
	json_line_list_end(&j);
	json_line_list_begin(&j, "two");
	for (u64 i = 1; i <= 2; i++) {
		json_line_item_begin(&j);
		json_line_u64(&j, "a", i);
		json_line_u64(&j, "b", 3 * i);
		json_line_item_end(&j);
	}
	json_line_list_end(&j);
	json_line_u64(&j, "last", 4);
	json_line_end(&j);
	fclose(out);
	assert_string_equal(text, "{\"none\":[],\"two\":[{\"a\":1,\"b\":3},{\"a\":2,\"b\":6}],\"last\":4}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_escaped),
		cmocka_unit_test(test_other_bytes_come_twice),
		cmocka_unit_test(test_a_parser_reads_it),
		cmocka_unit_test(test_numbers_and_times),
		cmocka_unit_test(test_lists_of_objects),
		cmocka_unit_test(test_booleans_and_lists_of_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
