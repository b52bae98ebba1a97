/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The final name, on filesystems that lack a call for it. */
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/partial.h"
#include "support/watched_host.h"

static char base[] = "/tmp/btrfly-partial-XXXXXX";
static struct watched_host watched;
static int dir;

static int make_base(void **state)
{
	if (!mkdtemp(base) || chdir(base))
		return 1;
	dir = open(".", O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int remove_base(void **state)
{
	close(dir);
	return chdir("/") || rmdir(base);
}

static int setup(void **state)
{
	watched_host_init(&watched);
	return mkdir("partial", 0755);
}

static int teardown(void **state)
{
	rmdir("partial");
	rmdir("name");
	return 0;
}

static int fail_first_rename(struct watched_host *w, enum host_call call)
{
	return call == HOST_RENAME && w->count[HOST_RENAME] == 1 ? EINVAL : 0;
}

static void test_without_a_rename_that_replaces_nothing(void **state)
{
	watched.before = fail_first_rename;
	assert_ok(partial_rename(&watched.host, dir, "partial", "name"));
	assert_int_equal(access("name", F_OK), 0);
}

static void test_a_name_that_is_taken_there(void **state)
{
	assert_int_equal(mkdir("name", 0755), 0);
	watched.before = fail_first_rename;
	assert_error(partial_rename(&watched.host, dir, "partial", "name"), EEXIST,
		     "rename 'partial' to 'name': File exists");
	assert_int_equal(access("partial", F_OK), 0);
}

static int without_sync(struct watched_host *w, enum host_call call)
{
	return call == HOST_SYNC ? EINVAL : 0;
}

static void test_a_directory_that_cannot_be_flushed(void **state)
{
	watched.before = without_sync;
	assert_ok(partial_rename(&watched.host, dir, "partial", "name"));
}

static int fail_sync(struct watched_host *w, enum host_call call)
{
	return call == HOST_SYNC ? EIO : 0;
}

static void test_a_disk_that_fails(void **state)
{
	watched.before = fail_sync;
	assert_error(partial_rename(&watched.host, dir, "partial", "name"), EIO,
		     "flush the directory: Input/output error");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_rename_that_replaces_nothing),
		TEST(test_a_name_that_is_taken_there),
		TEST(test_a_directory_that_cannot_be_flushed),
		TEST(test_a_disk_that_fails),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
