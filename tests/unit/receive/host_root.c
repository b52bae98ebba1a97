/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While a tree is received its root is nobody else's, and at the end it is as the stream says. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/entry.h"
#include "receive/notes.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/stream_builder.h"
#include "support/watched_host.h"

#define PARTIAL ".one.btrfly-partial"
#define ACCESS "system.posix_acl_access"
#define SOMEBODY 65534

/* An access list as the kernel has it: version, then tag, rights and id of each entry. */
#define ENTRY(tag, rights, id) tag, 0, rights, 0, (u8)(id), (u8)((id) >> 8), (u8)((id) >> 16), (u8)((u32)(id) >> 24)
static const u8 list[] = {
	2, 0, 0, 0,
	ENTRY(0x01, 7, -1),   /* owner */
	ENTRY(0x02, 7, 1234), /* user 1234 */
	ENTRY(0x04, 5, -1),   /* group */
	ENTRY(0x10, 7, -1),   /* mask */
	ENTRY(0x20, 0, -1),   /* others */
};

static char base[] = "/tmp/btrfly-host-root-XXXXXX";
static int base_fd;
static struct host host;
static struct watched_host watched;
static struct builder b;
static struct applier applier;
static bool has_lists; /* the filesystem */

static int make_base(void **state)
{
	if (!mkdtemp(base))
		return 1;
	host_init(&host);
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	has_lists = !setxattr(base, ACCESS, list, sizeof(list), 0) && !removexattr(base, ACCESS);
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
static int receive(bool resume)
{
	const struct receive_options options = {.resume = resume, .host = &watched.host};
	struct stream_decoder d;
	struct target *target;
	size_t used;
	int ret = 0;

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

static uid_t owner(void)
{
	return geteuid() ? geteuid() : SOMEBODY;
}

static gid_t group(void)
{
	return geteuid() ? getegid() : SOMEBODY;
}

static void put_owner(void)
{
	begin(&b, STREAM_C_CHOWN);
	attr_text(&b, STREAM_A_PATH, "");
	attr_u64(&b, STREAM_A_UID, owner());
	attr_u64(&b, STREAM_A_GID, group());
	end(&b);
}

static void put_mode(u64 mode)
{
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, "");
	attr_u64(&b, STREAM_A_MODE, mode);
	end(&b);
}

static void put_list(void)
{
	begin(&b, STREAM_C_SET_XATTR);
	attr_text(&b, STREAM_A_PATH, "");
	attr_text(&b, STREAM_A_XATTR_NAME, ACCESS);
	attr(&b, STREAM_A_XATTR_DATA, list, sizeof(list));
	end(&b);
}

static void put_no_list(void)
{
	begin(&b, STREAM_C_REMOVE_XATTR);
	attr_text(&b, STREAM_A_PATH, "");
	attr_text(&b, STREAM_A_XATTR_NAME, ACCESS);
	end(&b);
}

static bool has_list(const char *path)
{
	return getxattr(path, ACCESS, NULL, 0) > 0;
}

static void assert_root(const char *path, uid_t uid, gid_t gid, mode_t mode, bool with_list)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(has_list(path), with_list);
}

static void assert_closed(void)
{
	assert_root(PARTIAL, geteuid(), getegid(), 0700, false);
}

/* A subvolume that opens its root to all; @fails behind the commands on it. */
static void put_open(const char *name, bool fails)
{
	put_header(&b, 1);
	put_subvol(&b, name, 1);
	if (has_lists)
		put_list();
	put_owner();
	put_mode(0775);
	put_path(&b, STREAM_C_MKFILE, "file");
	if (fails)
		put_path(&b, STREAM_C_UNLINK, "nothing");
	else
		put_end(&b);
}

static void test_the_root_is_closed_until_the_end(void **state)
{
	put_open("one", true);
	assert_int_equal(receive(false), -ENOENT);
	assert_closed();
}

static void test_the_root_is_given_at_the_end(void **state)
{
	put_open("one", false);
	assert_ok(receive(false));
	assert_root("one", owner(), group(), 0775, has_lists);
}

/* What is there already when the run that resumes comes to its end. */
static void mark(void)
{
	assert_int_equal(mknod(PARTIAL "/mark", S_IFREG | 0600, 0), 0);
}

static bool is_marked(void)
{
	return !access("one/mark", F_OK);
}

/* Only the journal has it. */
static void test_the_root_is_given_by_the_run_that_resumes(void **state)
{
	put_open("one", true);
	assert_int_equal(receive(false), -ENOENT);
	mark();
	put_open("one", false);
	assert_ok(receive(true));
	assert_true(is_marked());
	assert_root("one", owner(), group(), 0775, has_lists);
}

static void begin_snapshot(void)
{
	put_open("parent", false);
	assert_ok(receive(false));
	put_header(&b, 1);
	put_snapshot(&b, "one", 2, 1);
}

