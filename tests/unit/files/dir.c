/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "files/dir.h"
#include "format/checksum.h"
#include "support/forest.h"

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

/* A directory of four entries, one of them with its name, over two leaves. */
struct directory {
	struct forest f;
	struct tree tree;
	u8 names[2][200], indices[4][100];
};

static void directory_init(struct directory *d)
{
	static const char *const name[] = {"one", "two", "three", "four"};
	struct image_item items[8];
	struct image_pointer leaves[2];
	u32 size;

	forest_init(&d->f, 1 << 20);
	d->tree = forest_tree(&d->f, 0, 256, 1);
	size = put_entry(d->names[0], 301, FT_REG_FILE, "one", "");
	items[0] = (struct image_item){key_of(256, KEY_DIR_ITEM, name_hash("one", 3)), d->names[0], size};
	for (u32 i = 0; i < 4; i++) {
		size = put_entry(d->indices[i], 301 + i, FT_REG_FILE, name[i], "");
		items[1 + i] = (struct image_item){key_of(256, KEY_DIR_INDEX, 2 + 5 * i), d->indices[i], size};
	}
	items[5] = (struct image_item){key_of(257, KEY_INODE_ITEM, 0), "", 0};
	forest_leaf(&d->f, 1, 256, items, 3);
	forest_leaf(&d->f, 2, 256, items + 3, 3);
	leaves[0] = (struct image_pointer){items[0].key, forest_logical(1), IMAGE_GENERATION};
	leaves[1] = (struct image_pointer){items[3].key, forest_logical(2), IMAGE_GENERATION};
	forest_node(&d->f, 0, 256, 1, leaves, 2);
}

static void test_lookup(void **state)
{
	struct directory d;
	struct dir_entry e;
	struct cursor c;

	directory_init(&d);
	cursor_init(&c, &d.tree);
	assert_ok(dir_lookup(&c, 256, "one", 3, &e));
	assert_int_equal(e.location.objectid, 301);
	assert_int_equal(dir_lookup(&c, 256, "two", 3, &e), -ENOENT);
	assert_int_equal(dir_lookup(&c, 255, "one", 3, &e), -ENOENT);
	assert_int_equal(dir_lookup(&c, 400, "one", 3, &e), -ENOENT);
	cursor_release(&c);
	forest_release(&d.f);
}

static void test_lookup_where_hashes_collide(void **state)
{
	struct directory d;
	struct dir_entry e;
	struct cursor c;
	struct image_item item;
	u32 size;

	directory_init(&d);
	size = put_entry(d.names[1], 301, FT_REG_FILE, "other", "");
	size += put_entry(d.names[1] + size, 302, FT_DIR, "wanted", "");
	item = (struct image_item){key_of(256, KEY_DIR_ITEM, name_hash("wanted", 6)), d.names[1], size};
	forest_leaf(&d.f, 3, 256, &item, 1);
	d.tree = forest_tree(&d.f, 3, 256, 0);
	cursor_init(&c, &d.tree);
	assert_ok(dir_lookup(&c, 256, "wanted", 6, &e));
	assert_int_equal(e.location.objectid, 302);
	cursor_release(&c);
	/* Damage before the name is found is not passed over. */
	d.names[1][sizeof(struct dir_item) - 1] = FT_UNKNOWN;
	forest_leaf(&d.f, 4, 256, &item, 1);
	d.tree = forest_tree(&d.f, 4, 256, 0);
	cursor_init(&c, &d.tree);
	assert_error(dir_lookup(&c, 256, "wanted", 6, &e), EIO,
		     "(256 DIR_ITEM 1670355385): entry at 0: not a directory entry");
	cursor_release(&c);
	forest_release(&d.f);
}

static void test_next_by_index(void **state)
{
	struct directory d;
	struct dir_entry e;
	struct cursor c;
	u64 index = 0;

	directory_init(&d);
	cursor_init(&c, &d.tree);
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(dir_next(&c, 256, &index, &e), 1);
		assert_int_equal(e.location.objectid, 301 + i);
		assert_int_equal(index, 3 + 5 * i);
	}
	assert_int_equal(dir_next(&c, 256, &index, &e), 0);
	index = 8;
	assert_int_equal(dir_next(&c, 256, &index, &e), 1);
	assert_int_equal(e.location.objectid, 303);
	index = 0;
	assert_int_equal(dir_next(&c, 255, &index, &e), 0);
	assert_int_equal(dir_next(&c, 300, &index, &e), 0);
	cursor_release(&c);
	forest_release(&d.f);
}

static void test_next_of_an_empty_index(void **state)
{
	struct image_item item = {key_of(256, KEY_DIR_INDEX, 2), "", 0};
	struct directory d;
	struct dir_entry e;
	struct cursor c;
	u64 index = 0;

	directory_init(&d);
	forest_leaf(&d.f, 3, 256, &item, 1);
	d.tree = forest_tree(&d.f, 3, 256, 0);
	cursor_init(&c, &d.tree);
	assert_error(dir_next(&c, 256, &index, &e), EIO, "(256 DIR_INDEX 2): damaged entry");
	cursor_release(&c);
	forest_release(&d.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_names),
		cmocka_unit_test(test_entries_whose_hashes_collide),
		cmocka_unit_test(test_extended_attributes),
		cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_entry_cut_short),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_lookup_where_hashes_collide),
		cmocka_unit_test(test_next_by_index),
		cmocka_unit_test(test_next_of_an_empty_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
