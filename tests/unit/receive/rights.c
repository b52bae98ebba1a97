/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts that do something else than they were asked for, or refuse it: what cannot be kept is counted by its kind, and no
 * file lends rights that were meant for another owner's.  The host is altered here, so no root is needed; whose
 * security attributes are users' attributes for the system.
 */
#include "support/test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/stream_builder.h"
#include "support/watched_host.h"

#define STRANGER 12345
#define CAPABILITY "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static char base[] = "/tmp/btrfly-rights-XXXXXX";
static int base_fd;
static struct builder b;
static struct watched_host watched;
static const struct host_ops *system_ops;
static struct host_ops altered;
static struct target *target;
static struct applier applier;

static enum host_call refused_call; /* HOST_CALLS: none */
static int refused_with;
static bool ignores_chown, rounds_times, forgets_xattrs, write_drops_bits;
static bool others_files; /* chown is refused, and "snap" belongs to somebody else */
static mode_t drops_mode;
static u32 has_flags, keeps_flags;

static int refuse(struct watched_host *w, enum host_call call)
{
	return call == refused_call ? refused_with : 0;
}

static int altered_chown(struct host *h, int dir, const char *name, uid_t uid, gid_t gid)
{
	if (others_files) {
		errno = EPERM;
		return -1;
	}
	return ignores_chown ? 0 : system_ops->chown(h, dir, name, uid, gid);
}

static ino_t parents_tool;

static int altered_stat(struct host *h, int dir, const char *name, struct stat *st)
{
	int ret = system_ops->stat(h, dir, name, st);

	if (!ret && others_files && st->st_ino == parents_tool)
		st->st_uid = STRANGER;
	return ret;
}

static int altered_chmod(struct host *h, int dir, const char *name, mode_t mode)
{
	return system_ops->chmod(h, dir, name, mode & ~drops_mode);
}

static int altered_utimens(struct host *h, int dir, const char *name, const struct timespec times[2])
{
	struct timespec rounded[2] = {times[0], times[1]};

	if (rounds_times)
		rounded[1].tv_sec &= ~1ll;
	return system_ops->utimens(h, dir, name, rounded);
}

static const char *key_here(const char *key)
{
	static char text[300];

	if (strncmp(key, "security.", 9) && strncmp(key, "trusted.", 8))
		return key;
	snprintf(text, sizeof(text), "user.%s", key);
	return text;
}

static int altered_setxattr(struct host *h, int dir, const char *name, const char *key, const void *value, size_t size)
{
	return forgets_xattrs ? 0 : system_ops->setxattr(h, dir, name, key_here(key), value, size);
}

static int altered_removexattr(struct host *h, int dir, const char *name, const char *key)
{
	return system_ops->removexattr(h, dir, name, key_here(key));
}

static ssize_t altered_getxattr(struct host *h, int dir, const char *name, const char *key, void *value, size_t size)
{
	return system_ops->getxattr(h, dir, name, key_here(key), value, size);
}

static ssize_t altered_pwrite(struct host *h, int fd, const void *buf, size_t len, off_t offset)
{
	struct stat st;

	if (write_drops_bits && !fstat(fd, &st))
		assert_int_equal(fchmod(fd, st.st_mode & 01777), 0);
	return system_ops->pwrite(h, fd, buf, len, offset);
}

static int altered_ioctl(struct host *h, int fd, unsigned long request, void *arg)
{
	if (request == FS_IOC_GETFLAGS)
		*(u32 *)arg = has_flags;
	else if (request == FS_IOC_SETFLAGS)
		has_flags = *(u32 *)arg & keeps_flags;
	else
		return system_ops->ioctl(h, fd, request, arg);
	return 0;
}

