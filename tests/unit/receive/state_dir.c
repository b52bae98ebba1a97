/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose what lies in DIR/.btrfly is, where the filesystem gives everything to one user. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "receive/state_dir.h"
#include "receive/tree_remove.h"

#define ROUNDS 200

static char base[] = "/tmp/btrfly-state-XXXXXX";
static int dir;

static int make_base(void **state)
{
	if (!mkdtemp(base))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int remove_base(void **state)
{
	struct host host;

	host_init(&host);
	assert_ok(tree_remove(&host, dir, STATE_DIRECTORY));
	close(dir);
	return rmdir(base);
}

/* A user whose files all belong to the one who runs the test: how often it was refused. */
static void *open_often(void *refused)
{
	struct host host;

	host_init(&host);
	host.user += 7;
	for (int i = 0; i < ROUNDS; i++) {
		int fd = state_dir_open(&host, dir, true);

		if (fd < 0)
			++*(int *)refused;
		else
			close(fd);
	}
	return NULL;
}

static void test_several_threads_ask_at_once(void **state)
{
	int refused[4] = {0};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_often, &refused[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(refused[i], 0);
}

static int says_it_made_it(struct host *h, int at, const char *name, mode_t mode)
{
	return 0;
}

/* Whoever may rename in DIR put a tree of ours there between the making and the opening. */
static void test_what_is_not_empty_gets_no_mark(void **state)
{
	struct host host;
	struct host_ops ops;
	int fd = openat(dir, STATE_DIRECTORY, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(dir, 0777), 0);
	if (fsetxattr(fd, "user.btrfly.state", "1", 1, 0)) {
		print_message("no extended attributes in /tmp\n");
		close(fd);
		skip();
	}
	assert_int_equal(fremovexattr(fd, "user.btrfly.state"), 0);
	fremovexattr(fd, "trusted.btrfly.state");
	assert_int_equal(mkdirat(fd, "tree", 0700), 0);
	host_init(&host);
	ops = *host.ops;
	ops.mkdir = says_it_made_it;
	host.ops = &ops;
	assert_error(state_dir_open(&host, dir, true), EPERM, 
		     ".btrfly does not bear the mark of what btrfly makes, and others can rename what lies beside it: what it "
		     "says is not believed");
	assert_true(fgetxattr(fd, "user.btrfly.state", NULL, 0) < 0);

	assert_int_equal(unlinkat(fd, "tree", AT_REMOVEDIR), 0);
	close(state_dir_open(&host, dir, true));
	assert_int_equal(fgetxattr(fd, "user.btrfly.state", NULL, 0), 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_threads_ask_at_once),
		cmocka_unit_test(test_what_is_not_empty_gets_no_mark),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
