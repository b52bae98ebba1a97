/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "files/inode.h"

static void test_every_field(void **state)
{
	struct inode_item item = {
		.generation = le64_of(1),
		.transid = le64_of(2),
		.size = le64_of(3),
		.nbytes = le64_of(4),
		.nlink = le32_of(5),
		.uid = le32_of(6),
		.gid = le32_of(7),
		.mode = le32_of(0100644),
		.rdev = le64_of(8),
		.flags = le64_of(9),
		.atime = {le64_of(10), le32_of(11)},
		.ctime = {le64_of(12), le32_of(13)},
		.mtime = {le64_of((u64)-14), le32_of(15)},
		.otime = {le64_of(16), le32_of(17)},
	};
	struct inode i;

	assert_int_equal(inode_decode(257, &item, sizeof(item), &i), 0);
	assert_int_equal(i.ino, 257);
	assert_int_equal(i.generation, 1);
	assert_int_equal(i.transid, 2);
	assert_int_equal(i.size, 3);
	assert_int_equal(i.nbytes, 4);
	assert_int_equal(i.nlink, 5);
	assert_int_equal(i.uid, 6);
	assert_int_equal(i.gid, 7);
	assert_int_equal(i.mode, 0100644);
	assert_int_equal(i.rdev, 8);
	assert_int_equal(i.flags, 9);
	assert_int_equal(i.atime.sec, 10);
	assert_int_equal(i.atime.nsec, 11);
	assert_int_equal(i.ctime.sec, 12);
	assert_int_equal(i.ctime.nsec, 13);
	assert_true(i.mtime.sec == -14);
	assert_int_equal(i.mtime.nsec, 15);
	assert_int_equal(i.otime.sec, 16);
	assert_int_equal(i.otime.nsec, 17);
}

static void test_item_too_small(void **state)
{
	u8 item[159] = {0};
	struct inode i;

	assert_int_equal(inode_decode(300, item, sizeof(item), &i), -EIO);
	assert_string_equal(error_message(), "inode 300: inode item of 159 bytes, not 160");
}

/* /dev/sdb1, which is 8:17, and the largest of both. */
static void test_device_numbers(void **state)
{
	assert_int_equal(inode_major(0x800011), 8);
	assert_int_equal(inode_minor(0x800011), 17);
	assert_int_equal(inode_major(0xffffffff), 0xfff);
	assert_int_equal(inode_minor(0xffffffff), 0xfffff);
}

static u32 put_ref(u8 *at, u64 index, const char *name)
{
	put_le64(at, index);
	put_le16(at + 8, (u16)strlen(name));
	memcpy(at + 10, name, strlen(name));
	return 10 + (u32)strlen(name);
}

static u32 put_extref(u8 *at, u64 parent, u64 index, const char *name)
{
	put_le64(at, parent);
	return 8 + put_ref(at + 8, index, name);
}

static void test_names_of_one_parent(void **state)
{
	const struct key key = key_of(260, KEY_INODE_REF, 256);
	struct inode_name n;
	u8 item[100];
	u32 size = put_ref(item, 7, "one"), pos = 0;

	size += put_ref(item + size, 9, "second");
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 1);
	assert_int_equal(n.parent, 256);
	assert_int_equal(n.index, 7);
	assert_int_equal(n.name_len, 3);
	assert_memory_equal(n.name, "one", 3);
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 1);
	assert_int_equal(n.index, 9);
	assert_memory_equal(n.name, "second", 6);
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 0);
}

static void test_names_of_many_parents(void **state)
{
	const struct key key = key_of(260, KEY_INODE_EXTREF, 12345);
	struct inode_name n;
	u8 item[100];
	u32 size = put_extref(item, 270, 7, "one"), pos = 0;

	size += put_extref(item + size, 271, 8, "two");
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 1);
	assert_int_equal(n.parent, 270);
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 1);
	assert_int_equal(n.parent, 271);
	assert_int_equal(n.index, 8);
	assert_memory_equal(n.name, "two", 3);
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), 0);
}

/* Cut anywhere, the item is damaged: in its header as well as in its name. */
static void test_names_cut_short(void **state)
{
	const struct key keys[] = {key_of(260, KEY_INODE_REF, 256), key_of(260, KEY_INODE_EXTREF, 1)};

	for (int i = 0; i < 2; i++) {
		u8 item[100];
		u32 size = i ? put_extref(item, 256, 1, "name") : put_ref(item, 1, "name");

		for (u32 len = 1; len < size; len++) {
			struct inode_name n;
			u32 pos = 0;

			assert_int_equal(inode_name_next(&keys[i], item, len, &pos, &n), -EIO);
		}
	}
	assert_string_equal(error_message(),
			    "(260 INODE_EXTREF 1): the name at 0 does not end within 21 bytes");
}

static void test_invalid_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/"};
	const struct key key = key_of(260, KEY_INODE_REF, 256), root = key_of(256, KEY_INODE_REF, 256);
	struct inode_name n;
	u8 item[300];
	u32 pos;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		pos = 0;
		assert_int_equal(inode_name_next(&key, item, put_ref(item, 1, bad[i]), &pos, &n), -EIO);
	}
	pos = 0;
	assert_int_equal(inode_name_next(&root, item, put_ref(item, 1, ".."), &pos, &n), 1);
	assert_memory_equal(n.name, "..", 2);

	u32 size = put_ref(item, 1, "a.b");

	item[11] = '\0';
	pos = 0;
	assert_int_equal(inode_name_next(&key, item, size, &pos, &n), -EIO);
	memset(item, 'x', sizeof(item));
	put_le16(item + 8, 256);
	pos = 0;
	assert_int_equal(inode_name_next(&key, item, 266, &pos, &n), -EIO);
	put_le16(item + 8, 255);
	pos = 0;
	assert_int_equal(inode_name_next(&key, item, 265, &pos, &n), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_item_too_small),
		cmocka_unit_test(test_device_numbers),
		cmocka_unit_test(test_names_of_one_parent),
		cmocka_unit_test(test_names_of_many_parents),
		cmocka_unit_test(test_names_cut_short),
		cmocka_unit_test(test_invalid_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