static int make_base(void **state)
{
	if (!mkdtemp(base))
		return 1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int remove_base(void **state)
{
	close(base_fd);
	return rmdir(base);
}

static void begin_target(struct receive_options options)
{
	options.host = &watched.host;
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	applier_init(&applier, target);
	b.len = 0;
	put_header(&b, 3);
}

static int setup(void **state)
{
	watched_host_init(&watched);
	watched.before = refuse;
	system_ops = watched.host.ops;
	altered = *system_ops;
	altered.chown = altered_chown;
	altered.stat = altered_stat;
	altered.chmod = altered_chmod;
	altered.utimens = altered_utimens;
	altered.setxattr = altered_setxattr;
	altered.removexattr = altered_removexattr;
	altered.getxattr = altered_getxattr;
	altered.pwrite = altered_pwrite;
	altered.ioctl = altered_ioctl;
	watched.host = (struct host){.ops = &altered, .user = 0};
	refused_call = HOST_CALLS;
	others_files = ignores_chown = rounds_times = forgets_xattrs = write_drops_bits = false;
	drops_mode = 0;
	has_flags = 0;
	keeps_flags = ~0u;
	assert_int_equal(mkdirat(base_fd, "dir", 0755), 0);
	begin_target((struct receive_options){0});
	put_subvol(&b, "snap", 1);
	return 0;
}

static int teardown(void **state)
{
	refused_call = HOST_CALLS;
	target->ops->free(target);
	watched.host.ops = system_ops;
	return tree_remove(&watched.host, base_fd, "dir");
}

/* The same target with other options: a strict one, a wary one. */
static void begin_again(struct receive_options options)
{
	assert_int_equal(teardown(NULL), 0);
	watched.host.ops = &altered;
	assert_int_equal(mkdirat(base_fd, "dir", 0755), 0);
	begin_target(options);
	put_subvol(&b, "snap", 1);
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
	b.len = 0;
	put_header(&b, 3);
	return ret < 0 ? ret : 0;
}

static void put_owner(const char *path, u64 owner)
{
	begin(&b, STREAM_C_CHOWN);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_UID, owner == STRANGER ? STRANGER : geteuid());
	attr_u64(&b, STREAM_A_GID, owner == STRANGER ? STRANGER : getegid());
	end(&b);
}

static void put_mode(const char *path, u64 mode)
{
	begin(&b, STREAM_C_CHMOD);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_MODE, mode);
	end(&b);
}

static void put_times(const char *path, s64 mtime)
{
	begin(&b, STREAM_C_UTIMES);
	attr_text(&b, STREAM_A_PATH, path);
	attr_time(&b, STREAM_A_ATIME, 1000, 5);
	attr_time(&b, STREAM_A_MTIME, mtime, 7);
	attr_time(&b, STREAM_A_CTIME, 1, 1);
	end(&b);
}

static void put_xattr(const char *path, const char *key, const char *value, size_t len)
{
	begin(&b, STREAM_C_SET_XATTR);
	attr_text(&b, STREAM_A_PATH, path);
	attr_text(&b, STREAM_A_XATTR_NAME, key);
	attr(&b, STREAM_A_XATTR_DATA, value, len);
	end(&b);
}

static void put_no_xattr(const char *path, const char *key)
{
	begin(&b, STREAM_C_REMOVE_XATTR);
	attr_text(&b, STREAM_A_PATH, path);
	attr_text(&b, STREAM_A_XATTR_NAME, key);
	end(&b);
}

static void put_content(const char *path)
{
	begin(&b, STREAM_C_WRITE);
	attr_text(&b, STREAM_A_PATH, path);
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_data_v2(&b, "abc", 3);
	end(&b);
}

/* As the kernel's streams have it. */
static void put_file(const char *path, u64 owner, u64 mode)
{
	put_path(&b, STREAM_C_MKFILE, path);
	put_owner(path, owner);
	put_mode(path, mode);
}

static void counted(const char *text)
{
	char have[500] = "";

	skipped_text(&target->skipped, have, sizeof(have));
	assert_string_equal(have, text);
}

