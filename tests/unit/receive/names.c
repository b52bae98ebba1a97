/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names on a filesystem that takes some of them for one, or writes down others than it was given. */
#include "support/test.h"

#include <stdio.h>
#include <unistd.h>

#include "support/odd_target.h"

static struct odd_target t;

static int setup(void **state)
{
	odd_target_init(&t);
	t.host.folds = true;
	return 0;
}

static int teardown(void **state)
{
	odd_target_release(&t);
	return 0;
}

static void put_rename(const char *from, const char *to)
{
	put_two_paths(&t.b, STREAM_C_RENAME, from, STREAM_A_PATH_TO, to);
}

/* As the kernel sends it: under a first name, then under its own. */
static void put_file(const char *first, const char *name, const char *content)
{
	put_path(&t.b, STREAM_C_MKFILE, first);
	put_rename(first, name);
	put_write(&t.b, name, 0, content, strlen(content));
}

/* It fails, with a message that ends so. */
static void refused(int err, const char *ending)
{
	int ret = odd_target_apply(&t);
	const char *message = error_message();
	size_t len = strlen(message), n = strlen(ending);

	if (ret != -err || len < n || strcmp(message + len - n, ending))
		fail_msg("%d: '%s' does not end with '%s'", ret, ret ? message : "", ending);
}

static void check_two_names(void)
{
	put_file("o257-1-0", "README", "first");
	put_file("o258-1-0", "readme", "second");
	refused(EEXIST, "rename 'o258-1-0' to 'readme' (inode 257): rename: 'readme' and 'README', which is there already, "
			"are one name on this filesystem");
	assert_string_equal(odd_target_read(&t, "README"), "first");
	assert_true(odd_target_has(&t, "o258-1-0", NULL));
}

static void test_two_names_that_are_one_are_an_error(void **state)
{
	check_two_names();
}

static void test_two_names_where_rename_has_no_flags(void **state)
{
	t.host.no_flags = true;
	check_two_names();
}

static void test_nothing_is_made_under_a_name_that_is_another_spelling(void **state)
{
	static const u16 commands[] = {STREAM_C_MKFILE, STREAM_C_MKDIR, STREAM_C_MKFIFO};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(commands) + 2; i++) {
		if (i)
			odd_target_release(&t);
		if (i)
			setup(NULL);
		put_file("o257-1-0", "README", "first");
		put_file("o258-1-0", "other", "second");
		if (i < ARRAY_SIZE(commands))
			put_path(&t.b, commands[i], "readme");
		else
			put_two_paths(&t.b, i == ARRAY_SIZE(commands) ? STREAM_C_SYMLINK : STREAM_C_LINK, "readme",
				      STREAM_A_PATH_LINK, i == ARRAY_SIZE(commands) ? "README" : "other");
		refused(EEXIST, "'readme' and 'README', which is there already, are one name on this filesystem");
		assert_true(odd_target_has(&t, "README", &st));
		assert_int_equal(st.st_nlink, 1);
		assert_string_equal(odd_target_read(&t, "README"), "first");
	}
}

static void test_another_spelling_of_one_file(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		put_file("o257-1-0", "readme", "text");
		put_rename("readme", "README");
		put_write(&t.b, "README", 4, "s", 1);
		assert_ok(odd_target_apply(&t));
		assert_string_equal(odd_target_read(&t, "README"), "texts");
		assert_false(odd_target_has(&t, "readme", NULL));
		odd_target_release(&t);
		setup(NULL);
		t.host.no_flags = true;
	}
}

/* So the kernel renames a file that is no directory: the new name, then the old one goes. */
static void put_relinked(const char *from, const char *to)
{
	put_two_paths(&t.b, STREAM_C_LINK, to, STREAM_A_PATH_LINK, from);
	put_path(&t.b, STREAM_C_UNLINK, from);
}

static void test_another_spelling_by_a_link(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		t.host.no_flags = i & 1;
		t.host.no_link = i & 2 ? EPERM : 0;
		put_file("o257-1-0", "readme", "text");
		put_relinked("readme", "README");
		put_write(&t.b, "README", 4, "s", 1);
		put_end(&t.b);
		assert_ok(odd_target_apply(&t));
		assert_string_equal(odd_target_read(&t, "README"), "texts");
		assert_false(odd_target_has(&t, "readme", NULL));
		odd_target_release(&t);
		setup(NULL);
	}
}

