/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "compare/metadata.h"
#include "format/checksum.h"

static void test_each_part(void **state)
{
	static const struct inode base = {.ino = 257, .mode = 0100644, .nlink = 1};
	struct inode i = base;

	assert_int_equal(metadata_changes(&base, &base), 0);
	i.mode = 0104644;
	assert_int_equal(metadata_changes(&base, &i), METADATA_MODE);
	i = base;
	i.uid = 1;
	assert_int_equal(metadata_changes(&base, &i), METADATA_OWNER);
	i = base;
	i.gid = 1;
	assert_int_equal(metadata_changes(&base, &i), METADATA_GROUP);
	i = base;
	i.mtime.nsec = 1;
	assert_int_equal(metadata_changes(&base, &i), METADATA_MTIME);
	i = base;
	i.mtime.sec = -1;
	assert_int_equal(metadata_changes(&base, &i), METADATA_MTIME);
	i.uid = 7;
	assert_int_equal(metadata_changes(&base, &i), METADATA_MTIME | METADATA_OWNER);
}

static void test_what_does_not_count(void **state)
{
	static const struct inode base = {.ino = 257, .mode = 0100644, .nlink = 1};
	struct inode i = base;

	i.size = i.nbytes = i.transid = 9;
	i.nlink = 2;
	i.atime.sec = i.ctime.sec = 9;
	assert_int_equal(metadata_changes(&base, &i), 0);
}

/* Those that FS_IOC_GETFLAGS gives a letter in lsattr. */
static void test_flags_that_are_shown(void **state)
{
	static const u64 shown[] = {INODE_NODATACOW, INODE_NOCOMPRESS, INODE_SYNC,     INODE_IMMUTABLE,
				    INODE_APPEND,    INODE_NODUMP,     INODE_NOATIME,  INODE_DIRSYNC,
				    INODE_COMPRESS,  INODE_RO_VERITY};
	struct inode base = {.ino = 257}, i = base;

	for (size_t k = 0; k < ARRAY_SIZE(shown); k++) {
		i.flags = shown[k];
		assert_int_equal(metadata_changes(&base, &i), METADATA_FLAGS);
	}
	i.flags = INODE_NODATASUM | INODE_PREALLOC | INODE_READONLY;
	assert_int_equal(metadata_changes(&base, &i), 0);
}

/* Append an attribute to an item. */
static void attribute(u8 *item, u32 *size, u64 transid, const char *name, const char *value)
{
	struct dir_item d = {.transid = le64_of(transid),
			     .name_len = le16_of((u16)strlen(name)),
			     .data_len = le16_of((u16)strlen(value)),
			     .type = FT_XATTR};

	memcpy(item + *size, &d, sizeof(d));
	memcpy(item + *size + sizeof(d), name, strlen(name));
	memcpy(item + *size + sizeof(d) + strlen(name), value, strlen(value));
	*size += (u32)(sizeof(d) + strlen(name) + strlen(value));
}

static void test_xattrs(void **state)
{
	const struct key key = key_of(257, KEY_XATTR_ITEM, 1);
	u8 a[512], b[512];
	u32 a_size = 0, b_size = 0;

	attribute(a, &a_size, 7, "user.one", "1");
	attribute(a, &a_size, 7, "user.two", "2");
	/* Set again in another transaction and order. */
	attribute(b, &b_size, 8, "user.two", "2");
	attribute(b, &b_size, 9, "user.one", "1");
	assert_int_equal(metadata_same_xattrs(&key, a, a_size, b, b_size), 1);

	b[b_size - 1] = '3';
	assert_int_equal(metadata_same_xattrs(&key, a, a_size, b, b_size), 0);
	b_size = 0;
	attribute(b, &b_size, 8, "user.two", "2");
	attribute(b, &b_size, 9, "user.six", "1");
	assert_int_equal(metadata_same_xattrs(&key, a, a_size, b, b_size), 0);
	attribute(a, &a_size, 7, "user.six", "1");
	assert_int_equal(metadata_same_xattrs(&key, a, a_size, b, b_size), 0);
	assert_int_equal(metadata_same_xattrs(&key, b, b_size, a, a_size), 0);
}

static void test_damaged_xattrs(void **state)
{
	const struct key key = key_of(257, KEY_XATTR_ITEM, 1);
	u8 a[512], b[512];
	u32 size = 0, b_size = 0;

	attribute(a, &size, 7, "user.one", "1");
	attribute(b, &b_size, 8, "user.one", "1");
	b[offsetof(struct dir_item, type)] = FT_DIR;
	assert_error(metadata_same_xattrs(&key, a, size, b, b_size), EIO,
		     "(257 XATTR_ITEM 1): entry at 0: not an extended attribute");
	assert_error(metadata_same_xattrs(&key, b, size, a, b_size), EIO,
		     "(257 XATTR_ITEM 1): entry at 0: not an extended attribute");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_part),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_flags_that_are_shown),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_damaged_xattrs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
