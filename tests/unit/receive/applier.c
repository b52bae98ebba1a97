/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several subvolumes in one input of which commands fail, and are passed over: what becomes of the others. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "receive/directory.h"
#include "receive/receive.h"
#include "receive/tree_remove.h"
#include "support/stream_builder.h"

#define PARTIAL "dir/.one.btrfly-partial"

static char base[] = "/tmp/btrfly-applier-XXXXXX";
static int base_fd;
static struct host host;
static struct builder b;
static char said[1000]; /* the failures that were passed over */

static int make_base(void **state)
{
	if (!mkdtemp(base) || chdir(base))
		return 1;
	host_init(&host);
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int remove_base(void **state)
{
	close(base_fd);
	return chdir("/") || rmdir(base);
}

static int setup(void **state)
{
	b.len = 0;
	said[0] = '\0';
	return mkdir("dir", 0755);
}

static int teardown(void **state)
{
	return tree_remove(&host, base_fd, "dir");
}

static void note_failure(struct receive_watch *w)
{
	size_t used = strlen(said);

	snprintf(said + used, sizeof(said) - used, "%s\n", error_message());
}

/* All that was built, from a file, with all failures passed over. */
static int receive(bool resume, bool one_stream)
{
	const struct receive_options options = {.resume = resume};
	struct receive_watch watch = {.failed = note_failure};
	struct stream_pump pump = {.fd = memfd_create("stream", MFD_CLOEXEC), .stop_at_end = one_stream};
	struct target *target;
	int ret;

	assert_int_equal(write(pump.fd, b.bytes, b.len), b.len);
	assert_int_equal(lseek(pump.fd, 0, SEEK_SET), 0);
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	ret = receive_stream(&pump, target, &watch);
	target->ops->free(target);
	close(pump.fd);
	return ret;
}

static bool there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void put_file(const char *path)
{
	put_path(&b, STREAM_C_MKFILE, path);
}

/* The stream has no END between its subvolumes, as `btrfs send -e` makes them. */
static void test_a_subvolume_that_the_decoder_refuses_ends_the_one_before(void **state)
{
	char name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_file("of-one");
	put_subvol(&b, name, 2);
	put_file("of-two");
	put_subvol(&b, "three", 3);
	put_file("of-three");
	put_end(&b);
	assert_int_equal(receive(false, false), -EINVAL);
	assert_false(there(PARTIAL "/of-two"));
	assert_true(there("dir/three/of-three"));

	/* Nothing of the first failed: an intact stream goes on with it. */
	b.len = 0;
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_file("of-one");
	put_end(&b);
	said[0] = '\0';
	assert_ok(receive(true, false));
	assert_true(there("dir/one/of-one"));
	assert_false(there(PARTIAL));
}

static void test_a_subvolume_behind_one_that_is_not_whole(void **state)
{
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_path(&b, STREAM_C_UNLINK, "nothing");
	put_subvol(&b, "two", 2);
	put_file("of-two");
	put_end(&b);
	assert_int_equal(receive(false, false), -EIO);
	assert_false(there("dir/one"));
	assert_true(there("dir/two/of-two"));
}

static void test_another_stream_does_no_harm_to_what_can_be_gone_on_with(void **state)
{
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_file("first");
	assert_int_equal(receive(false, false), -EINVAL);

	b.len = 0;
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_file("another");
	put_file("of-another");
	put_end(&b);
	assert_int_equal(receive(true, false), -EINVAL);
	assert_non_null(strstr(said, "this is not the stream to resume"));
	assert_false(there(PARTIAL "/of-another"));

	b.len = 0;
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_file("first");
	put_file("second");
	put_end(&b);
	assert_ok(receive(true, false));
	assert_true(there("dir/one/first") && there("dir/one/second"));
}

/* The other end of the descriptor may be somebody who wants it so. */
static void test_a_stream_that_comes_late_on_a_descriptor_that_does_not_block(void **state)
{
	const struct receive_options options = {0};
	struct stream_pump pump = {.max_errors = 1};
	struct target *target;
	int ends[2], status;
	pid_t child;

	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_end(&b);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		usleep(100000);
		_exit(write(ends[1], b.bytes, b.len) != (ssize_t)b.len);
	}
	close(ends[1]);
	pump.fd = ends[0];
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	assert_ok(receive_stream(&pump, target, NULL));
	target->ops->free(target);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(there("dir/one"));
}

/* Whatever fails, what follows is somebody else's to read. */
static void test_one_stream_ends_with_an_end_that_fails(void **state)
{
	put_header(&b, 1);
	put_subvol(&b, "one", 1);
	put_path(&b, STREAM_C_UNLINK, "nothing");
	put_end(&b);
	put_header(&b, 1);
	put_subvol(&b, "two", 2);
	put_end(&b);
	assert_int_equal(receive(false, true), -EIO);
	assert_false(there("dir/two"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_subvolume_that_the_decoder_refuses_ends_the_one_before),
		TEST(test_a_subvolume_behind_one_that_is_not_whole),
		TEST(test_another_stream_does_no_harm_to_what_can_be_gone_on_with),
		TEST(test_a_stream_that_comes_late_on_a_descriptor_that_does_not_block),
		TEST(test_one_stream_ends_with_an_end_that_fails),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