/* A file with another hard link, which is what the kernel may name then. */
static void test_another_spelling_of_a_link(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		t.host.no_link = i & 1 ? EPERM : 0;
		put_file("o257-1-0", "first", "text");
		put_two_paths(&t.b, STREAM_C_LINK, "readme", STREAM_A_PATH_LINK, "first");
		put_two_paths(&t.b, STREAM_C_LINK, "README", STREAM_A_PATH_LINK, "first");
		put_write(&t.b, "README", 4, "s", 1);
		if (i & 2)
			put_path(&t.b, STREAM_C_UNLINK, "first");
		put_path(&t.b, STREAM_C_UNLINK, "readme");
		put_end(&t.b);
		assert_ok(odd_target_apply(&t));
		assert_string_equal(odd_target_read(&t, "README"), "texts");
		assert_string_equal(odd_target_read(&t, "first"), i & 2 ? "" : "texts");
		assert_false(odd_target_has(&t, "readme", NULL));
		odd_target_release(&t);
		setup(NULL);
	}
}

/* The new name goes again instead. */
static void test_the_first_spelling_stays(void **state)
{
	put_file("o257-1-0", "readme", "text");
	put_relinked("readme", "README");
	put_relinked("README", "readme");
	put_two_paths(&t.b, STREAM_C_LINK, "Readme", STREAM_A_PATH_LINK, "readme");
	put_path(&t.b, STREAM_C_UNLINK, "Readme");
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_string_equal(odd_target_read(&t, "readme"), "text");
	assert_false(odd_target_has(&t, "Readme", NULL));
}

static void test_two_spellings_of_one_file_are_an_error_at_the_end(void **state)
{
	put_file("o257-1-0", "readme", "text");
	put_two_paths(&t.b, STREAM_C_LINK, "README", STREAM_A_PATH_LINK, "readme");
	put_end(&t.b);
	refused(EEXIST, "link 'README': 'README' and 'readme', which is there already, are one name on this filesystem");
	assert_string_equal(odd_target_read(&t, "readme"), "text");
}

/* Two hard links of one file are two names. */
static void test_a_link_is_no_spelling(void **state)
{
	put_file("o257-1-0", "a", "text");
	put_two_paths(&t.b, STREAM_C_LINK, "b", STREAM_A_PATH_LINK, "a");
	put_rename("a", "B");
	refused(EEXIST, "rename: 'B' and 'b', which is there already, are one name on this filesystem");
	assert_true(odd_target_has(&t, "a", NULL));
	assert_true(odd_target_has(&t, "b", NULL));
}

static void test_the_very_same_name_is_replaced(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		t.host.folds = i & 1;
		t.host.no_flags = i & 2;
		put_file("o257-1-0", "name", "first");
		put_file("o258-1-0", "name", "second");
		assert_ok(odd_target_apply(&t));
		assert_string_equal(odd_target_read(&t, "name"), "second");
		odd_target_release(&t);
		setup(NULL);
	}
}

static void put_size(const char *path)
{
	begin(&t.b, STREAM_C_TRUNCATE);
	attr_text(&t.b, STREAM_A_PATH, path);
	attr_u64(&t.b, STREAM_A_SIZE, 0);
	end(&t.b);
}