static mode_t mode_of(const char *path)
{
	char full[200];
	struct stat st;

	snprintf(full, sizeof(full), "dir/%s", path);
	assert_int_equal(fstatat(base_fd, full, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static ino_t inode_of(const char *path)
{
	char full[200];
	struct stat st;

	snprintf(full, sizeof(full), "dir/%s", path);
	assert_int_equal(fstatat(base_fd, full, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static bool has_xattr(const char *path, const char *key)
{
	char full[200];

	snprintf(full, sizeof(full), "dir/%s", path);

	int fd = openat(base_fd, full, O_RDONLY);
	bool there = altered_getxattr(&watched.host, fd, ".", key, NULL, 0) >= 0;

	assert_true(fd >= 0);
	close(fd);
	return there;
}

static void test_with_all_owners_kept_all_bits_are(void **state)
{
	put_file("tool", 0, 06755);
	put_xattr("tool", "security.capability", CAPABILITY, 20);
	put_path(&b, STREAM_C_MKFILE, "later");
	put_mode("later", 04711);
	put_end(&b);
	assert_ok(apply());
	counted("");
	assert_int_equal(mode_of("snap/tool"), 06755);
	assert_int_equal(mode_of("snap/later"), 04711);
	assert_true(has_xattr("snap/tool", "security.capability"));
}

static void test_a_file_whose_owner_is_ignored_lends_nothing(void **state)
{
	ignores_chown = true;
	put_file("tool", STRANGER, 06755);
	put_xattr("tool", "security.capability", CAPABILITY, 20);
	put_end(&b);
	assert_ok(apply());
	counted("1 owner, 1 setuid or setgid bit, 1 security attribute");
	assert_int_equal(mode_of("snap/tool"), 0755);
	assert_false(has_xattr("snap/tool", "security.capability"));
}

static void test_bits_that_a_file_has_go_with_its_owner(void **state)
{
	static const int reasons[] = {0, EPERM, EINVAL, EACCES};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		begin_again((struct receive_options){0});
		put_file("tool", 0, 06755);
		put_xattr("tool", "security.capability", CAPABILITY, 20);
		assert_ok(apply());
		ignores_chown = true;
		refused_call = reasons[i] ? HOST_CHOWN : HOST_CALLS;
		altered.chown = reasons[i] ? system_ops->chown : altered_chown;
		refused_with = reasons[i];
		put_owner("tool", STRANGER);
		put_end(&b);
		assert_ok(apply());
		counted("1 owner, 1 setuid or setgid bit, 1 security attribute");
		assert_int_equal(mode_of("snap/tool"), 0755);
		assert_false(has_xattr("snap/tool", "security.capability"));
		ignores_chown = false;
		altered.chown = altered_chown;
		refused_call = HOST_CALLS;
	}
}

/* Where a failure is passed over (-E), too. */
static void test_a_file_whose_owner_failed_lends_nothing(void **state)
{
	put_file("tool", 0, 04755);
	assert_ok(apply());
	refused_call = HOST_CHOWN;
	refused_with = EIO;
	put_owner("tool", STRANGER);
	assert_int_equal(apply(), -EIO);
	refused_call = HOST_CALLS;
	assert_int_equal(mode_of(".snap.btrfly-partial/tool"), 0755);
	put_mode("tool", 04755);
	assert_ok(apply());
	assert_int_equal(mode_of(".snap.btrfly-partial/tool"), 0755);
}

static void test_once_an_owner_was_lost_bits_need_the_chown_before(void **state)
{
	ignores_chown = true;
	put_file("lost", STRANGER, 0644);
	put_file("right", 0, 04755);
	put_path(&b, STREAM_C_MKFILE, "unknown");
	put_mode("unknown", 04755);
	put_path(&b, STREAM_C_MKFILE, "renamed");
	put_path(&b, STREAM_C_MKFILE, "evil");
	put_owner("renamed", 0);
	put_two_paths(&b, STREAM_C_RENAME, "evil", STREAM_A_PATH_TO, "renamed");
	put_mode("renamed", 04755);
	put_path(&b, STREAM_C_MKFILE, "other");
	put_owner("right", 0);
	put_mode("other", 04755);
	put_file("twice", 0, 0755);
	put_owner("twice", STRANGER);
	put_mode("twice", 04755);
	put_path(&b, STREAM_C_MKDIR, "dir");
	put_mode("dir", 02755);
	put_end(&b);
	assert_ok(apply());
	counted("2 owners, 4 setuid or setgid bits");
	assert_int_equal(mode_of("snap/twice"), 0755);
	assert_int_equal(mode_of("snap/right"), 04755);
	assert_int_equal(mode_of("snap/unknown"), 0755);
	assert_int_equal(mode_of("snap/renamed"), 0755);
	assert_int_equal(mode_of("snap/other"), 0755);
	assert_int_equal(mode_of("snap/dir"), 02755);
}

static void test_an_owner_that_the_parent_lost_counts_as_well(void **state)
{
	ignores_chown = true;
	put_file("lost", STRANGER, 0644);
	put_file("right", 0, 0755);
	put_end(&b);
	put_header(&b, 3);
	put_snapshot(&b, "next", 2, 1);
	put_mode("right", 04755);
	put_mode("lost", 04755);
	put_end(&b);
	assert_ok(apply());
	counted("1 owner, 2 setuid or setgid bits");
	assert_int_equal(mode_of("next/lost"), 0755);
	assert_int_equal(mode_of("next/right"), 0755);
}

static void test_an_ordinary_user_gives_no_file_bits(void **state)
{
	watched.host.user = geteuid() ? geteuid() : 1;
	put_file("tool", 0, 06755);
	put_end(&b);
	assert_ok(apply());
	counted("1 setuid or setgid bit");
	assert_int_equal(mode_of("snap/tool"), 0755);
}

static void test_what_a_write_takes_away_comes_back(void **state)
{
	write_drops_bits = true;
	put_file("tool", 0, 04755);
	put_content("tool");
	put_end(&b);
	assert_ok(apply());
	counted("");
	assert_int_equal(mode_of("snap/tool"), 04755);
	write_drops_bits = false;
	begin_again((struct receive_options){0});
	put_file("tool", 0, 04755);
	put_path(&b, STREAM_C_MKFILE, "next");
	assert_ok(apply());
	write_drops_bits = true;
	put_content("tool");
	put_end(&b);
	assert_ok(apply());
	counted("");
	assert_int_equal(mode_of("snap/tool"), 04755);
}

/* What the stream itself takes away under another name does not come back. */
static void test_a_write_does_not_bring_back_what_the_stream_took(void **state)
{
	put_file("tool", 0, 04755);
	put_two_paths(&b, STREAM_C_LINK, "other", STREAM_A_PATH_LINK, "tool");
	put_content("tool");
	put_mode("other", 0755);
	put_content("tool");
	put_end(&b);
	assert_ok(apply());
	counted("");
	assert_int_equal(mode_of("snap/tool"), 0755);
}

/* Which owner was set last is not known then. */
static void test_after_a_resume_bits_need_a_new_chown(void **state)
{
	ignores_chown = true;
	for (int run = 0; run < 2; run++) {
		if (run) {
			target->ops->free(target);
			begin_target((struct receive_options){.resume = true});
			put_subvol(&b, "snap", 1);
		}
		put_file("lost", STRANGER, 0644);
		put_path(&b, STREAM_C_MKFILE, "tool");
		put_owner("tool", 0);
		put_xattr("tool", "user.a", "x", 1);
		if (run) {
			put_mode("tool", 04755);
			put_file("next", 0, 04755);
			put_end(&b);
		}
		assert_ok(apply());
	}
	counted("1 setuid or setgid bit");
	assert_int_equal(mode_of("snap/tool"), 0755);
	assert_int_equal(mode_of("snap/next"), 04755);
}

/* The parent was received by who may give files away, its child by somebody who may not. */
static void test_a_copy_that_has_another_owner_lends_nothing(void **state)
{
	put_file("tool", 0, 06755);
	put_xattr("tool", "security.capability", CAPABILITY, 20);
	put_end(&b);
	assert_ok(apply());
	parents_tool = inode_of("snap/tool");
	others_files = true;
	put_snapshot(&b, "next", 2, 1);
	put_mode("tool", 04711);
	put_end(&b);
	assert_ok(apply());
	others_files = false;
	counted("1 setuid or setgid bit");
	assert_int_equal(mode_of("next/tool"), 0711);
	assert_false(has_xattr("next/tool", "security.capability"));
	assert_int_equal(mode_of("snap/tool"), 06755);
}

static void test_modes_are_compared(void **state)
{
	drops_mode = 022;
	put_file("file", 0, 0664);
	put_path(&b, STREAM_C_MKDIR, "dir");
	put_mode("dir", 0777);
	put_mode("dir", 0755);
	drops_mode |= S_ISGID;
	put_file("tool", 0, 02755);
	put_end(&b);
	assert_ok(apply());
	counted("1 setuid or setgid bit, 2 modes");
	begin_again((struct receive_options){.strict = true});
	put_file("file", 0, 0664);
	assert_int_equal(apply(), -EOPNOTSUPP);
	assert_non_null(strstr(error_message(), "chmod 'file' (inode 257): cannot keep the mode: 0664 was asked for, and "
						"0644 is there"));
}

static void test_times_are_compared(void **state)
{
	rounds_times = true;
	put_path(&b, STREAM_C_MKFILE, "even");
	put_times("even", 2000);
	put_path(&b, STREAM_C_MKFILE, "odd");
	put_times("odd", 2001);
	put_times("", 2001);
	put_end(&b);
	assert_ok(apply());
	counted("2 sets of times");
	begin_again((struct receive_options){.strict = true});
	put_path(&b, STREAM_C_MKFILE, "odd");
	put_times("odd", 2001);
	assert_int_equal(apply(), -EOPNOTSUPP);
	assert_non_null(strstr(error_message(), "cannot keep the set of times: access 1000.000000005, modification "
						"2001.000000007 was asked for, and access 1000.000000005, modification "
						"2000.000000007 is there"));
	begin_again((struct receive_options){.strict = true});
	put_times("", 2001);
	put_end(&b);
	assert_int_equal(apply(), -EOPNOTSUPP);
	assert_non_null(strstr(error_message(), "the root: cannot keep the set of times"));
}

static void test_flags_are_compared(void **state)
{
	keeps_flags = ~(u32)FS_NODUMP_FL;
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_FILEATTR);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILEATTR, 1 << 8); /* nodump */
	end(&b);
	put_end(&b);
	assert_ok(apply());
	counted("1 set of file flags");
	begin_again((struct receive_options){.strict = true});
	put_path(&b, STREAM_C_MKFILE, "file");
	begin(&b, STREAM_C_FILEATTR);
	attr_text(&b, STREAM_A_PATH, "file");
	attr_u64(&b, STREAM_A_FILEATTR, 1 << 8 | 1 << 5); /* nodump, sync */
	end(&b);
	assert_int_equal(apply(), -EOPNOTSUPP);
	assert_non_null(strstr(error_message(), "cannot keep the set of file flags: 0x48 was asked for, and 0x8 is there"));
}

static void test_attributes_are_read_back(void **state)
{
	forgets_xattrs = true;
	put_path(&b, STREAM_C_MKFILE, "file");
	put_xattr("file", "user.a", "x", 1);
	put_xattr("file", "security.a", "x", 1);
	put_xattr("file", "trusted.a", "x", 1);
	put_end(&b);
	assert_ok(apply());
	counted("1 trusted attribute, 1 security attribute, 1 other extended attribute");
}

static void test_labels_lists_and_properties_are_refused_with_any_errno(void **state)
{
	static const int reasons[] = {EINVAL, EACCES, EPERM, EOPNOTSUPP, ENOSYS, EOVERFLOW, ERANGE};
	static const char *const keys[] = {"security.selinux", "system.posix_acl_access", "btrfs.compression"};

	put_path(&b, STREAM_C_MKFILE, "file");
	refused_call = HOST_SETXATTR;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			put_xattr("file", keys[k], "x", 1);
		refused_with = reasons[i];
		assert_ok(apply());
	}
	counted("7 security attributes, 7 access control lists, 7 other extended attributes");
	refused_with = EIO;
	put_xattr("file", "security.selinux", "x", 1);
	assert_int_equal(apply(), -EIO);
}

static void test_a_label_that_stays_is_counted_and_one_that_is_not_there_is_not(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_xattr("file", "security.selinux", "label", 5);
	assert_ok(apply());
	refused_call = HOST_REMOVEXATTR;
	refused_with = EACCES;
	put_no_xattr("file", "security.selinux");
	put_no_xattr("file", "security.other");
	put_end(&b);
	assert_ok(apply());
	counted("1 security attribute");
}

static void test_what_was_left_out_once_can_be_removed_and_replaced(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_xattr("file", "user.other", "x", 1);
	assert_ok(apply());
	refused_call = HOST_SETXATTR;
	refused_with = E2BIG;
	put_xattr("file", "user.big", "xx", 2);
	put_xattr("file", "user.large", "xx", 2);
	put_xattr("file", "user.other", "xx", 2);
	put_end(&b);
	assert_ok(apply());
	counted("3 other extended attributes");
	/* The old value is none of what the stream says. */
	assert_false(has_xattr("snap/file", "user.other"));
	refused_call = HOST_CALLS;
	put_snapshot(&b, "next", 2, 1);
	put_no_xattr("file", "user.big");
	put_xattr("file", "user.large", "x", 1);
	put_end(&b);
	assert_ok(apply());
	counted("3 other extended attributes");
	assert_true(has_xattr("next/file", "user.large"));
}

static void test_an_attribute_that_was_never_left_out_must_be_there(void **state)
{
	put_path(&b, STREAM_C_MKFILE, "file");
	put_no_xattr("file", "user.none");
	assert_int_equal(apply(), -ENODATA);
}

static void test_what_is_refused_is_counted_and_what_fails_is_an_error(void **state)
{
	static const int refusals[] = {EPERM, EACCES, EINVAL, EOPNOTSUPP, ENOSYS, ENOTTY, EOVERFLOW};
	static const int failures[] = {EIO, ENOSPC, EROFS, EDQUOT, ENOMEM, ELOOP, ENAMETOOLONG};
	static const enum host_call calls[] = {HOST_CHOWN, HOST_CHMOD, HOST_UTIMENS, HOST_FALLOCATE};

	for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
		for (size_t i = 0; i < 2 * ARRAY_SIZE(refusals); i++) {
			bool fails = i >= ARRAY_SIZE(refusals);

			begin_again((struct receive_options){0});
			put_path(&b, STREAM_C_MKFILE, "file");
			assert_ok(apply());
			refused_call = calls[c];
			refused_with = fails ? failures[i - ARRAY_SIZE(refusals)] : refusals[i];
			put_owner("file", c ? 0 : STRANGER);
			put_mode("file", 0644);
			put_times("file", 1);
			begin(&b, STREAM_C_FALLOCATE);
			attr_text(&b, STREAM_A_PATH, "file");
			attr_u32(&b, STREAM_A_FALLOCATE_MODE, 0);
			attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
			attr_u64(&b, STREAM_A_SIZE, 4096);
			end(&b);
			assert_int_equal(apply(), fails ? -refused_with : 0);
			refused_call = HOST_CALLS;
			if (!fails)
				counted((const char *[]){"1 owner", "1 mode", "1 set of times",
							 "1 preallocated range"}[c]);
		}
	}
}

static void test_untrusted_nothing_that_lends_rights(void **state)
{
	begin_again((struct receive_options){.untrusted = true});
	put_file("tool", 0, 06755);
	put_xattr("tool", "security.capability", CAPABILITY, 20);
	put_xattr("tool", "security.selinux", "label", 5);
	put_xattr("tool", "trusted.a", "x", 1);
	put_path(&b, STREAM_C_MKDIR, "dir");
	put_mode("dir", 02755);
	begin(&b, STREAM_C_MKNOD);
	attr_text(&b, STREAM_A_PATH, "null");
	attr_u64(&b, STREAM_A_INO, 300);
	attr_u64(&b, STREAM_A_MODE, S_IFCHR | 0600);
	attr_u64(&b, STREAM_A_RDEV, makedev(1, 3));
	end(&b);
	put_mode("null", 0666);
	put_end(&b);
	assert_ok(apply());
	counted("2 setuid or setgid bits, 1 device node, 1 trusted attribute, 2 security attributes");
	assert_int_equal(mode_of("snap/tool"), 0755);
	assert_int_equal(mode_of("snap/dir"), 0755);
	assert_int_equal(faccessat(base_fd, "dir/snap/null", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	begin_again((struct receive_options){.untrusted = true, .strict = true});
	put_path(&b, STREAM_C_MKFILE, "tool");
	put_mode("tool", 04755);
	assert_int_equal(apply(), -EPERM);
}

/* A stranger's content, or owner, with the rights that the parent's file lends. */
static void test_untrusted_the_parents_files_lend_nothing_any_more(void **state)
{
	put_file("tool", 0, 04755);
	put_xattr("tool", "security.capability", CAPABILITY, 20);
	put_file("same", 0, 04755);
	put_end(&b);
	assert_ok(apply());
	target->ops->free(target);
	begin_target((struct receive_options){.untrusted = true});
	put_snapshot(&b, "next", 2, 1);
	put_content("tool");
	put_owner("same", 0);
	put_end(&b);
	assert_ok(apply());
	assert_int_equal(mode_of("next/tool"), 0755);
	assert_int_equal(mode_of("next/same"), 0755);
	assert_false(has_xattr("next/tool", "security.capability"));
	assert_int_equal(mode_of("snap/tool"), 04755);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_with_all_owners_kept_all_bits_are),
		TEST(test_a_file_whose_owner_is_ignored_lends_nothing),
		TEST(test_bits_that_a_file_has_go_with_its_owner),
		TEST(test_a_file_whose_owner_failed_lends_nothing),
		TEST(test_once_an_owner_was_lost_bits_need_the_chown_before),
		TEST(test_an_owner_that_the_parent_lost_counts_as_well),
		TEST(test_an_ordinary_user_gives_no_file_bits),
		TEST(test_what_a_write_takes_away_comes_back),
		TEST(test_a_write_does_not_bring_back_what_the_stream_took),
		TEST(test_after_a_resume_bits_need_a_new_chown),
		TEST(test_a_copy_that_has_another_owner_lends_nothing),
		TEST(test_modes_are_compared),
		TEST(test_times_are_compared),
		TEST(test_flags_are_compared),
		TEST(test_attributes_are_read_back),
		TEST(test_labels_lists_and_properties_are_refused_with_any_errno),
		TEST(test_a_label_that_stays_is_counted_and_one_that_is_not_there_is_not),
		TEST(test_what_was_left_out_once_can_be_removed_and_replaced),
		TEST(test_an_attribute_that_was_never_left_out_must_be_there),
		TEST(test_what_is_refused_is_counted_and_what_fails_is_an_error),
		TEST(test_untrusted_nothing_that_lends_rights),
		TEST(test_untrusted_the_parents_files_lend_nothing_any_more),
	};

	umask(022);
	return cmocka_run_group_tests(tests, make_base, remove_base);
}
