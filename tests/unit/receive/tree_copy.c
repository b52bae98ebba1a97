/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That a copy is equal in all that treediff looks at, tests/cli/receive.bats proves; here is what is hard to
 * see there. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/tree_copy.h"
#include "receive/tree_remove.h"

static char base[] = "/tmp/btrfly-copy-XXXXXX";
static int dir, from, to;
static struct host host;
static struct tree_notes notes;

static int open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	host_init(&host);
	snprintf(base, sizeof(base), "/tmp/btrfly-copy-XXXXXX");
	if (!mkdtemp(base))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(dir, "from", 0755) | mkdirat(dir, "to", 0755), 0);
	from = open_directory(dir, "from");
	to = open_directory(dir, "to");
	return 0;
}

static int teardown(void **state)
{
	tree_notes_release(&notes);
	close(from);
	close(to);
	assert_ok(tree_remove(&host, dir, "from"));
	assert_ok(tree_remove(&host, dir, "to"));
	close(dir);
	return rmdir(base);
}

static void make_file(int at, const char *name, const char *content)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* Far more levels than directories that may be open; tree_remove(&host, ) takes them away again. */
static void test_a_deep_tree(void **state)
{
	enum { DEPTH = 1900 };
	int at = dup(from);
	struct stat st;

	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);

		int next = open_directory(at, "d");

		close(at);
		at = next;
	}
	make_file(at, "bottom", "x");
	close(at);
	assert_ok(tree_copy(&host, from, to, &notes));
	at = dup(to);
	for (int i = 0; i < DEPTH; i++) {
		int next = open_directory(at, "d");

		close(at);
		at = next;
	}
	assert_int_equal(fstatat(at, "bottom", &st, 0), 0);
	close(at);
}

/* The tree's own paths are not limited, but those of commands are. */
static void test_a_path_that_no_command_can_name(void **state)
{
	char name[201];
	int at = dup(from);

	memset(name, 'n', sizeof(name));
	name[200] = '\0';
	for (int i = 0; i < 21; i++) {
		assert_int_equal(mkdirat(at, name, 0755), 0);

		int next = open_directory(at, name);

		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(tree_copy(&host, from, to, &notes), -ENAMETOOLONG);
	assert_non_null(strstr(error_message(), "the path is longer than 4096"));
}

static void test_hard_links_and_holes(void **state)
{
	struct stat a, b;
	int fd;

	assert_int_equal(mkdirat(from, "x", 0755) | mkdirat(from, "y", 0500), 0);
	fd = openat(from, "x/sparse", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "end", 3, 10 << 20), 3);
	close(fd);
	assert_int_equal(linkat(from, "x/sparse", from, "sparse", 0), 0);
	assert_int_equal(linkat(from, "x/sparse", from, "y/sparse", 0), 0);
	assert_int_equal(symlinkat("nowhere", from, "link"), 0);
	assert_int_equal(linkat(from, "link", from, "x/link", 0), 0);
	assert_ok(tree_copy(&host, from, to, &notes));
	assert_int_equal(fstatat(to, "sparse", &a, 0), 0);
	assert_int_equal(fstatat(to, "y/sparse", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_nlink, 3);
	assert_int_equal(a.st_size, (10 << 20) + 3);
	assert_true(a.st_blocks < 100);
	assert_int_equal(fstatat(to, "link", &a, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(to, "x/link", &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_true(S_ISLNK(a.st_mode));
}

static void test_what_is_in_the_way_is_an_error(void **state)
{
	make_file(from, "file", "x");
	make_file(to, "file", "y");
	assert_error(tree_copy(&host, from, to, &notes), EEXIST,
		     "copy of the parent's 'file': create: File exists");
}

static void test_removing_what_is_not_there(void **state)
{
	assert_ok(tree_remove(&host, dir, "nothing"));
}

static void test_removing_follows_no_symlink(void **state)
{
	struct stat st;

	make_file(from, "kept", "x");
	assert_int_equal(symlinkat("../from", to, "link"), 0);
	assert_ok(tree_remove(&host, dir, "to"));
	assert_int_equal(fstatat(from, "kept", &st, 0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_deep_tree),
		TEST(test_a_path_that_no_command_can_name),
		TEST(test_hard_links_and_holes),
		TEST(test_what_is_in_the_way_is_an_error),
		TEST(test_removing_what_is_not_there),
		TEST(test_removing_follows_no_symlink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