static void test_another_spelling_is_another_file(void **state)
{
	static const char there_is[] = "there is no '%s', but '%s', which is the same name on this filesystem";
	char file[200], dir[200];

	snprintf(file, sizeof(file), there_is, "readme", "README");
	snprintf(dir, sizeof(dir), there_is, "dir", "Dir");
	for (unsigned i = 0; i < 9; i++) {
		put_file("o257-1-0", "README", "text");
		put_path(&t.b, STREAM_C_MKDIR, "Dir");
		switch (i) {
		case 0: put_path(&t.b, STREAM_C_UNLINK, "readme"); break;
		case 1: put_write(&t.b, "readme", 0, "x", 1); break;
		case 2: put_size("readme"); break;
		case 3: put_rename("readme", "other"); break;
		case 4: put_two_paths(&t.b, STREAM_C_LINK, "other", STREAM_A_PATH_LINK, "readme"); break;
		case 5: put_clone(&t.b, "README", 0, 4, 1, "readme", 0); break;
		case 6: put_path(&t.b, STREAM_C_RMDIR, "dir"); break;
		case 7: put_path(&t.b, STREAM_C_MKFILE, "dir/file"); break;
		case 8: put_rename("README", "dir/file"); break;
		}
		refused(ENOENT, i < 6 ? file : dir);
		assert_string_equal(odd_target_read(&t, "README"), "text");
		assert_true(odd_target_has(&t, "Dir", NULL));
		odd_target_release(&t);
		setup(NULL);
	}
}

/* -E: what follows on the name that could not be given does not reach the file that has it. */
static void test_what_follows_a_failure_acts_on_nothing(void **state)
{
	t.pass_over = true;
	put_file("o257-1-0", "README", "first");
	put_file("o258-1-0", "readme", "second");
	put_size("readme");
	put_path(&t.b, STREAM_C_UNLINK, "readme");
	put_path(&t.b, STREAM_C_MKDIR, "Dir");
	put_path(&t.b, STREAM_C_MKDIR, "dir");
	put_file("o259-1-0", "dir/file", "third");
	assert_int_equal(odd_target_apply(&t), -EEXIST);
	assert_string_equal(odd_target_read(&t, "README"), "first");
	assert_false(odd_target_has(&t, "Dir/file", NULL));
}

/* Where names come out altered, what they lead to does not tell. */
static void test_what_follows_a_failure_on_an_altered_name(void **state)
{
	t.host.folds = false;
	t.host.cuts_dots = t.pass_over = true;
	put_path(&t.b, STREAM_C_MKDIR, "etc.");
	put_path(&t.b, STREAM_C_MKDIR, "etc");
	put_file("o259-1-0", "etc/file", "third");
	put_file("o260-1-0", "name.", "first");
	put_file("o261-1-0", "name", "second");
	assert_int_equal(odd_target_apply(&t), -EEXIST);
	assert_false(odd_target_has(&t, "etc/file", NULL));
	assert_string_equal(odd_target_read(&t, "name"), "first");
}

static u64 skipped(enum skipped_kind kind)
{
	return t.target->skipped.count[kind];
}

static void test_a_name_that_comes_out_altered_is_counted(void **state)
{
	t.host.folds = false;
	t.host.cuts_dots = true;
	put_file("o257-1-0", "etc.", "text");
	put_write(&t.b, "etc.", 4, "s", 1);
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	assert_string_equal(odd_target_read(&t, "etc"), "texts");
	assert_int_equal(skipped(SKIPPED_NAME), 1);
}

static void test_with_strict_an_altered_name_is_an_error(void **state)
{
	t.host.cuts_dots = true;
	odd_target_again(&t, &(const struct receive_options){.strict = true});
	put_file("o257-1-0", "etc.", "text");
	refused(EINVAL, "rename 'o257-1-0' to 'etc.' (inode 257): the filesystem makes 'etc' of the name");
}

/* Both ways round: neither file replaces the other. */
static void test_an_altered_name_is_taken(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		t.host.folds = false;
		t.host.cuts_dots = true;
		put_file("o257-1-0", i ? "etc" : "etc.", "first");
		put_file("o258-1-0", i ? "etc." : "etc", "second");
		assert_int_equal(odd_target_apply(&t), -EEXIST);
		assert_string_equal(odd_target_read(&t, "etc"), "first");
		odd_target_release(&t);
		setup(NULL);
	}
}

/* The next snapshot knows it, too. */
static void test_an_altered_name_of_the_parent_is_taken(void **state)
{
	t.host.folds = false;
	t.host.cuts_dots = true;
	put_file("o257-1-0", "etc.", "first");
	put_end(&t.b);
	assert_ok(odd_target_apply(&t));
	odd_target_again(&t, &(const struct receive_options){0});
	put_header(&t.b, 1);
	put_snapshot(&t.b, "next", 2, 1);
	put_file("o258-1-0", "etc", "second");
	assert_int_equal(odd_target_apply(&t), -EEXIST);
}

