/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/tree_remove.h"
#include "support/scratch.h"
#include "support/small_thread.h"
#include "support/watched_host.h"

#define NOBODY 65534

static char base[SCRATCH_MAX];
static int dir;
static struct watched_host watched;
static struct host *const host = &watched.host;

/* Every test has the directory "tree" to fill, and one beside it that stays. */
static int setup(void **state)
{
	if (!scratch_make(base, "remove") || chmod(base, 0777))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY);
	watched_host_init(&watched);
	return mkdirat(dir, "tree", 0755) || mkdirat(dir, "beside", 0755) ||
	       mknodat(dir, "beside/file", S_IFREG | 0600, 0);
}

static int teardown(void **state)
{
	struct stat st;

	assert_int_equal(fstatat(dir, "beside/file", &st, 0), 0);
	unlinkat(dir, "beside/file", 0);
	unlinkat(dir, "beside", AT_REMOVEDIR);
	close(dir);
	return rmdir(base);
}

static bool there(const char *path)
{
	struct stat st;

	return !fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW);
}

static void make_directory(const char *path)
{
	assert_int_equal(mkdirat(dir, path, 0755), 0);
}

static void make_file(const char *path)
{
	assert_int_equal(mknodat(dir, path, S_IFREG | 0644, 0), 0);
}

static int remove_tree(void *name)
{
	return tree_remove(host, dir, name);
}

/* @depth directories in each other, with a file and an empty directory in each. */
static void make_chain(const char *name, int depth)
{
	int at = openat(dir, "tree", O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(at, name, 0755) | mkdirat(at, "empty", 0755) |
				 mknodat(at, "file", S_IFREG | 0600, 0), 0);

		int next = openat(at, name, O_RDONLY | O_DIRECTORY);

		close(at);
		assert_true(next >= 0);
		at = next;
	}
	close(at);
}

static void test_a_tree_deeper_than_any_path(void **state)
{
	make_chain("directory", 1500);
	assert_ok(in_small_thread(remove_tree, "tree"));
	assert_false(there("tree"));
}

static void test_what_is_not_there(void **state)
{
	assert_ok(tree_remove(host, dir, "nothing"));
	assert_ok(tree_remove(host, dir, "tree"));
}

static void test_a_single_file(void **state)
{
	make_file("file");
	assert_ok(tree_remove(host, dir, "file"));
	assert_false(there("file"));
	assert_ok(tree_remove(host, dir, "tree"));
}

static void test_no_symlink_is_followed(void **state)
{
	make_directory("tree/d");
	assert_int_equal(symlinkat("../beside", dir, "tree/link"), 0);
	assert_int_equal(symlinkat("../../beside", dir, "tree/d/link"), 0);
	assert_int_equal(symlinkat("..", dir, "tree/d/above"), 0);
	assert_ok(tree_remove(host, dir, "tree"));
	assert_int_equal(symlinkat("beside", dir, "link"), 0);
	assert_ok(tree_remove(host, dir, "link"));
	assert_false(there("link"));
}

/* More than are read at once. */
static void test_many_long_names(void **state)
{
	char name[260];

	make_directory("tree/d");
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "tree/d/%0240d", i);
		make_file(name);
	}
	assert_ok(tree_remove(host, dir, "tree"));
	assert_false(there("tree"));
}

static void become(uid_t user)
{
	if (!getuid())
		assert_int_equal(seteuid(user), 0);
}

/* He who owns the files need not be let in by their modes. */
static void test_directories_closed_to_their_owner(void **state)
{
	static const char *const paths[] = {"t", "t/0", "t/0/1", "t/0/1/2", "t/3"};

	become(NOBODY);
	watched_host_init(&watched);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		make_directory(paths[i]);
	make_file("t/0/file");
	make_file("t/0/1/2/file");
	for (size_t i = ARRAY_SIZE(paths); i--;)
		assert_int_equal(fchmodat(dir, paths[i], i == 4 ? 0500 : 0, 0), 0);

	int ret = tree_remove(host, dir, "t");

	become(0);
	assert_ok(ret);
	assert_false(there("t"));
	assert_ok(tree_remove(host, dir, "tree"));
}

/* Skips the test where mounting is not allowed. */
static void mount_something(const char *what, const char *path, const char *type, unsigned long flags)
{
	char from[200], to[200];

	snprintf(from, sizeof(from), "%s/%s", base, what);
	snprintf(to, sizeof(to), "%s/%s", base, path);
	if (!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount(from, to, type, flags, NULL))
		return;
	assert_ok(tree_remove(host, dir, "tree"));
	skip();
}

static void unmount(const char *path)
{
	char text[200];

	snprintf(text, sizeof(text), "%s/%s", base, path);
	assert_int_equal(umount(text), 0);
	assert_ok(tree_remove(host, dir, "tree"));
}

