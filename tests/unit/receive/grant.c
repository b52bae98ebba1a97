/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps its owner out, opened up for one call: what is there behind it, whatever fails. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/grant.h"
#include "support/watched_host.h"

#define USER 65534

static char base[] = "/tmp/btrfly-grant-XXXXXX";
static struct watched_host watched;
static int dir;

/* Root's rights would hide everything. */
static int setup(void **state)
{
	if (!mkdtemp(base) || chmod(base, 0755) || chdir(base) || (!geteuid() && (chown(base, USER, USER) || seteuid(USER))))
		return 1;
	watched_host_init(&watched);
	if (mkdir("dir", 0500))
		return 1;
	dir = open("dir", O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int teardown(void **state)
{
	close(dir);
	if (chmod("dir", 0700) || rmdir("dir") || (!getuid() && seteuid(0)) || chdir("/") || rmdir(base))
		return 1;
	snprintf(base, sizeof(base), "/tmp/btrfly-grant-XXXXXX");
	return 0;
}

static mode_t mode(void)
{
	struct stat st;

	assert_int_equal(fstat(dir, &st), 0);
	return st.st_mode & 07777;
}

static int make(void)
{
	return mkdirat(dir, "sub", 0700) ? -errno : 0;
}

static void test_opened_up_for_one_call(void **state)
{
	struct grant g;

	assert_int_equal(make(), -EACCES);
	assert_true(grant_begin(&g, &watched.host, dir, NULL));
	assert_int_equal(grant_end(&g, make()), 0);
	assert_int_equal(mode(), 0500);
	assert_int_equal(fchmod(dir, 0700) | unlinkat(dir, "sub", AT_REMOVEDIR), 0);
	assert_false(grant_begin(&g, &watched.host, dir, NULL));
}

static enum host_call failing;

static int fail_one(struct watched_host *w, enum host_call call)
{
	return call == failing ? EIO : 0;
}

/* It would be left out and counted, were it taken for what a user may not do. */
static void test_a_disk_that_fails_is_no_lack_of_rights(void **state)
{
	struct grant g;

	static const enum host_call calls[] = {HOST_CHMOD, HOST_STAT};

	watched.before = fail_one;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		failing = calls[i];
		assert_true(grant_begin(&g, &watched.host, dir, NULL));
		assert_int_equal(grant_end(&g, make()), -EIO);
		assert_int_equal(mode(), 0500);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_opened_up_for_one_call),
		TEST(test_a_disk_that_fails_is_no_lack_of_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