static void test_two_subvolumes_whose_names_are_one(void **state)
{
	put_end(&t.b);
	put_header(&t.b, 1);
	put_subvol(&t.b, "SNAP", 2);
	refused(EEXIST, "'SNAP' and 'snap', which is there already, are one name on this filesystem");
}

/* From call @at on none is made, as if the process had been killed there. */
static u64 killed_at;

static int kill_there(struct watched_host *w, enum host_call call)
{
	return w->calls >= killed_at ? EIO : 0;
}

static void put_respelled(void)
{
	put_header(&t.b, 1);
	put_subvol(&t.b, "snap", 1);
	put_file("o257-1-0", "readme", "text");
	put_rename("readme", "README");
	put_file("o258-1-0", "other.", "others");
	put_path(&t.b, STREAM_C_MKDIR, "Dir");
	put_rename("Dir", "dir");
	put_relinked("README", "ReadMe");
	put_rename("ReadMe", "dir/File");
	put_relinked("dir/File", "dir/file");
	put_end(&t.b);
}

static void test_killed_at_every_call(void **state)
{
	bool whole = false;

	for (killed_at = 1; !whole; killed_at++) {
		t.host.cuts_dots = true;
		t.b.len = 0;
		put_respelled();
		t.host.watched.calls = 0;
		t.host.watched.before = kill_there;
		whole = !odd_target_apply(&t);
		t.host.watched.before = NULL;
		odd_target_again(&t, &(const struct receive_options){.resume = true});
		put_respelled();
		assert_ok(odd_target_apply(&t));
		assert_string_equal(odd_target_read(&t, "dir/file"), "text");
		assert_string_equal(odd_target_read(&t, "other"), "others");
		assert_false(odd_target_has(&t, ".btrfly-respelled", NULL));
		odd_target_release(&t);
		setup(NULL);
	}
	assert_true(killed_at > 100);
}

/* So many calls for @files files. */
static u64 calls_for(unsigned files)
{
	char first[32], name[32];

	odd_target_release(&t);
	setup(NULL);
	t.host.folds = false;
	for (unsigned i = 0; i < files; i++) {
		snprintf(first, sizeof(first), "o%u-1-0", 257 + i);
		snprintf(name, sizeof(name), "name %u.", i);
		put_path(&t.b, STREAM_C_MKFILE, first);
		put_rename(first, name);
	}
	assert_ok(odd_target_apply(&t));
	return t.host.watched.calls - t.host.watched.count[HOST_PWRITE];
}

/* On other filesystems a file costs what it needs: open(), rename(), close(). */
static void test_elsewhere_names_cost_nothing(void **state)
{
	assert_int_equal(calls_for(200) - calls_for(100), 300);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_names_that_are_one_are_an_error),
		TEST(test_two_names_where_rename_has_no_flags),
		TEST(test_nothing_is_made_under_a_name_that_is_another_spelling),
		TEST(test_another_spelling_of_one_file),
		TEST(test_another_spelling_by_a_link),
		TEST(test_another_spelling_of_a_link),
		TEST(test_the_first_spelling_stays),
		TEST(test_two_spellings_of_one_file_are_an_error_at_the_end),
		TEST(test_a_link_is_no_spelling),
		TEST(test_the_very_same_name_is_replaced),
		TEST(test_another_spelling_is_another_file),
		TEST(test_what_follows_a_failure_acts_on_nothing),
		TEST(test_what_follows_a_failure_on_an_altered_name),
		TEST(test_a_name_that_comes_out_altered_is_counted),
		TEST(test_with_strict_an_altered_name_is_an_error),
		TEST(test_an_altered_name_is_taken),
		TEST(test_an_altered_name_of_the_parent_is_taken),
		TEST(test_two_subvolumes_whose_names_are_one),
		TEST(test_killed_at_every_call),
		TEST(test_elsewhere_names_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
