/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's table: that a receive goes through all of it, and what becomes of a call that fails. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/scratch.h"
#include "support/stream_builder.h"
#include "support/watched_host.h"

#define NOBODY 65534

static char base[SCRATCH_MAX];
static int base_fd;
static struct builder b;
static struct watched_host watched;
static struct target *target;
static struct applier applier;

static int make_base(void **state)
{
	if (!scratch_make(base, "host"))
		return 1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int remove_base(void **state)
{
	close(base_fd);
	return rmdir(base);
}

static int setup(void **state)
{
	const struct receive_options options = {.sparse = true, .force_parent = true, .host = &watched.host};

	watched_host_init(&watched);
	b.len = 0;
	put_header(&b, 3);
	put_subvol(&b, "snap", 1);
	assert_int_equal(mkdirat(base_fd, "dir", 0755), 0);
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	applier_init(&applier, target);
	return 0;
}

static int teardown(void **state)
{
	watched.before = NULL;
	target->ops->free(target);
	return tree_remove(&watched.host, base_fd, "dir");
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

static void put_data(const char *path, u64 offset, const void *data, size_t len)
{
	begin(&b, STREAM_C_WRITE);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_FILE_OFFSET, offset);
	attr_data_v2(&b, data, len);
	end(&b);
}

static void put_names(void)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_path(&b, STREAM_C_MKDIR, "dir");
	put_path(&b, STREAM_C_MKDIR, "dir/sub");
	put_path(&b, STREAM_C_MKFILE, "dir/sub/other");
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	put_path(&b, STREAM_C_MKSOCK, "sock");
	begin(&b, STREAM_C_MKNOD);
	attr_text(&b, STREAM_A_PATH, "null");
	attr_u64(&b, STREAM_A_INO, 300);
	attr_u64(&b, STREAM_A_MODE, S_IFIFO | 0600);
	attr_u64(&b, STREAM_A_RDEV, 0);
	end(&b);
	put_two_paths(&b, STREAM_C_SYMLINK, "symlink", STREAM_A_PATH_LINK, "file");
	put_two_paths(&b, STREAM_C_LINK, "dir/link", STREAM_A_PATH_LINK, "file");
	put_two_paths(&b, STREAM_C_RENAME, "sock", STREAM_A_PATH_TO, "dir/sock");
	put_path(&b, STREAM_C_UNLINK, "dir/sock");
	put_path(&b, STREAM_C_MKDIR, "empty");
	put_path(&b, STREAM_C_RMDIR, "empty");
}

static void put_content(void)
{
	put_data("file", 0, "abc", 3);
	begin(&b, STREAM_C_ENCODED_WRITE);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILE_OFFSET, 3);
	attr_u64(&b, STREAM_A_UNENCODED_FILE_LEN, 3);
	attr_u64(&b, STREAM_A_UNENCODED_LEN, 3);
	attr_u64(&b, STREAM_A_UNENCODED_OFFSET, 0);
	attr_data_v2(&b, "def", 3);
	end(&b);
	put_clone(&b, "dir/sub/other", 0, 6, 1, "file", 0);
	begin(&b, STREAM_C_FALLOCATE);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u32(&b, STREAM_A_FALLOCATE_MODE, 3);
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_u64(&b, STREAM_A_SIZE, 1);
	end(&b);
	begin(&b, STREAM_C_TRUNCATE);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_SIZE, 10000);
	end(&b);
	begin(&b, STREAM_C_UPDATE_EXTENT);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_u64(&b, STREAM_A_SIZE, 10);
	end(&b);
}

static void put_attributes(void)
{
	static const char *const keys[] = {"user.kept", "user.gone"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		begin(&b, STREAM_C_SET_XATTR);
		attr_text(&b, STREAM_A_PATH, "file");
		attr_text(&b, STREAM_A_XATTR_NAME, keys[i]);
		attr_text(&b, STREAM_A_XATTR_DATA, "value");
		end(&b);
	}
	begin(&b, STREAM_C_REMOVE_XATTR);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_text(&b, STREAM_A_XATTR_NAME, "user.gone");
	end(&b);
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_MODE, 0640);
	end(&b);
	begin(&b, STREAM_C_CHOWN);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_UID, 12345);
	attr_u64(&b, STREAM_A_GID, 12345);
	end(&b);
	begin(&b, STREAM_C_FILEATTR);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILEATTR, 1 << 6); /* nodump */
	end(&b);
	begin(&b, STREAM_C_ENABLE_VERITY);
	attr_text(&b, STREAM_A_PATH, "dir/sub/other");
	attr_u8(&b, STREAM_A_VERITY_ALGORITHM, 1);
	attr_u32(&b, STREAM_A_VERITY_BLOCK_SIZE, 4096);
	attr_text(&b, STREAM_A_VERITY_SALT_DATA, "");
	attr_text(&b, STREAM_A_VERITY_SIG_DATA, "");
	end(&b);
	begin(&b, STREAM_C_UTIMES);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_time(&b, STREAM_A_ATIME, 1, 1);
	attr_time(&b, STREAM_A_MTIME, 1, 1);
	attr_time(&b, STREAM_A_CTIME, 1, 1);
	end(&b);
}

/* A stream with every command, and a snapshot of what it made. */
static void put_everything(void)
{
	put_names();
	put_content();
	put_attributes();
	put_end(&b);
	put_header(&b, 3);
	put_snapshot(&b, "next", 2, 1);
	put_end(&b);
}

/* No reflinks and no copies by the kernel, wherever the test runs. */
static int refuse_copies(struct watched_host *w, enum host_call call)
{
	return call == HOST_IOCTL || call == HOST_COPY_RANGE ? EOPNOTSUPP : 0;
}