static void test_a_filesystem_that_is_mounted_there(void **state)
{
	make_directory("tree/d");
	make_directory("tree/d/mount");
	mount_something("", "tree/d/mount", "tmpfs", 0);
	make_file("tree/d/mount/kept");
	assert_error(tree_remove(host, dir, "tree"), EXDEV, "remove 'mount': something is mounted there");
	assert_true(there("tree/d/mount/kept"));
	unmount("tree/d/mount");
}

/* It has the device number of the tree itself. */
static void test_a_directory_of_the_same_filesystem_that_is_mounted_there(void **state)
{
	make_directory("tree/d");
	make_directory("tree/d/mount");
	mount_something("beside", "tree/d/mount", NULL, MS_BIND);
	assert_error(tree_remove(host, dir, "tree"), EXDEV, "remove 'mount': something is mounted there");
	assert_true(there("beside/file"));
	unmount("tree/d/mount");
}

static void test_a_tree_that_is_mounted_itself(void **state)
{
	mount_something("beside", "tree", NULL, MS_BIND);
	assert_error(tree_remove(host, dir, "tree"), EXDEV, "remove 'tree': something is mounted there");
	unmount("tree");
}

/* When the file in it, the fifth that is looked at, is to go. */
static int move_away(struct watched_host *w, enum host_call call)
{
	if (call == HOST_UNLINK && w->count[call] == 5)
		assert_int_equal(renameat(dir, "tree/a/b/c", dir, "beside/c"), 0);
	return 0;
}

static void test_a_directory_moved_away_meanwhile(void **state)
{
	make_directory("tree/a");
	make_directory("tree/a/b");
	make_directory("tree/a/b/c");
	make_file("tree/a/b/c/file");
	watched.before = move_away;
	assert_error(tree_remove(host, dir, "tree"), ESTALE,
		     "remove 'c': the directory was moved away meanwhile");
	watched.before = NULL;
	assert_true(there("beside/file"));
	assert_ok(tree_remove(host, dir, "tree"));
	assert_int_equal(unlinkat(dir, "beside/c", AT_REMOVEDIR), 0);
}

/* Only what is open goes, and not what has its name now. */
static void test_another_directory_under_the_name_stays(void **state)
{
	int fd;

	make_directory("mine");
	make_file("mine/file");
	fd = openat(dir, "mine", O_RDONLY | O_DIRECTORY);
	assert_int_equal(renameat(dir, "mine", dir, "aside"), 0);
	make_directory("mine");
	make_file("mine/file");
	assert_error(tree_remove_open(host, dir, "mine", fd), ESTALE, "remove 'mine': it was replaced meanwhile");
	assert_true(there("mine/file"));
	assert_ok(tree_remove_open(host, dir, "aside", fd));
	assert_false(there("aside"));
	close(fd);
	assert_ok(tree_remove(host, dir, "mine"));
	assert_ok(tree_remove(host, dir, "tree"));
}

static u64 failing;

static int fail_one(struct watched_host *w, enum host_call call)
{
	return w->calls == failing ? EIO : 0;
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Of each call that fails it is said; nothing stays open; and a second try takes the rest away. */
static void test_every_call_may_fail(void **state)
{
	int descriptors = count_descriptors();
	u64 failures = 0, calls;

	for (failing = 1;; failing++) {
		if (!there("tree"))
			make_directory("tree");
		make_chain("d", 3);
		watched_host_init(&watched);
		watched.before = fail_one;
		error_set(EINVAL, "of an earlier error");

		int ret = tree_remove(host, dir, "tree");

		calls = watched.calls;
		watched.before = NULL;
		assert_int_equal(count_descriptors(), descriptors);
		if (ret) {
			failures++;
			assert_int_equal(ret, -EIO);
			assert_null(strstr(error_message(), "of an earlier error"));
			assert_non_null(strstr(error_message(), "Input/output error"));
			assert_ok(tree_remove(host, dir, "tree"));
		}
		assert_false(there("tree"));
		if (failing > calls)
			break;
	}
	assert_true(failures > 30);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_tree_deeper_than_any_path),
		TEST(test_what_is_not_there),
		TEST(test_a_single_file),
		TEST(test_no_symlink_is_followed),
		TEST(test_many_long_names),
		TEST(test_directories_closed_to_their_owner),
		TEST(test_a_directory_moved_away_meanwhile),
		TEST(test_another_directory_under_the_name_stays),
		TEST(test_every_call_may_fail),
		TEST(test_a_filesystem_that_is_mounted_there),
		TEST(test_a_directory_of_the_same_filesystem_that_is_mounted_there),
		TEST(test_a_tree_that_is_mounted_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
