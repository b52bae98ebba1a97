/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams that try to get out of DIR, or to make the receiver do what it should not: each must be
 * refused, and nothing outside may be touched.  All of it runs twice, the second time behind a filter
 * that hides openat2, fchmodat2 and the calls of the xattrat family, as older kernels do.
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
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "stream/decode.h"
#include "support/stream_builder.h"

/* Every stream has a fresh directory with outside/, outside/file and outside/sub/, and dir/, the target's. */
static char base[] = "/tmp/btrfly-hostile-XXXXXX";
static char here[100];
static unsigned number;
static struct builder b;
static struct target *target;
static struct applier applier;

static const char secret[] = "what lies outside";

static int make_base(void **state)
{
	umask(022);
	return !mkdtemp(base);
}

static int remove_base(void **state)
{
	if (chdir("/"))
		return 1;

	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

static void make_outside(void)
{
	const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	snprintf(here, sizeof(here), "%s/%u", base, number++);
	assert_int_equal(mkdir(here, 0755), 0);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(mkdir("outside", 0755), 0);
	assert_int_equal(mkdir("outside/sub", 0750), 0);

	FILE *f = fopen("outside/file", "w");

	assert_non_null(f);
	fputs(secret, f);
	fclose(f);
	assert_int_equal(chmod("outside/file", 0640), 0);
	assert_int_equal(utimensat(AT_FDCWD, "outside/file", times, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, "outside", times, 0), 0);
}

static int setup(void **state)
{
	const struct receive_options options = {0};

	make_outside();
	b.len = 0;
	put_header(&b, 3);
	put_subvol(&b, "snap", 1);
	if (directory_target_new(&target, open("dir", O_RDONLY | O_DIRECTORY), &options))
		return 1;
	applier_init(&applier, target);
	return 0;
}

/* Nothing outside has changed. */
static int teardown(void **state)
{
	char have[100] = "";
	struct stat st;
	FILE *f = fopen("outside/file", "r");

	target->ops->free(target);
	assert_non_null(f);
	assert_true(fread(have, 1, sizeof(have), f) == strlen(secret));
	fclose(f);
	assert_string_equal(have, secret);
	assert_int_equal(stat("outside/file", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(listxattr("outside/file", NULL, 0), 0);
	assert_int_equal(stat("outside/sub", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(stat("outside", &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	return 0;
}

/* Apply what was built; the first failure. */
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

static void refused(const char *part)
{
	int ret = apply();

	if (!ret)
		fail_msg("a hostile stream was applied; expected: %s", part);
	if (!strstr(error_message(), part))
		fail_msg("'%s' does not say '%s'", error_message(), part);
}

static void put_link(const char *path, const char *to)
{
	put_two_paths(&b, STREAM_C_SYMLINK, path, STREAM_A_PATH_LINK, to);
}

/* A command of every kind, acting on @path. */
static void put_command(u16 cmd, const char *path)
{
	begin(&b, cmd);
	attr_text(&b, STREAM_A_PATH, path);
	switch (cmd) {
	case STREAM_C_MKFILE:
	case STREAM_C_MKDIR:
	case STREAM_C_MKFIFO:
	case STREAM_C_MKSOCK:
		attr_u64(&b, STREAM_A_INO, 300);
		break;
	case STREAM_C_MKNOD:
		attr_u64(&b, STREAM_A_INO, 300);
		attr_u64(&b, STREAM_A_MODE, S_IFCHR);
		attr_u64(&b, STREAM_A_RDEV, 0);
		break;
	case STREAM_C_SYMLINK:
		attr_u64(&b, STREAM_A_INO, 300);
		attr_text(&b, STREAM_A_PATH_LINK, "x");
		break;
	case STREAM_C_RENAME:
		attr_text(&b, STREAM_A_PATH_TO, "renamed");
		break;
	case STREAM_C_LINK:
		attr_text(&b, STREAM_A_PATH_LINK, "file");
		break;
	case STREAM_C_SET_XATTR:
		attr_text(&b, STREAM_A_XATTR_NAME, "user.x");
		attr_text(&b, STREAM_A_XATTR_DATA, "x");
		break;
	case STREAM_C_REMOVE_XATTR:
		attr_text(&b, STREAM_A_XATTR_NAME, "user.x");
		break;
	case STREAM_C_CLONE:
		attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
		attr_u64(&b, STREAM_A_CLONE_LEN, 1);
		attr_uuid(&b, STREAM_A_CLONE_UUID, 1);
		attr_u64(&b, STREAM_A_CLONE_CTRANSID, 1);
		attr_text(&b, STREAM_A_CLONE_PATH, "file");
		attr_u64(&b, STREAM_A_CLONE_OFFSET, 0);
		break;
	case STREAM_C_TRUNCATE:
		attr_u64(&b, STREAM_A_SIZE, 1);
		break;
	case STREAM_C_CHMOD:
		attr_u64(&b, STREAM_A_MODE, 0777);
		break;
	case STREAM_C_CHOWN:
		attr_u64(&b, STREAM_A_UID, 12345);
		attr_u64(&b, STREAM_A_GID, 12345);
		break;
	case STREAM_C_UTIMES:
		attr_time(&b, STREAM_A_ATIME, 1, 1);
		attr_time(&b, STREAM_A_MTIME, 1, 1);
		attr_time(&b, STREAM_A_CTIME, 1, 1);
		break;
	case STREAM_C_FALLOCATE:
		attr_u32(&b, STREAM_A_FALLOCATE_MODE, 3);
		attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
		attr_u64(&b, STREAM_A_SIZE, 5);
		break;
	case STREAM_C_FILEATTR:
		attr_u64(&b, STREAM_A_FILEATTR, 1 << 8);
		break;
	case STREAM_C_ENABLE_VERITY:
		attr_u8(&b, STREAM_A_VERITY_ALGORITHM, 1);
		attr_u32(&b, STREAM_A_VERITY_BLOCK_SIZE, 4096);
		attr_text(&b, STREAM_A_VERITY_SALT_DATA, "");
		attr_text(&b, STREAM_A_VERITY_SIG_DATA, "");
		break;
	case STREAM_C_ENCODED_WRITE:
		attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
		attr_u64(&b, STREAM_A_UNENCODED_FILE_LEN, 3);
		attr_u64(&b, STREAM_A_UNENCODED_LEN, 3);
		attr_u64(&b, STREAM_A_UNENCODED_OFFSET, 0);
		attr_data_v2(&b, "abc", 3);
		break;
	case STREAM_C_WRITE:
		attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
		attr_data_v2(&b, "abc", 3);
		break;
	}
	end(&b);
}

/* Of the commands that take a path within the subvolume only this one never looks at it. */
static bool acts(u16 cmd)
{
	return cmd >= STREAM_C_MKFILE && cmd <= STREAM_C_MAX && cmd != STREAM_C_END &&
	       cmd != STREAM_C_UPDATE_EXTENT;
}

static void again(void)
{
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
}

static void test_no_command_takes_a_path_that_leads_out(void **state)
{
	static const char *const paths[][2] = {
		{"..", "'..'"},	       {"../outside/file", "'..'"}, {"a/../../outside/file", "'..'"},
		{"a/..", "'..'"},      {".", "'.'"},		    {"./file", "'.'"},
		{"/etc/x", "absolute"}, {"/", "absolute"},	    {"a//b", "empty component"},
		{"a/", "empty component"},
	};

	for (u16 cmd = STREAM_C_MKFILE; cmd <= STREAM_C_MAX; cmd++) {
		for (size_t i = 0; acts(cmd) && i < ARRAY_SIZE(paths); i++) {
			put_path(&b, STREAM_C_MKFILE, "file");
			put_path(&b, STREAM_C_MKDIR, "a");
			put_command(cmd, paths[i][0]);
			refused(paths[i][1]);
			again();
		}
	}
}

/* A symlink that the stream itself made is no way out, absolute or relative, first or later. */
static void test_no_command_goes_through_a_symlink(void **state)
{
	static const char *const links[] = {"../../outside", "by-absolute-path", "../../outside", "d", "."};
	static const char *const paths[] = {"link/file", "d/link/file", "link/sub/file", "link/file",
					    "d/link/file"};
	char absolute[200];

	for (u16 cmd = STREAM_C_MKFILE; cmd <= STREAM_C_MAX; cmd++) {
		for (size_t i = 0; acts(cmd) && i < ARRAY_SIZE(links); i++) {
			const char *to = i == 1 ? absolute : links[i];

			snprintf(absolute, sizeof(absolute), "%s/outside", here);
			put_path(&b, STREAM_C_MKFILE, "file");
			put_path(&b, STREAM_C_MKDIR, "d");
			put_path(&b, STREAM_C_MKFILE, "d/file");
			put_link("link", to);
			put_link("d/link", to);
			put_command(cmd, paths[i]);
			refused("leads through a symlink");
			again();
		}
	}
}

/* The last component: the symlink itself is meant, or it is refused. */
static void test_no_command_follows_the_last_symlink(void **state)
{
	char absolute[200];

	for (u16 cmd = STREAM_C_MKFILE; cmd <= STREAM_C_MAX; cmd++) {
		if (!acts(cmd))
			continue;
		snprintf(absolute, sizeof(absolute), "%s/outside/file", here);
		put_path(&b, STREAM_C_MKFILE, "file");
		put_link("link", absolute);
		put_command(cmd, "link");
		apply();
		again();
	}
}

static void test_writing_into_a_symlink_is_refused(void **state)
{
	put_link("link", "../../outside/file");
	put_command(STREAM_C_WRITE, "link");
	refused("write 'link' (inode 257): it is a symlink");
}

static void test_chmod_of_a_symlink_is_refused(void **state)
{
	put_link("link", "../../outside/file");
	put_command(STREAM_C_CHMOD, "link");
	refused("chmod 'link' (inode 257): a symlink has no mode");
}

static void test_times_and_owner_are_the_symlinks_own(void **state)
{
	struct stat st;

	put_link("link", "../../outside/file");
	put_command(STREAM_C_UTIMES, "link");
	assert_ok(apply());
	assert_int_equal(lstat("dir/.snap.btrfly-partial/link", &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1);
}

static void second_path(u16 cmd, u16 attribute, const char *to, const char *part)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_link("link", "../../outside");
	put_two_paths(&b, cmd, cmd == STREAM_C_RENAME ? "file" : "new", attribute, to);
	refused(part);
	again();
}

static void test_no_hard_link_to_outside(void **state)
{
	second_path(STREAM_C_LINK, STREAM_A_PATH_LINK, "../../outside/file", "component '..'");
	second_path(STREAM_C_LINK, STREAM_A_PATH_LINK, "/etc/passwd", "is absolute");
	second_path(STREAM_C_LINK, STREAM_A_PATH_LINK, "link/file", "leads through a symlink");
}

static void test_a_hard_link_to_a_symlink_is_one_to_the_symlink(void **state)
{
	struct stat st;

	put_link("link", "../../outside/file");
	put_two_paths(&b, STREAM_C_LINK, "new", STREAM_A_PATH_LINK, "link");
	assert_ok(apply());
	assert_int_equal(lstat("dir/.snap.btrfly-partial/new", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_no_rename_to_outside(void **state)
{
	second_path(STREAM_C_RENAME, STREAM_A_PATH_TO, "../../outside/new", "component '..'");
	second_path(STREAM_C_RENAME, STREAM_A_PATH_TO, "/tmp/new", "is absolute");
	second_path(STREAM_C_RENAME, STREAM_A_PATH_TO, "link/new", "leads through a symlink");
}

static void test_rename_over_a_symlink_replaces_the_symlink(void **state)
{
	struct stat st;

	put_path(&b, STREAM_C_MKFILE, "file");
	put_link("link", "../../outside/file");
	put_two_paths(&b, STREAM_C_RENAME, "file", STREAM_A_PATH_TO, "link");
	put_command(STREAM_C_WRITE, "link");
	assert_ok(apply());
	assert_int_equal(lstat("dir/.snap.btrfly-partial/link", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 3);
}

/* The directory that was open for the last command is not the one that the path leads to now. */
static void test_a_directory_replaced_by_a_symlink(void **state)
{
	put_path(&b, STREAM_C_MKDIR, "d");
	put_path(&b, STREAM_C_MKFILE, "d/file");
	put_command(STREAM_C_WRITE, "d/file");
	put_two_paths(&b, STREAM_C_RENAME, "d", STREAM_A_PATH_TO, "e");
	put_link("d", "../../outside");
	put_command(STREAM_C_WRITE, "d/file");
	refused("leads through a symlink");
}

static void test_a_file_replaced_by_a_symlink(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_command(STREAM_C_WRITE, "file");
	put_command(STREAM_C_UNLINK, "file");
	put_link("file", "../../outside/file");
	put_command(STREAM_C_WRITE, "file");
	refused("it is a symlink");
}

static void clone_from(u8 uuid, const char *path, const char *part)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_link("link", "../../outside");
	put_link("last", "../../outside/file");
	put_clone(&b, "file", 0, 4, uuid, path, 0);
	refused(part);
	again();
}

static void test_no_clone_from_outside(void **state)
{
	clone_from(1, "../../outside/file", "component '..'");
	clone_from(1, "/etc/passwd", "is absolute");
	clone_from(1, "link/file", "source: the path leads through a symlink");
	clone_from(1, "last", "source: it is a symlink");
	clone_from(9, "file", "did not find source subvol");
}

static void clone_ranges(u64 offset, u64 len, u64 from_offset, const char *part)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_command(STREAM_C_WRITE, "file");
	put_clone(&b, "file", offset, len, 1, "file", from_offset);
	refused(part);
	again();
}

static void test_clones_that_make_no_sense(void **state)
{
	clone_ranges(0, 4, 0, "[0, +4) is not within the source's 3 bytes");
	clone_ranges(0, 1, UINT64_MAX, "beyond what a file can hold");
	clone_ranges(UINT64_MAX, 1, 0, "beyond what a file can hold");
	clone_ranges(1, 2, 0, "the ranges overlap");
}

static void test_names_of_subvolumes_stay_in_dir(void **state)
{
	static const char *const names[] = {"", ".", "..", "../x", "a/b", "/x", ".btrfly"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		b.len = 17;
		put_subvol(&b, names[i], 2);
		assert_true(apply() < 0);
		again();
	}
}

static void test_a_subvolumes_name_longer_than_any(void **state)
{
	char name[4001];

	memset(name, 'n', sizeof(name));
	name[4000] = '\0';
	b.len = 17;
	put_subvol(&b, name, 2);
	refused("attribute path of 4000 bytes is longer than 255 bytes");
}

static void test_a_record_that_is_a_symlink_is_not_followed(void **state)
{
	assert_int_equal(symlink("../outside", "dir/.btrfly"), 0);
	put_end(&b);
	refused("open .btrfly");
}

static void test_a_fifo_is_not_opened(void **state)
{
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	put_command(STREAM_C_WRITE, "fifo");
	refused("write 'fifo' (inode 257): it is no regular file");
	again();
	put_path(&b, STREAM_C_MKFIFO, "fifo");
	put_path(&b, STREAM_C_MKFILE, "file");
	put_clone(&b, "file", 0, 1, 1, "fifo", 0);
	refused("source: it is no regular file");
}

static void test_a_device_is_not_opened(void **state)
{
	if (geteuid())
		skip();
	begin(&b, STREAM_C_MKNOD);
	attr_text(&b, STREAM_A_PATH, "null");
	attr_u64(&b, STREAM_A_INO, 300);
	attr_u64(&b, STREAM_A_MODE, S_IFCHR | 0600);
	attr_u64(&b, STREAM_A_RDEV, makedev(1, 3));
	end(&b);
	put_command(STREAM_C_WRITE, "null");
	refused("write 'null' (inode 300): it is no regular file");
}

static void test_mknod_makes_no_regular_file(void **state)
{
	begin(&b, STREAM_C_MKNOD);
	attr_text(&b, STREAM_A_PATH, "x");
	attr_u64(&b, STREAM_A_INO, 300);
	attr_u64(&b, STREAM_A_MODE, S_IFREG | 0600);
	attr_u64(&b, STREAM_A_RDEV, 0);
	end(&b);
	refused("mode 100600 is of no device");
}

static void test_a_file_is_not_made_twice(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_path(&b, STREAM_C_MKFILE, "file");
	refused("mkfile 'file' (inode 257): create: File exists");
}

static void test_the_root_is_not_removed_or_renamed(void **state)
{
	put_command(STREAM_C_RMDIR, "");
	refused("rmdir '': the path is empty");
	again();
	put_command(STREAM_C_RENAME, "");
	refused("path is empty");
}

static void test_special_times_are_no_times(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_UTIMES);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_time(&b, STREAM_A_ATIME, 1, 0x3fffffff); /* UTIME_NOW */
	attr_time(&b, STREAM_A_MTIME, 1, 0);
	attr_time(&b, STREAM_A_CTIME, 1, 0);
	end(&b);
	refused("utimes 'file' (inode 257): atime has 1073741823 nanoseconds");
}

static void test_an_owner_that_means_leave_alone(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_CHOWN);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_UID, UINT32_MAX);
	attr_u64(&b, STREAM_A_GID, 0);
	end(&b);
	refused("no owner has the numbers 4294967295:0");
}

static void test_commands_outside_of_a_subvolume(void **state)
{
	b.len = 17;
	put_path(&b, STREAM_C_MKFILE, "file");
	refused("stream offset 17: command 1: mkfile 'file' (inode 257): a command outside of any subvolume");
}

static void encoded(u64 file_len, u64 len, u64 offset, u32 compression, u32 encryption, const char *part)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_ENCODED_WRITE);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_u64(&b, STREAM_A_UNENCODED_FILE_LEN, file_len);
	attr_u64(&b, STREAM_A_UNENCODED_LEN, len);
	attr_u64(&b, STREAM_A_UNENCODED_OFFSET, offset);
	attr_u32(&b, STREAM_A_COMPRESSION, compression);
	attr_u32(&b, STREAM_A_ENCRYPTION, encryption);
	attr_data_v2(&b, "no compressed data", 18);
	end(&b);
	refused(part);
	again();
}

static void test_encoded_writes_that_make_no_sense(void **state)
{
	encoded(4096, 131073, 0, 1, 0, "an extent of 131073 bytes, more than 131072");
	encoded(4096, 8192, 4097, 1, 0, "[4097, +4096) is not within the extent's 8192 bytes");
	encoded(2, 8192, UINT64_MAX, 1, 0, "is not within the extent's 8192 bytes");
	encoded(4096, 4096, 0, 8, 0, "compression 8 is not known");
	encoded(4096, 4096, 0, 1, 1, "encryption 1 is not supported");
	encoded(4096, 4096, 0, 0, 0, "18 bytes of data for an extent of 4096");
	encoded(4096, 4096, 0, 1, 0, "encoded_write 'file'");
	encoded(4096, 4096, 0, 2, 0, "encoded_write 'file'");
	encoded(4096, 4096, 0, 3, 0, "encoded_write 'file'");
}

/* As kernels before 5.6, 6.6 and 6.13. */
static int hide_newer_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 452, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 467, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 463, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_command_takes_a_path_that_leads_out),
		TEST(test_no_command_goes_through_a_symlink),
		TEST(test_no_command_follows_the_last_symlink),
		TEST(test_writing_into_a_symlink_is_refused),
		TEST(test_chmod_of_a_symlink_is_refused),
		TEST(test_times_and_owner_are_the_symlinks_own),
		TEST(test_no_hard_link_to_outside),
		TEST(test_a_hard_link_to_a_symlink_is_one_to_the_symlink),
		TEST(test_no_rename_to_outside),
		TEST(test_rename_over_a_symlink_replaces_the_symlink),
		TEST(test_a_directory_replaced_by_a_symlink),
		TEST(test_a_file_replaced_by_a_symlink),
		TEST(test_no_clone_from_outside),
		TEST(test_clones_that_make_no_sense),
		TEST(test_names_of_subvolumes_stay_in_dir),
		TEST(test_a_subvolumes_name_longer_than_any),
		TEST(test_a_record_that_is_a_symlink_is_not_followed),
		TEST(test_a_fifo_is_not_opened),
		TEST(test_a_device_is_not_opened),
		TEST(test_mknod_makes_no_regular_file),
		TEST(test_a_file_is_not_made_twice),
		TEST(test_the_root_is_not_removed_or_renamed),
		TEST(test_special_times_are_no_times),
		TEST(test_an_owner_that_means_leave_alone),
		TEST(test_commands_outside_of_a_subvolume),
		TEST(test_encoded_writes_that_make_no_sense),
	};
	int failed = cmocka_run_group_tests_name("newest calls", tests, make_base, remove_base);

	snprintf(base, sizeof(base), "/tmp/btrfly-hostile-XXXXXX");
	if (hide_newer_calls())
		return 1;
	return failed + cmocka_run_group_tests_name("older calls", tests, make_base, remove_base);
}