static bool is_needed(enum host_call call)
{
	/* Only a mounted btrfs, a full disk and an ordinary user need these. */
	return call != HOST_OPEN_HANDLE && call != HOST_STATFS && call != HOST_PATH;
}

static void test_every_call_goes_through_the_table(void **state)
{
	struct stat st;

	watched.before = refuse_copies;
	put_everything();
	assert_ok(apply());
	for (enum host_call call = 0; call < HOST_CALLS; call++)
		if (is_needed(call) && !watched.count[call])
			fail_msg("no %s() was counted", host_call_name(call));
	assert_int_equal(fstatat(base_fd, "dir/next/dir/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_size, 10000);
}

static int refuse_close(struct watched_host *w, enum host_call call)
{
	return call == HOST_CLOSE ? EDQUOT : 0;
}

static void test_what_close_says_of_a_written_file_is_an_error(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_data("file", 0, "abc", 3);
	assert_ok(apply());
	watched.before = refuse_close;
	b.len = 0;
	put_header(&b, 3);
	put_path(&b, STREAM_C_MKFILE, "next");
	assert_error(apply(), EDQUOT,
		     "stream offset 17: command 1: mkfile 'next' (inode 257): close 'file': Disk quota exceeded");
}

static u64 failing;
static int descriptors;

static int fail_one(struct watched_host *w, enum host_call call)
{
	return w->calls == failing ? EIO : refuse_copies(w, call);
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The sentence is of the failure itself, and nothing stays open. */
static void receive_failing(void)
{
	int ret;

	put_everything();
	watched.before = fail_one;
	error_set(EINVAL, "of an earlier error");
	ret = apply();
	if (ret && strstr(error_message(), "of an earlier error"))
		fail_msg("call %llu: %s", (unsigned long long)failing, error_message());
	watched.before = NULL;
	target->ops->free(target);
	assert_int_equal(count_descriptors(), descriptors);
}

static void test_every_call_may_fail(void **state)
{
	u64 calls;

	assert_int_equal(teardown(NULL), 0);
	descriptors = count_descriptors();
	for (failing = 1;; failing++) {
		assert_int_equal(setup(NULL), 0);
		receive_failing();
		calls = watched.calls;
		assert_ok(tree_remove(&watched.host, base_fd, "dir"));
		if (failing > calls)
			break;
	}
	assert_int_equal(setup(NULL), 0);
	assert_true(calls > 200);
}

static int fail_one_chmod(struct watched_host *w, enum host_call call)
{
	return call == HOST_CHMOD && w->count[call] == failing ? EIO : 0;
}

static void put_mode(const char *path, u64 mode)
{
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_MODE, mode);
	end(&b);
}

/* Commands in directories, and on a file, that their owner has closed to himself. */
static void put_commands_behind_closed_doors(void)
{
	put_path(&b, STREAM_C_MKDIR, "d");
	put_path(&b, STREAM_C_MKDIR, "d/e");
	put_path(&b, STREAM_C_MKFILE, "d/e/file");
	put_mode("d/e/file", 0);
	put_mode("d/e", 0);
	put_mode("d", 0500);
	put_path(&b, STREAM_C_MKFILE, "d/e/new");
	put_path(&b, STREAM_C_MKDIR, "d/sub");
	put_mode("d/sub", 0500);
	put_data("d/e/file", 0, "abc", 3);
	begin(&b, STREAM_C_SET_XATTR);
	attr_text(&b, STREAM_A_PATH, "d/e/file");
	attr_text(&b, STREAM_A_XATTR_NAME, "user.x");
	attr_text(&b, STREAM_A_XATTR_DATA, "x");
	end(&b);
	put_two_paths(&b, STREAM_C_LINK, "d/link", STREAM_A_PATH_LINK, "d/e/new");
	put_two_paths(&b, STREAM_C_RENAME, "d/sub", STREAM_A_PATH_TO, "d/e/sub");
	put_path(&b, STREAM_C_UNLINK, "d/link");
	put_end(&b);
}

static void modes_are_right(void)
{
	struct stat st;

	assert_int_equal(fstatat(base_fd, "dir/snap/d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0500);
	assert_int_equal(fstatat(base_fd, "dir/snap/d/e", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0);
	if (geteuid())
		return; /* nobody else looks into it */
	assert_int_equal(fstatat(base_fd, "dir/snap/d/e/file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0);
	assert_int_equal(fstatat(base_fd, "dir/snap/d/e/sub", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0500);
}

static void become(uid_t user)
{
	if (!getuid())
		assert_int_equal(seteuid(user), 0);
}

static void test_a_mode_that_cannot_be_put_back_is_an_error(void **state)
{
	u64 calls, failures = 0;

	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(fchmod(base_fd, 0777), 0);
	for (failing = 1;; failing++) {
		become(NOBODY);
		assert_int_equal(setup(NULL), 0);
		put_commands_behind_closed_doors();
		watched.before = fail_one_chmod;

		int ret = apply();

		calls = watched.count[HOST_CHMOD];
		become(0);
		if (ret)
			failures++;
		else
			modes_are_right();
		become(NOBODY);
		assert_int_equal(teardown(NULL), 0);
		if (failing > calls)
			break;
	}
	become(0);
	assert_int_equal(setup(NULL), 0);
	assert_true(failures > 15);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_call_goes_through_the_table),
		TEST(test_what_close_says_of_a_written_file_is_an_error),
		TEST(test_every_call_may_fail),
		TEST(test_a_mode_that_cannot_be_put_back_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
