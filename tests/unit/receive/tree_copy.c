/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That a copy is equal in all that treediff looks at, tests/cli/receive.bats proves; here is what is hard to
 * see there. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "receive/tree_copy.h"
#include "receive/tree_remove.h"
#include "support/scratch.h"
#include "support/small_thread.h"
#include "support/watched_host.h"

#define NOBODY 65534

static char base[SCRATCH_MAX];
static int dir, from, to;
static struct watched_host watched;
static struct host *const host = &watched.host;
static struct tree_notes notes;

static int open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	watched_host_init(&watched);
	if (!scratch_make(base, "copy") || chmod(base, 0755))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(dir, "from", 0755) | mkdirat(dir, "to", 0755), 0);
	from = open_directory(dir, "from");
	to = open_directory(dir, "to");
	return 0;
}

static int teardown(void **state)
{
	watched.before = NULL;
	tree_notes_release(&notes);
	close(from);
	close(to);
	assert_ok(tree_remove(host, dir, "from"));
	assert_ok(tree_remove(host, dir, "to"));
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

/* Down @depth directories called @name, made on the way with @make; the descriptor of the last. */
static int go_down(int at, const char *name, int depth, bool make)
{
	at = dup(at);
	for (int i = 0; i < depth; i++) {
		if (make)
			assert_int_equal(mkdirat(at, name, 0755), 0);

		int next = open_directory(at, name);

		close(at);
		at = next;
	}
	return at;
}

static int copy(void *arg)
{
	return tree_copy(host, from, to, &notes);
}

/* Deeper than the longest path, and than directories may be open. */
static void test_a_deep_tree(void **state)
{
	enum { DEPTH = 1900 };
	struct stat a, b;
	int at = go_down(from, "directory", DEPTH, true), copied;

	make_file(at, "bottom", "x");
	assert_int_equal(linkat(at, "bottom", at, "again", 0), 0);
	assert_int_equal(linkat(at, "bottom", from, "above", 0), 0);
	assert_ok(in_small_thread(copy, NULL));
	copied = go_down(to, "directory", DEPTH, false);
	assert_int_equal(fstatat(copied, "bottom", &a, 0), 0);
	assert_int_equal(fstatat(to, "above", &b, 0), 0);
	assert_int_equal(a.st_nlink, 3);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(fstatat(copied, "again", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(at);
	close(copied);
}

static void test_hard_links_and_holes(void **state)
{
	struct stat a, b;
	int fd;

	assert_int_equal(mkdirat(from, "x", 0755) | mkdirat(from, "y", 0755), 0);
	fd = openat(from, "x/sparse", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "end", 3, 10 << 20), 3);
	close(fd);
	assert_int_equal(linkat(from, "x/sparse", from, "sparse", 0), 0);
	assert_int_equal(linkat(from, "x/sparse", from, "y/sparse", 0), 0);
	assert_int_equal(symlinkat("nowhere", from, "link"), 0);
	assert_int_equal(linkat(from, "link", from, "x/link", 0), 0);
	assert_int_equal(fchmodat(from, "y", 0500, 0), 0);
	assert_ok(tree_copy(host, from, to, &notes));
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
	assert_error(tree_copy(host, from, to, &notes), EEXIST,
		     "copy of the parent's 'file': create: File exists");
}

static void become(uid_t user)
{
	if (!getuid())
		assert_int_equal(seteuid(user), 0);
}

/* What both trees lie in belongs to an ordinary user from here on, and so do they. */
static void become_nobody(void)
{
	if (!geteuid())
		assert_int_equal(fchown(dir, NOBODY, NOBODY) | fchown(from, NOBODY, NOBODY) |
				 fchown(to, NOBODY, NOBODY), 0);
	become(NOBODY);
	watched_host_init(&watched);
}

static const struct {
	const char *path;
	mode_t mode;
} closed[] = {{"a", 0300}, {"a/0", 0200}, {"a/b", 0000}, {"a/b/c", 0100}, {"a/b/c/d", 0400}, {"a/e", 0200},
	      {"a/file", 0640}, {"a/b/c/d/file", 0}, {"a/b/c/file", 0400}, {"a/e/link", 0400}};
#define DIRECTORIES 6

/* Directories and files that their owner closed to himself, or not; to be opened from outside in. */
static void make_directories(void)
{
	for (size_t i = 0; i < DIRECTORIES; i++)
		assert_int_equal(mkdirat(from, closed[i].path, 0700), 0);
	make_file(from, "a/file", "1");
	make_file(from, "a/b/c/d/file", "2");
	/* Of the two other names one comes before a/b, and one behind it. */
	make_file(from, "a/b/c/file", "3");
	assert_int_equal(linkat(from, "a/b/c/file", from, "a/e/link", 0), 0);
	make_file(from, "a/b/c/other", "4");
	assert_int_equal(linkat(from, "a/b/c/other", from, "a/0/link", 0), 0);
}

static void close_directories(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
		assert_int_equal(fchmodat(from, closed[i].path, 0700, 0), 0);
	for (size_t i = ARRAY_SIZE(closed); i--;)
		assert_int_equal(fchmodat(from, closed[i].path, closed[i].mode, 0), 0);
}

static void modes_are(int at)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(closed); i++) {
		assert_int_equal(fstatat(at, closed[i].path, &st, AT_SYMLINK_NOFOLLOW), 0);
		if ((st.st_mode & 07777) != closed[i].mode)
			fail_msg("%s has mode %o", closed[i].path, st.st_mode & 07777);
	}
}

