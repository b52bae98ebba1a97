/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that a filesystem does not have: whatever it says, what is not there afterwards is counted. */
#include "support/test.h"

#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "support/odd_target.h"

static struct odd_target t;

static int setup(void **state)
{
	odd_target_init(&t);
	return 0;
}

static int teardown(void **state)
{
	odd_target_release(&t);
	return 0;
}

static void again(void)
{
	odd_target_release(&t);
	setup(NULL);
}

static u64 counted(enum skipped_kind kind)
{
	return t.target->skipped.count[kind];
}

static void put_symlink(void)
{
	put_two_paths(&t.b, STREAM_C_SYMLINK, "link", STREAM_A_PATH_LINK, "where");
}

static void put_all(void)
{
	put_symlink();
	put_path(&t.b, STREAM_C_MKFIFO, "fifo");
	put_path(&t.b, STREAM_C_MKSOCK, "sock");
	/* What comes behind it has nothing to act on. */
	put_two_paths(&t.b, STREAM_C_RENAME, "link", STREAM_A_PATH_TO, "renamed");
	put_path(&t.b, STREAM_C_UNLINK, "fifo");
	put_end(&t.b);
}

static void check_left_out(void)
{
	assert_ok(odd_target_apply(&t));
	assert_int_equal(counted(SKIPPED_SYMLINK), 1);
	assert_int_equal(counted(SKIPPED_SPECIAL), 2);
	for (const char *const *name = (const char *const[]){"link", "renamed", "fifo", "sock", NULL}; *name; name++)
		assert_false(odd_target_has(&t, *name, NULL));
}

static void test_what_there_is_not_is_left_out(void **state)
{
	static const int reasons[] = {EPERM, EOPNOTSUPP, ENOSYS, EINVAL, EACCES};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		t.host.no_symlink = t.host.no_node = reasons[i];
		put_all();
		check_left_out();
		again();
	}
}

static void test_what_comes_out_as_something_else_is_left_out(void **state)
{
	t.host.symlinks_altered = t.host.nodes_altered = true;
	put_all();
	check_left_out();
}

static void test_with_strict_that_is_an_error(void **state)
{
	odd_target_again(&t, &(const struct receive_options){.strict = true});
	t.host.symlinks_altered = true;
	put_symlink();
	assert_error(odd_target_apply(&t), EOPNOTSUPP,
		     "stream offset 67: command 2: symlink 'link' (inode 257): cannot keep the symlink: Operation not "
		     "supported");
	assert_false(odd_target_has(&t, "link", NULL));
}

static void test_failures_stay_errors(void **state)
{
	static const int reasons[] = {EROFS, ENOSPC, EIO, EDQUOT, ENAMETOOLONG};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(reasons); i++) {
		int *which = i & 1 ? &t.host.no_symlink : &t.host.no_node;

		*which = reasons[i / 2];
		put_all();
		assert_int_equal(odd_target_apply(&t), -reasons[i / 2]);
		again();
	}
}

/* Not the kind of thing is what the filesystem refuses then. */
static void test_where_nothing_can_be_made_it_is_an_error(void **state)
{
	static const int reasons[] = {EACCES, EINVAL};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		assert_ok(odd_target_apply(&t));
		put_header(&t.b, 1);
		t.host.no_file = t.host.no_symlink = reasons[i];
		put_symlink();
		assert_int_equal(odd_target_apply(&t), -reasons[i]);
		again();
	}
}

static void test_a_name_that_cannot_be_is_an_error(void **state)
{
	static const int reasons[] = {EINVAL, EILSEQ, ENAMETOOLONG};
	char text[200];

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		assert_ok(odd_target_apply(&t));
		put_header(&t.b, 1);
		t.host.no_file = reasons[i];
		put_path(&t.b, STREAM_C_MKFILE, "a:b");
		snprintf(text, sizeof(text), "stream offset 17: command 1: mkfile 'a:b' (inode 257): create: the filesystem "
					     "cannot have this name: %s", strerror(reasons[i]));
		assert_error(odd_target_apply(&t), reasons[i], text);
		again();
	}
}

static void test_device_nodes_are_compared(void **state)
{
	struct stat st;

	if (geteuid())
		skip();
	begin(&t.b, STREAM_C_MKNOD);
	attr_text(&t.b, STREAM_A_PATH, "null");
	attr_u64(&t.b, STREAM_A_INO, 257);
	attr_u64(&t.b, STREAM_A_RDEV, makedev(1, 3));
	attr_u64(&t.b, STREAM_A_MODE, S_IFCHR | 0600);
	end(&t.b);
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_int_equal(counted(SKIPPED_DEVICE), 0);
	assert_true(odd_target_has(&t, "null", &st));
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_rdev, makedev(1, 3));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_there_is_not_is_left_out),
		TEST(test_what_comes_out_as_something_else_is_left_out),
		TEST(test_with_strict_that_is_an_error),
		TEST(test_failures_stay_errors),
		TEST(test_where_nothing_can_be_made_it_is_an_error),
		TEST(test_a_name_that_cannot_be_is_an_error),
		TEST(test_device_nodes_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
