/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hard links where the filesystem has none, or no more of one file. */
#include "support/test.h"

#include <stdio.h>
#include <unistd.h>

#include "support/odd_target.h"

static struct odd_target t;

static int setup(void **state)
{
	odd_target_init(&t);
	t.host.no_link = EPERM;
	return 0;
}

static int teardown(void **state)
{
	odd_target_release(&t);
	return 0;
}

static void put_link(const char *name, const char *file)
{
	put_two_paths(&t.b, STREAM_C_LINK, name, STREAM_A_PATH_LINK, file);
}

static void put_rename(const char *from, const char *to)
{
	put_two_paths(&t.b, STREAM_C_RENAME, from, STREAM_A_PATH_TO, to);
}

static void put_text(const char *path, const char *text)
{
	put_write(&t.b, path, 0, text, strlen(text));
}

static void put_mode(const char *path, u64 mode)
{
	begin(&t.b, STREAM_C_CHMOD);
	attr_text(&t.b, STREAM_A_PATH, path);
	attr_u64(&t.b, STREAM_A_MODE, mode);
	end(&t.b);
}

static void put_times(const char *path, s64 seconds)
{
	begin(&t.b, STREAM_C_UTIMES);
	attr_text(&t.b, STREAM_A_PATH, path);
	attr_time(&t.b, STREAM_A_ATIME, seconds, 1);
	attr_time(&t.b, STREAM_A_MTIME, seconds, 2);
	attr_time(&t.b, STREAM_A_CTIME, seconds, 3);
	end(&t.b);
}

static void put_size(const char *path, u64 size)
{
	begin(&t.b, STREAM_C_TRUNCATE);
	attr_text(&t.b, STREAM_A_PATH, path);
	attr_u64(&t.b, STREAM_A_SIZE, size);
	end(&t.b);
}

static void assert_file(const char *path, const char *text, mode_t mode, s64 seconds)
{
	struct stat st = {0};

	if (!odd_target_has(&t, path, &st))
		fail_msg("there is no %s", path);
	assert_string_equal(odd_target_read(&t, path), text);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_mtim.tv_sec, seconds);
	assert_int_equal(st.st_mtim.tv_nsec, 2);
}

static s64 time_of(const char *path)
{
	struct stat st = {0};

	assert_true(odd_target_has(&t, path, &st));
	return st.st_mtim.tv_sec;
}

static u64 counted(void)
{
	return t.target->skipped.count[SKIPPED_LINK];
}

/* As the kernel sends it: all names first, then the content by one of them. */
static void put_tree(void)
{
	put_path(&t.b, STREAM_C_MKDIR, "dir");
	put_path(&t.b, STREAM_C_MKFILE, "o257-1-0");
	put_rename("o257-1-0", "one");
	put_link("two", "one");
	put_link("dir/three", "two");
	put_text("dir/three", "longer text");
	put_text("two", "some text");
	put_size("one", 9);
	put_mode("two", 0640);
	put_times("two", 1000000000);
	put_times("dir", 1100000000);
	put_times("", 1200000000);
	put_end(&t.b);
}

static void check_tree(void)
{
	assert_file("one", "some text", 0640, 1000000000);
	assert_file("two", "some text", 0640, 1000000000);
	assert_file("dir/three", "some text", 0640, 1000000000);
	assert_int_equal(time_of("dir"), 1100000000);
	assert_int_equal(time_of(""), 1200000000);
}

static void test_links_become_copies(void **state)
{
	static const int reasons[] = {EPERM, EOPNOTSUPP, ENOSYS, EINVAL, EMLINK, EXDEV};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (i)
			odd_target_release(&t);
		if (i)
			setup(NULL);
		t.host.no_link = reasons[i];
		put_tree();
		assert_ok(odd_target_apply(&t));
		check_tree();
		assert_int_equal(counted(), 2);
	}
}

static void test_other_failures_are_errors(void **state)
{
	t.host.no_link = ENOSPC;
	put_tree();
	assert_int_equal(odd_target_apply(&t), -ENOSPC);
}

static void test_with_strict_it_is_an_error(void **state)
{
	odd_target_again(&t, &(const struct receive_options){.strict = true});
	put_tree();
	assert_error(odd_target_apply(&t), EPERM, "stream offset 171: command 5: link 'two' to 'one' (inode 257): cannot keep "
						  "the hard link: Operation not permitted");
	assert_false(odd_target_has(&t, "two", NULL));
}

static void test_a_copys_name_is_taken(void **state)
{
	put_path(&t.b, STREAM_C_MKDIR, "dir");
	put_path(&t.b, STREAM_C_MKFILE, "one");
	put_link("dir/two", "one");
	put_path(&t.b, STREAM_C_RMDIR, "dir");
	assert_int_equal(odd_target_apply(&t), -ENOTEMPTY);
	put_header(&t.b, 1);
	put_path(&t.b, STREAM_C_MKFILE, "dir/two");
	assert_int_equal(odd_target_apply(&t), -EEXIST);
	put_header(&t.b, 1);
	put_link("dir/two", "one");
	assert_int_equal(odd_target_apply(&t), -EEXIST);
}