static void test_directories_closed_to_their_owner(void **state)
{
	struct stat a, b;

	become_nobody();
	make_directories();
	close_directories();

	int ret = tree_copy(host, from, to, &notes);

	become(0);
	assert_ok(ret);
	if (geteuid())
		skip(); /* nobody else can look into them */
	modes_are(from);
	modes_are(to);
	assert_int_equal(fstatat(to, "a/b/c/file", &a, 0), 0);
	assert_int_equal(fstatat(to, "a/e/link", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(fstatat(from, "a/b", &a, 0), 0);
	assert_int_equal(fstatat(to, "a/b", &b, 0), 0);
	assert_memory_equal(&a.st_mtim, &b.st_mtim, sizeof(a.st_mtim));
}

static u64 failing;
static enum host_call failed;

static int fail_one(struct watched_host *w, enum host_call call)
{
	if (w->calls != failing)
		return 0;
	failed = call;
	return EIO;
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void empty_the_copy(void)
{
	watched.before = NULL;
	close(to);
	assert_ok(tree_remove(host, dir, "to"));
	assert_int_equal(mkdirat(dir, "to", 0755), 0);
	to = open_directory(dir, "to");
}

/* The sentence is of the failure itself, or of what the call was to help against. */
static void failed_with_a_sentence(int ret)
{
	assert_true(ret == -EIO || ret == -EACCES);
	assert_null(strstr(error_message(), "of an earlier error"));
	assert_non_null(strstr(error_message(), strerror(-ret)));
}

/* Of each call that fails it is said, nothing stays open, and the parent's directories are as they were. */
static void test_every_call_may_fail(void **state)
{
	u64 failures = 0, calls;
	int descriptors;

	become_nobody();
	make_directories();
	descriptors = count_descriptors();
	for (failing = 1;; failing++) {
		close_directories();
		watched_host_init(&watched);
		watched.before = fail_one;
		error_set(EINVAL, "of an earlier error");

		int ret = tree_copy(host, from, to, &notes);

		calls = watched.calls;
		assert_int_equal(count_descriptors(), descriptors);
		if (ret) {
			failures++;
			failed_with_a_sentence(ret);
		}
		become(0);
		if (!geteuid() && (!ret || failed != HOST_CHMOD))
			modes_are(from);
		if (!geteuid() && !ret)
			modes_are(to);
		become(NOBODY);
		empty_the_copy();
		if (failing > calls)
			break;
	}
	become(0);
	assert_true(failures > 100);
}

static int swap_one(struct watched_host *w, enum host_call call)
{
	if (w->calls == failing)
		assert_int_equal(renameat2(dir, "private", from, "public", RENAME_EXCHANGE), 0);
	return 0;
}

/* What the copy holds, and who may read it, are of the same file. */
static void is_one_of_both(void)
{
	char content[8] = "", value;
	struct stat st;
	int fd = openat(to, "public", O_RDONLY);

	if (fd < 0)
		return;
	assert_int_equal(read(fd, content, 7), 7);
	assert_int_equal(fstat(fd, &st), 0);
	if (fgetxattr(fd, "user.of", &value, 1) == 1)
		assert_int_equal(value, content[1]);
	if ((st.st_mode & 077) && strcmp(content, "public!"))
		fail_msg("in front of call %llu: '%s' with mode %o", (unsigned long long)failing, content, st.st_mode);
	close(fd);
}

static void make_described(int at, const char *name, const char *content, mode_t mode)
{
	int fd;

	make_file(at, name, content);
	fd = openat(at, name, O_RDWR);
	assert_int_equal(fchmod(fd, mode), 0);
	if (fsetxattr(fd, "user.of", content + 1, 1, 0) && errno != EOPNOTSUPP)
		fail_msg("user.of cannot be set");
	close(fd);
}

/* Whoever may write to the parent exchanges files there between any two calls. */
static void test_a_file_replaced_meanwhile(void **state)
{
	u64 calls, refused = 0;

	for (failing = 1;; failing++) {
		make_described(from, "public", "public!", 0666);
		make_described(dir, "private", "private", 0600);
		watched_host_init(&watched);
		watched.before = swap_one;
		refused += tree_copy(host, from, to, &notes) == -ESTALE;
		calls = watched.calls;
		watched.before = NULL;
		is_one_of_both();
		assert_int_equal(unlinkat(from, "public", 0) | unlinkat(dir, "private", 0), 0);
		empty_the_copy();
		if (failing > calls)
			break;
	}
	assert_int_equal(refused, 1);
}

static int swap_directories(struct watched_host *w, enum host_call call)
{
	if (w->calls == failing)
		assert_int_equal(renameat2(from, "private", from, "public", RENAME_EXCHANGE), 0);
	return 0;
}

static void test_a_directory_replaced_meanwhile(void **state)
{
	struct stat st;
	u64 calls;

	assert_int_equal(mkdirat(from, "public", 0755) | mkdirat(from, "private", 0700), 0);
	make_file(from, "private/secret", "secret");
	for (failing = 1;; failing++) {
		watched_host_init(&watched);
		watched.before = swap_directories;
		tree_copy(host, from, to, &notes);
		calls = watched.calls;
		watched.before = NULL;
		if (!fstatat(to, "public", &st, 0) && (st.st_mode & 077))
			assert_int_equal(faccessat(to, "public/secret", F_OK, 0), -1);
		if (!fstatat(to, "private", &st, 0) && (st.st_mode & 077))
			assert_int_equal(faccessat(to, "private/secret", F_OK, 0), -1);
		empty_the_copy();
		if (failing > calls)
			break;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_deep_tree),
		TEST(test_hard_links_and_holes),
		TEST(test_what_is_in_the_way_is_an_error),
		TEST(test_directories_closed_to_their_owner),
		TEST(test_every_call_may_fail),
		TEST(test_a_file_replaced_meanwhile),
		TEST(test_a_directory_replaced_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