static void put_snapshot_that_is_silent(bool fails)
{
	begin_snapshot();
	put_path(&b, STREAM_C_MKFILE, "new");
	if (fails)
		put_path(&b, STREAM_C_UNLINK, "nothing");
	else
		put_end(&b);
}

static void test_a_snapshots_root_is_as_the_parents(void **state)
{
	put_snapshot_that_is_silent(false);
	assert_ok(receive(false));
	assert_root("one", owner(), group(), 0775, has_lists);
}

static void test_a_snapshots_root_is_closed_until_the_end(void **state)
{
	put_snapshot_that_is_silent(true);
	assert_int_equal(receive(false), -ENOENT);
	assert_closed();
	mark();
	put_header(&b, 1);
	put_snapshot(&b, "one", 2, 1);
	put_path(&b, STREAM_C_MKFILE, "new");
	put_end(&b);
	assert_ok(receive(true));
	assert_true(is_marked());
	assert_root("one", owner(), group(), 0775, has_lists);
}

/* A list changes the mode, and the mode a list. */
static void test_list_and_mode_come_in_the_streams_order(void **state)
{
	if (!has_lists)
		skip();
	for (int list_last = 0; list_last < 2; list_last++) {
		put_header(&b, 1);
		put_subvol(&b, list_last ? "list" : "mode", (u8)(1 + list_last));
		if (!list_last)
			put_list();
		put_mode(0705);
		if (list_last)
			put_list();
		put_end(&b);
		assert_ok(receive(false));
	}
	assert_root("mode", geteuid(), getegid(), 0705, true);
	assert_root("list", geteuid(), getegid(), 0770, true);
}

static void test_a_list_that_the_stream_removes_is_not_the_parents(void **state)
{
	if (!has_lists)
		skip();
	begin_snapshot();
	put_no_list();
	put_end(&b);
	assert_ok(receive(false));
	assert_root("one", owner(), group(), 0775, false);
}

static int fail_flush(struct watched_host *w, enum host_call call)
{
	return call == HOST_SYNCFS ? EIO : 0;
}

/* Whoever has got the root may have changed what lies in it. */
static void test_a_root_that_was_given_is_not_gone_on_with(void **state)
{
	if (geteuid())
		skip();
	put_open("one", false);
	watched.before = fail_flush;
	assert_int_equal(receive(false), -EIO);
	watched.before = NULL;
	assert_root(PARTIAL, SOMEBODY, SOMEBODY, 0775, has_lists);
	mark();
	put_open("one", false);
	assert_ok(receive(true));
	assert_false(is_marked());
	assert_root("one", owner(), group(), 0775, has_lists);
}

/* A journal that is written anew has all of it, in the order that counts. */
static void test_what_the_root_is_given_is_read_as_it_was_written(void **state)
{
	for (int access_last = 0; access_last < 2; access_last++) {
		struct tree_notes out = {0}, in = {0};
		struct buffer entries = {0};
		struct entry e;
		size_t at = 0;

		assert_ok(tree_notes_set_owner(&out, 1ull << 40, 7, true));
		if (access_last)
			assert_ok(tree_notes_set_mode(&out, 0100755, true));
		assert_ok(tree_notes_set_access(&out, list, sizeof(list), false));
		if (!access_last)
			assert_ok(tree_notes_set_mode(&out, 0100755, true));
		assert_ok(tree_notes_write(&out, &entries, true));
		assert_int_equal(entries.len, 0);
		assert_ok(tree_notes_write(&out, &entries, false));
		while (entry_next(entries.data, entries.len, &at, &e) == 1) {
			assert_ok(tree_notes_read(&in, &e));
			assert_false(e.bad);
		}
		assert_int_equal(at, entries.len);
		assert_int_equal(in.root.noted, 7);
		assert_int_equal(in.root.from_parent, 1 << ROOT_OWNER | 1 << ROOT_MODE);
		assert_int_equal(in.root.uid, 1ull << 40);
		assert_int_equal(in.root.gid, 7);
		assert_int_equal(in.root.mode, 0755);
		assert_int_equal(in.root.access.len, sizeof(list));
		assert_memory_equal(in.root.access.data, list, sizeof(list));
		assert_int_equal(in.root.access_last, access_last);
		buffer_release(&entries);
		tree_notes_release(&out);
		tree_notes_release(&in);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_root_is_closed_until_the_end),
		TEST(test_the_root_is_given_at_the_end),
		TEST(test_the_root_is_given_by_the_run_that_resumes),
		TEST(test_a_snapshots_root_is_as_the_parents),
		TEST(test_a_snapshots_root_is_closed_until_the_end),
		TEST(test_list_and_mode_come_in_the_streams_order),
		TEST(test_a_list_that_the_stream_removes_is_not_the_parents),
		TEST(test_a_root_that_was_given_is_not_gone_on_with),
		TEST(test_what_the_root_is_given_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