/* Whichever name goes, the others keep the file; directories that are renamed take their names with them. */
static void test_names_come_and_go(void **state)
{
	put_path(&t.b, STREAM_C_MKDIR, "dir");
	put_path(&t.b, STREAM_C_MKFILE, "one");
	put_link("two", "one");
	put_link("dir/three", "one");
	put_link("dir/four", "two");
	put_text("two", "text");
	put_path(&t.b, STREAM_C_UNLINK, "one");
	put_write(&t.b, "two", 4, " and", 4);
	put_path(&t.b, STREAM_C_UNLINK, "two");
	put_rename("dir", "moved");
	put_rename("moved/three", "five");
	put_write(&t.b, "five", 8, " more", 5);
	put_clone(&t.b, "five", 13, 4, 1, "moved/four", 0);
	put_mode("moved/four", 0604);
	put_times("five", 1000000000);
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_false(odd_target_has(&t, "one", NULL));
	assert_false(odd_target_has(&t, "two", NULL));
	assert_file("five", "text and moretext", 0604, 1000000000);
	assert_file("moved/four", "text and moretext", 0604, 1000000000);
}

static void test_a_replaced_file_lives_on_in_its_copies(void **state)
{
	put_path(&t.b, STREAM_C_MKFILE, "one");
	put_link("two", "one");
	put_text("one", "old");
	put_path(&t.b, STREAM_C_MKFILE, "new");
	put_text("new", "new");
	put_rename("new", "one");
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_string_equal(odd_target_read(&t, "one"), "new");
	assert_string_equal(odd_target_read(&t, "two"), "old");
}

static void test_links_of_what_is_no_file(void **state)
{
	struct stat st;

	put_path(&t.b, STREAM_C_MKFIFO, "fifo");
	put_link("fifo2", "fifo");
	put_mode("fifo2", 0604);
	put_two_paths(&t.b, STREAM_C_SYMLINK, "symlink", STREAM_A_PATH_LINK, "where");
	put_link("symlink2", "symlink");
	put_times("symlink", 1000000000);
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_true(odd_target_has(&t, "fifo2", &st));
	assert_int_equal(st.st_mode, S_IFIFO | 0604);
	assert_true(odd_target_has(&t, "symlink2", &st));
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(st.st_size, 5);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
}

/* The snapshot after that: written to by one name, another one gone, a third renamed, a fourth added. */
static void put_increment(void)
{
	put_header(&t.b, 1);
	put_snapshot(&t.b, "next", 2, 1);
	put_path(&t.b, STREAM_C_UNLINK, "one");
	put_rename("dir/three", "dir/renamed");
	put_link("four", "dir/renamed");
	put_text("dir/renamed", "SOME");
	put_mode("two", 0600);
	put_times("four", 1300000000);
	put_end(&t.b);
}

static void check_increment(void)
{
	static const char *const names[] = {"../next/two", "../next/dir/renamed", "../next/four"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_file(names[i], "SOME text", 0600, 1300000000);
	assert_false(odd_target_has(&t, "../next/one", NULL));
	assert_false(odd_target_has(&t, "../next/dir/three", NULL));
	check_tree();
}

static void test_an_increment_knows_the_names(void **state)
{
	put_tree();
	put_increment();
	assert_ok(odd_target_apply(&t));
	check_increment();
	/* And the one after it, by another process. */
	odd_target_again(&t, &(const struct receive_options){0});
	put_header(&t.b, 1);
	put_snapshot(&t.b, "last", 3, 2);
	put_text("two", "last");
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_string_equal(odd_target_read(&t, "../last/four"), "last text");
	assert_string_equal(odd_target_read(&t, "../last/dir/renamed"), "last text");
	check_increment();
}

/* From call @killed_at on none is made, as if the process had been killed there. */
static u64 killed_at;

static int kill_there(struct watched_host *w, enum host_call call)
{
	return w->calls >= killed_at ? EIO : 0;
}

static void put_all(void)
{
	t.b.len = 0;
	put_header(&t.b, 1);
	put_subvol(&t.b, "snap", 1);
	put_tree();
	put_increment();
}

static void test_killed_at_every_call(void **state)
{
	bool whole = false;

	for (killed_at = 1; !whole; killed_at++) {
		put_all();
		t.host.watched.calls = 0;
		t.host.watched.before = kill_there;
		whole = !odd_target_apply(&t);
		t.host.watched.before = NULL;
		odd_target_again(&t, &(const struct receive_options){.resume = true});
		put_all();
		assert_ok(odd_target_apply(&t));
		check_increment();
		odd_target_release(&t);
		setup(NULL);
	}
	assert_true(killed_at > 200);
}

/* A filesystem that has hard links, but no more than three of a file. */
static void test_names_beyond_the_limit(void **state)
{
	struct stat a, b;

	t.host.no_link = 0;
	t.host.links_max = 3;
	put_path(&t.b, STREAM_C_MKDIR, "dir");
	put_path(&t.b, STREAM_C_MKFILE, "1");
	put_link("2", "1");
	put_link("3", "1");
	put_link("dir/4", "1");
	put_link("5", "1");
	put_times("dir", 1100000000);
	put_path(&t.b, STREAM_C_UNLINK, "1");
	put_text("2", "text");
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_int_equal(counted(), 2);
	for (const char *const *name = (const char *const[]){"2", "3", "dir/4", "5", NULL}; *name; name++)
		assert_string_equal(odd_target_read(&t, *name), "text");
	assert_true(odd_target_has(&t, "2", &a) && odd_target_has(&t, "3", &b));
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(time_of("dir"), 1100000000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_links_become_copies),
		TEST(test_other_failures_are_errors),
		TEST(test_with_strict_it_is_an_error),
		TEST(test_a_copys_name_is_taken),
		TEST(test_names_come_and_go),
		TEST(test_a_replaced_file_lives_on_in_its_copies),
		TEST(test_links_of_what_is_no_file),
		TEST(test_an_increment_knows_the_names),
		TEST(test_killed_at_every_call),
		TEST(test_names_beyond_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
