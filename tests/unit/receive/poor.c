/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A filesystem that has regular files and directories, and nothing else: a filter refuses mknodat,
 * symlinkat and every call on extended attributes.  What cannot be made is counted, and later commands
 * on it have nothing to do.
 */
#include "support/test.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/stream_builder.h"

static char base[] = "/tmp/btrfly-poor-XXXXXX";
static int base_fd;
static struct host host;
static struct builder b;
static struct target *target;
static struct applier applier;

static int refuse_calls(void)
{
	static const int refused[] = {SYS_mknodat,	    SYS_symlinkat,	SYS_lsetxattr, SYS_fsetxattr,
				      SYS_lremovexattr, SYS_fremovexattr, 463,	       466};
	struct sock_filter filter[3 + ARRAY_SIZE(refused)] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {ARRAY_SIZE(filter), filter};
	const size_t n = ARRAY_SIZE(refused);

	for (size_t i = 0; i < n; i++)
		filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], n - i, 0);
	filter[1 + n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[2 + n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int make_base(void **state)
{
	if (!mkdtemp(base) || refuse_calls())
		return 1;
	host_init(&host);
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int remove_base(void **state)
{
	close(base_fd);
	return rmdir(base);
}

static void begin_target(bool strict)
{
	const struct receive_options options = {.strict = strict};

	b.len = 0;
	put_header(&b, 1);
	put_subvol(&b, "snap", 1);
	assert_int_equal(mkdirat(base_fd, "dir", 0755), 0);
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	applier_init(&applier, target);
}

static int setup(void **state)
{
	begin_target(false);
	return 0;
}

static int teardown(void **state)
{
	target->ops->free(target);
	return tree_remove(&host, base_fd, "dir");
}

static int apply(void)
{
	struct stream_decoder d;
	size_t used;
	int ret = 0;

	stream_decoder_init(&d);
	for (size_t at = 0; at < b.len && ret >= 0; at += used) {
		ret = stream_decoder_feed(&d, b.bytes + at, b.len - at, &used);
		if (ret == STREAM_COMMAND)
			ret = applier_command(&applier, &d.command);
	}
	stream_decoder_release(&d);
	return ret < 0 ? ret : 0;
}

static void put_mode(const char *path)
{
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_MODE, 0644);
	end(&b);
}

static bool there(const char *path)
{
	struct stat st;

	return !fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW);
}

static void test_what_cannot_be_made_is_left_out_with_all_that_follows(void **state)
{
	char text[200];

	put_path(&b, STREAM_C_MKDIR, "dir");
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	put_mode("fifo");
	put_two_paths(&b, STREAM_C_RENAME, "fifo", STREAM_A_PATH_TO, "dir/fifo");
	put_path(&b, STREAM_C_MKSOCK, "sock");
	put_two_paths(&b, STREAM_C_SYMLINK, "link", STREAM_A_PATH_LINK, "fifo");
	put_two_paths(&b, STREAM_C_LINK, "again", STREAM_A_PATH_LINK, "link");
	put_two_paths(&b, STREAM_C_RENAME, "dir", STREAM_A_PATH_TO, "moved");
	put_mode("moved/fifo");
	put_path(&b, STREAM_C_UNLINK, "sock");
	put_mode("again");
	put_path(&b, STREAM_C_MKFILE, "file");
	put_end(&b);
	assert_ok(apply());
	assert_true(skipped_text(&target->skipped, text, sizeof(text)) > 0);
	assert_string_equal(text, "2 fifos or sockets, 1 symlink");
	assert_true(there("dir/snap/file"));
	assert_false(there("dir/snap/moved/fifo"));
}

/* The next incremental stream knows what is not there. */
static void test_a_snapshot_inherits_what_is_missing(void **state)
{
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	put_end(&b);
	put_header(&b, 1);
	put_snapshot(&b, "next", 2, 1);
	put_mode("fifo");
	put_two_paths(&b, STREAM_C_RENAME, "fifo", STREAM_A_PATH_TO, "renamed");
	put_end(&b);
	put_header(&b, 1);
	put_snapshot(&b, "last", 3, 2);
	put_mode("renamed");
	put_path(&b, STREAM_C_UNLINK, "renamed");
	put_end(&b);
	assert_ok(apply());
	b.len = 0;
	put_header(&b, 1);
	put_snapshot(&b, "too-far", 4, 3);
	put_mode("renamed");
	put_end(&b);
	assert_int_equal(apply(), -ENOENT);
}

static void test_attributes_are_counted_by_kind(void **state)
{
	static const char *const keys[] = {"user.a", "user.b", "trusted.a", "security.a",
					   "system.posix_acl_access", "btrfs.compression"};
	char text[200];

	put_path(&b, STREAM_C_MKFILE, "file");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		begin(&b, STREAM_C_SET_XATTR);
		attr_text(&b, STREAM_A_PATH, "file");
		attr_text(&b, STREAM_A_XATTR_NAME, keys[i]);
		attr_text(&b, STREAM_A_XATTR_DATA, "x");
		end(&b);
	}
	assert_ok(apply());
	skipped_text(&target->skipped, text, sizeof(text));
	assert_string_equal(text, "1 trusted attribute, 1 security attribute, 1 access control list, "
				  "3 other extended attributes");
}

static void test_with_strict_it_is_an_error(void **state)
{
	assert_int_equal(teardown(NULL), 0);
	begin_target(true);
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	assert_error(apply(), EOPNOTSUPP,
		     "stream offset 67: command 2: mkfifo 'fifo' (inode 257): cannot keep the fifo or "
		     "socket: Operation not supported");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_cannot_be_made_is_left_out_with_all_that_follows),
		TEST(test_a_snapshot_inherits_what_is_missing),
		TEST(test_attributes_are_counted_by_kind),
		TEST(test_with_strict_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
