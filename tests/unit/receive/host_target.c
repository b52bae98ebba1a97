/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream says of what it builds on, and what lies in DIR, held against each other; and what somebody who owns DIR
 * can do there between two calls. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/stream_builder.h"
#include "support/watched_host.h"

#define PARTIAL ".one.btrfly-partial"

static char base[] = "/tmp/btrfly-host-target-XXXXXX";
static int base_fd;
static struct host host;
static struct watched_host watched;
static struct builder b;
static struct applier applier;

static int make_base(void **state)
{
	if (!mkdtemp(base))
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
	watched_host_init(&watched);
	b.len = 0;
	return mkdirat(base_fd, "dir", 0755) || fchdir(base_fd) || chdir("dir");
}

static int teardown(void **state)
{
	return tree_remove(&host, base_fd, "dir");
}

/* Apply what was built; the first failure. */
static int receive_as(struct receive_options options)
{
	struct stream_decoder d;
	struct target *target;
	size_t used;
	int ret = 0;

	options.host = &watched.host;
	assert_ok(directory_target_new(&target, open(".", O_RDONLY | O_DIRECTORY), &options));
	applier_init(&applier, target);
	stream_decoder_init(&d);
	for (size_t at = 0; at < b.len && ret >= 0; at += used) {
		ret = stream_decoder_feed(&d, b.bytes + at, b.len - at, &used);
		if (ret == STREAM_COMMAND)
			ret = applier_command(&applier, &d.command);
	}
	stream_decoder_release(&d);
	target->ops->free(target);
	b.len = 0;
	return ret < 0 ? ret : 0;
}

static int receive(bool resume)
{
	return receive_as((struct receive_options){.resume = resume});
}

static bool there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void put_subvol_as_of(const char *name, u8 uuid, u64 ctransid)
{
	begin(&b, STREAM_C_SUBVOL);
	attr_text(&b, STREAM_A_PATH, name);
	attr_uuid(&b, STREAM_A_UUID, uuid);
	attr_u64(&b, STREAM_A_CTRANSID, ctransid);
	end(&b);
}

static void put_clone_as_of(const char *path, u8 uuid, u64 ctransid)
{
	begin(&b, STREAM_C_CLONE);
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_u64(&b, STREAM_A_CLONE_LEN, 4);
	attr_text(&b, STREAM_A_PATH, path);
	attr_uuid(&b, STREAM_A_CLONE_UUID, uuid);
	attr_u64(&b, STREAM_A_CLONE_CTRANSID, ctransid);
	attr_text(&b, STREAM_A_CLONE_PATH, "file");
	attr_u64(&b, STREAM_A_CLONE_OFFSET, 0);
	end(&b);
}

static void put_whole(const char *name, u8 uuid, u64 ctransid)
{
	put_header(&b, 1);
	put_subvol_as_of(name, uuid, ctransid);
	put_path(&b, STREAM_C_MKFILE, "file");
	put_write(&b, "file", 0, "data", 4);
	put_end(&b);
}

/* Every time that a stream names a source it says which one it means. */
static void test_a_source_is_compared_each_time_that_it_is_another(void **state)
{
	/* A uuid of zeros is one like any other. */
	for (u8 uuid = 0; uuid < 2; uuid++) {
		put_whole(uuid ? "source" : "zero", uuid, 5);
		assert_ok(receive(false));
	}
	put_header(&b, 1);
	put_subvol(&b, "two", 2);
	put_path(&b, STREAM_C_MKFILE, "file");
	put_clone_as_of("file", 1, 5);
	put_clone_as_of("file", 1, 6);
	assert_int_equal(receive(false), -ESTALE);
	put_header(&b, 1);
	put_subvol(&b, "three", 3);
	put_path(&b, STREAM_C_MKFILE, "file");
	put_clone_as_of("file", 0, 6);
	assert_int_equal(receive(false), -ESTALE);
}

static void test_what_is_whole_is_passed_over_only_if_it_is_the_same(void **state)
{
	put_whole("one", 1, 5);
	assert_ok(receive(false));
	put_whole("one", 1, 5);
	assert_ok(receive(true));
	put_whole("one", 1, 6);
	assert_int_equal(receive(true), -EEXIST);
}

static int fail_rename_to_the_end(struct watched_host *w, enum host_call call)
{
	/* The journal and the record are renamed to their names as well. */
	return call == HOST_RENAME && there(".btrfly/01010101-0101-0101-0101-010101010101") ? EIO : 0;
}

static void test_what_is_sealed_gets_its_name_only_from_the_same_stream(void **state)
{
	put_whole("one", 1, 5);
	watched.before = fail_rename_to_the_end;
	assert_int_equal(receive(false), -EIO);
	watched.before = NULL;
	put_whole("one", 1, 6);
	assert_error(receive(true), EINVAL,
		     "stream offset 17: command 1: subvol 'one': an earlier run has received it as of transaction 5, and "
		     "this stream has it as of transaction 6: this is not the stream to resume");
	assert_false(there("one"));
	put_whole("one", 1, 5);
	assert_ok(receive(true));
	assert_true(there("one/file"));
}

static void put_setuid(bool fails)
{
	put_header(&b, 1);
	put_subvol_as_of("one", 1, 5);
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_MODE, 06755);
	end(&b);
	put_path(&b, STREAM_C_MKDIR, "dir");
	if (fails)
		put_path(&b, STREAM_C_UNLINK, "nothing");
	else
		put_end(&b);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Who distrusts a stream only on a second thought gets no more of it. */
