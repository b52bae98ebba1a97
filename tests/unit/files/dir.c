/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "files/dir.h"

static u32 put_entry(u8 *at, u64 ino, u8 type, const char *name, const char *data)
{
	struct dir_item d = {
		.location = {le64_of(ino), KEY_INODE_ITEM, le64_of(0)},
		.transid = le64_of(77),
		.data_len = le16_of((u16)strlen(data)),
		.name_len = le16_of((u16)strlen(name)),
		.type = type,
	};

	memcpy(at, &d, sizeof(d));
	memcpy(at + sizeof(d), name, strlen(name));
	memcpy(at + sizeof(d) + strlen(name), data, strlen(data));
	return (u32)(sizeof(d) + strlen(name) + strlen(data));
}

static void test_valid_names(void **state)
{
	char longest[NAME_LEN_MAX + 1];

	memset(longest, 'n', sizeof(longest));
	assert_true(name_is_valid("a", 1));
	assert_true(name_is_valid("...", 3));
	assert_true(name_is_valid(".a", 2));
	assert_true(name_is_valid("\xff\n", 2));
	assert_true(name_is_valid(longest, 255));
	assert_false(name_is_valid(longest, 256));
	assert_false(name_is_valid("", 0));
	assert_false(name_is_valid(".", 1));
	assert_false(name_is_valid("..", 2));
	assert_false(name_is_valid("a/b", 3));
	assert_false(name_is_valid("a\0b", 3));
}

static void test_entries_whose_hashes_collide(void **state)
{
	const struct key key = key_of(256, KEY_DIR_ITEM, 1234);
	struct dir_entry e;
	u8 item[200];
	u32 size = put_entry(item, 300, FT_REG_FILE, "first", ""), pos = 0;

	size += put_entry(item + size, 301, FT_DIR, "2nd", "");
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 1);
	assert_int_equal(e.location.objectid, 300);
	assert_int_equal(e.location.type, KEY_INODE_ITEM);
	assert_int_equal(e.transid, 77);
	assert_int_equal(e.type, FT_REG_FILE);
	assert_int_equal(e.name_len, 5);
	assert_memory_equal(e.name, "first", 5);
	assert_int_equal(e.data_len, 0);
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 1);
	assert_int_equal(e.location.objectid, 301);
	assert_memory_equal(e.name, "2nd", 3);
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 0);
}

static void test_extended_attributes(void **state)
{
	const struct key key = key_of(300, KEY_XATTR_ITEM, 1234);
	struct dir_entry e;
	u8 item[200];
	u32 size = put_entry(item, 0, FT_XATTR, "user.a/b", "value"), pos = 0;

	size += put_entry(item + size, 0, FT_XATTR, "user.empty", "");
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 1);
	assert_memory_equal(e.name, "user.a/b", 8);
	assert_int_equal(e.data_len, 5);
	assert_memory_equal(e.data, "value", 5);
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 1);
	assert_memory_equal(e.name, "user.empty", 10);
	assert_int_equal(e.data_len, 0);
	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), 0);
}

static void expect_refused(u8 key_type, u8 type, const char *name, const char *data, int err,
			   const char *says)
{
	const struct key key = key_of(256, key_type, 5);
	struct dir_entry e;
	u8 item[400];
	u32 size = put_entry(item, 300, type, name, data), pos = 0;

	assert_int_equal(dir_entry_next(&key, item, size, &pos, &e), -err);
	assert_non_null(strstr(error_message(), says));
}

static void test_refused_entries(void **state)
{
	expect_refused(KEY_DIR_ITEM, FT_UNKNOWN, "name", "", EIO, "(256 DIR_ITEM 5)");
	expect_refused(KEY_DIR_INDEX, FT_XATTR, "name", "", EIO, "not a directory entry");
	expect_refused(KEY_DIR_INDEX, FT_REG_FILE, "name", "data", EIO, "data behind a name");
	expect_refused(KEY_DIR_INDEX, FT_REG_FILE, "", "", EIO, "invalid name");
	expect_refused(KEY_DIR_INDEX, FT_DIR, "..", "", EIO, "invalid name");
	expect_refused(KEY_DIR_INDEX, FT_DIR, "a/b", "", EIO, "invalid name");
	expect_refused(KEY_DIR_INDEX, FT_MAX, "name", "", EOPNOTSUPP, "unknown type 9");
	expect_refused(KEY_DIR_INDEX, FT_REG_FILE | FT_ENCRYPTED, "name", "", EOPNOTSUPP, "type 129");
	expect_refused(KEY_XATTR_ITEM, FT_REG_FILE, "user.a", "", EIO, "not an extended attribute");
	expect_refused(KEY_XATTR_ITEM, FT_XATTR, "", "x", EIO, "invalid name");
}

static void test_entry_cut_short(void **state)
{
	const struct key key = key_of(256, KEY_XATTR_ITEM, 5);
	u8 item[100];
	u32 size = put_entry(item, 0, FT_XATTR, "user.a", "data");

	for (u32 len = 1; len < size; len++) {
		struct dir_entry e;
		u32 pos = 0;

		assert_int_equal(dir_entry_next(&key, item, len, &pos, &e), -EIO);
		assert_non_null(strstr(error_message(), "does not end within"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_names),
		cmocka_unit_test(test_entries_whose_hashes_collide),
		cmocka_unit_test(test_extended_attributes),
		cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_entry_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