static void test_an_earlier_run_trusted_the_stream(void **state)
{
	const struct receive_options untrusted = {.resume = true, .untrusted = true};

	if (geteuid())
		skip();
	put_setuid(true);
	assert_int_equal(receive(false), -ENOENT);
	assert_int_equal(mode_of(PARTIAL "/file"), 06755);
	put_setuid(true);
	assert_int_equal(receive_as(untrusted), -ENOENT);
	assert_int_equal(mode_of(PARTIAL "/file"), 0755);
	/* All of what is there now may be gone on with. */
	assert_int_equal(mknod(PARTIAL "/mark", S_IFREG | 0600, 0), 0);
	put_setuid(false);
	assert_ok(receive_as(untrusted));
	assert_int_equal(mode_of("one/file"), 0755);
	assert_true(there("one/mark"));
}

static void test_an_earlier_run_has_sealed_what_it_trusted(void **state)
{
	const struct receive_options untrusted = {.resume = true, .untrusted = true};

	if (geteuid())
		skip();
	put_setuid(false);
	watched.before = fail_rename_to_the_end;
	assert_int_equal(receive(false), -EIO);
	watched.before = NULL;
	put_setuid(false);
	assert_ok(receive_as(untrusted));
	assert_int_equal(mode_of("one/file"), 0755);
}

/* ---- Somebody else owns DIR ------------------------------------------------------------------------- */

static u64 swap_at; /* in front of this call DIR/other takes the partial tree's place */

static void swap(void)
{
	assert_int_equal(rename(PARTIAL, "aside") | rename("other", PARTIAL), 0);
}

static int swap_fresh(struct watched_host *w, enum host_call call)
{
	if (call == HOST_OPEN && there(PARTIAL) && there("other"))
		swap();
	return 0;
}

static int swap_at_call(struct watched_host *w, enum host_call call)
{
	if (w->calls == swap_at && there(PARTIAL) && there("other"))
		swap();
	return 0;
}

static void test_what_takes_a_fresh_trees_place_is_not_written_to(void **state)
{
	put_whole("one", 1, 5);
	assert_int_equal(mkdir("other", 0755) | mkdir("other/sub", 0755), 0);
	watched.before = swap_fresh;
	assert_error(receive(false), ESTALE,
		     "stream offset 17: command 1: subvol 'one': '.one.btrfly-partial' is not empty, and was only just "
		     "made");
	assert_false(there(PARTIAL "/file"));
}

static void test_a_fresh_tree_is_its_makers(void **state)
{
	if (geteuid())
		skip();
	put_whole("one", 1, 5);
	assert_int_equal(mkdir("other", 0755) | chown("other", 65534, 65534), 0);
	watched.before = swap_fresh;
	assert_error(receive(false), ESTALE,
		     "stream offset 17: command 1: subvol 'one': '.one.btrfly-partial' is owned by user 65534, and was only "
		     "just made by user 0");
	assert_false(there(PARTIAL "/file"));
}

static void test_nobody_else_writes_into_a_fresh_tree(void **state)
{
	struct stat st;

	put_header(&b, 1);
	put_subvol_as_of("one", 1, 5);
	put_end(&b);
	assert_int_equal(mkdir("other", 0755) | chmod("other", 0777), 0);
	watched.before = swap_fresh;
	assert_ok(receive(false));
	assert_int_equal(stat("one", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* An earlier run's tree, and another one with the same names beside it. */
static void leave_partial(void)
{
	put_header(&b, 1);
	put_subvol_as_of("one", 1, 5);
	put_path(&b, STREAM_C_MKFILE, "file");
	put_path(&b, STREAM_C_UNLINK, "nothing");
	assert_int_equal(receive(false), -ENOENT);
	assert_int_equal(mkdir("other", 0755) | mknod("other/file", S_IFREG | 0600, 0), 0);
}

static bool is_as_it_was(int other)
{
	struct stat st;

	return !fstatat(other, "file", &st, 0) && !st.st_size;
}

/* Whichever call it is in front of. */
static void test_what_takes_a_partial_trees_place_is_not_written_to(void **state)
{
	bool swapped = true;

	for (swap_at = 1; swapped; swap_at++) {
		leave_partial();

		int other = open("other", O_RDONLY | O_DIRECTORY);

		put_whole("one", 1, 5);
		watched.before = swap_at_call;
		watched.calls = 0;
		receive(true);
		watched.before = NULL;
		swapped = !there("other");
		if (!is_as_it_was(other))
			fail_msg("written to what took the tree's place in front of call %llu",
				 (unsigned long long)swap_at);
		close(other);
		assert_int_equal(teardown(NULL) | setup(NULL), 0);
	}
	assert_true(swap_at > 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_source_is_compared_each_time_that_it_is_another),
		TEST(test_what_is_whole_is_passed_over_only_if_it_is_the_same),
		TEST(test_what_is_sealed_gets_its_name_only_from_the_same_stream),
		TEST(test_an_earlier_run_trusted_the_stream),
		TEST(test_an_earlier_run_has_sealed_what_it_trusted),
		TEST(test_what_takes_a_fresh_trees_place_is_not_written_to),
		TEST(test_a_fresh_tree_is_its_makers),
		TEST(test_nobody_else_writes_into_a_fresh_tree),
		TEST(test_what_takes_a_partial_trees_place_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
