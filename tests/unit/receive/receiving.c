/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What outlives a process that receives: the states, the notes, the tree's identity. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/receiving.h"
#include "receive/tree_remove.h"
#include "support/watched_host.h"

#define JOURNAL ".btrfly/07070707-0707-0707-0707-070707070707.journal"
#define PARTIAL ".snap.btrfly-partial"

static char base[] = "/tmp/btrfly-receiving-XXXXXX";
static char dir_name[64];
static int dir;
static u8 uuid[16];
static struct watched_host watched;
static struct receiving now, later;

static int make_base(void **state)
{
	memset(uuid, 7, sizeof(uuid));
	return !mkdtemp(base);
}

static int remove_base(void **state)
{
	return chdir("/") || rmdir(base);
}

static int setup(void **state)
{
	watched_host_init(&watched);
	snprintf(dir_name, sizeof(dir_name), "%s/dir", base);
	if (mkdir(dir_name, 0755) || chdir(dir_name))
		return 1;
	dir = open(".", O_RDONLY | O_DIRECTORY);
	receiving_init(&now, &watched.host, dir, "rm -r");
	receiving_init(&later, &watched.host, dir, "rm -r");
	return 0;
}

static int teardown(void **state)
{
	int at = open(base, O_RDONLY | O_DIRECTORY);

	watched.before = NULL;
	receiving_release(&now);
	receiving_release(&later);
	close(dir);
	assert_ok(tree_remove(&watched.host, at, "dir"));
	close(at);
	return 0;
}

static void begin(void)
{
	assert_ok(receiving_begin(&now, uuid, 42, "snap", false));
}

/* The tree, and that it is noted. */
static void make(void)
{
	int fd;

	assert_int_equal(mkdir(now.partial, 0755), 0);
	fd = open(now.partial, O_RDONLY | O_DIRECTORY);
	assert_ok(receiving_made(&now, fd));
	close(fd);
}

/* The process is killed, and another one looks. */
static void kill_and_load(void)
{
	receiving_release(&now);
	assert_ok(receiving_load(&later, uuid));
}

static struct tree_path path(const char *text)
{
	struct tree_path p;

	assert_ok(tree_path_set(&p, (struct stream_bytes){text, (u32)strlen(text)}));
	return p;
}

static void put_missing(const char *text)
{
	const struct note missing = {.missing = true};
	struct tree_path p = path(text);

	assert_ok(tree_notes_put(&now.notes, &p, &missing));
}

static bool is_missing(const struct receiving *r, const char *text)
{
	struct tree_path p = path(text);

	return tree_notes_get(&r->notes, &p).missing;
}

static void test_nothing_was_begun(void **state)
{
	assert_int_equal(receiving_load(&later, uuid), -ENOENT);
	assert_int_equal(later.state, RECEIVING_NOTHING);
}

static void test_begun_and_killed(void **state)
{
	begin();
	assert_string_equal(now.partial, PARTIAL);
	kill_and_load();
	assert_int_equal(later.state, RECEIVING_APPLYING);
	assert_string_equal(later.name, "snap");
	assert_string_equal(later.partial, PARTIAL);
	assert_int_equal(later.ctransid, 42);
	assert_int_equal(later.commands, 0);
	assert_int_equal(later.tree.inode, 0);
	assert_true(later.same_boot);
}

static void test_the_tree_is_known_by_what_it_is(void **state)
{
	begin();
	make();
	kill_and_load();
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 1);
	assert_int_equal(receiving_is_tree(&later, "snap"), 0);
	assert_int_equal(rename(PARTIAL, "elsewhere"), 0);
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 0);
	assert_int_equal(mkdir(PARTIAL, 0755), 0);
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 0);
	assert_int_equal(receiving_is_tree(&later, "elsewhere"), 1);
	assert_int_equal(rmdir(PARTIAL), 0);
	assert_int_equal(symlink("elsewhere", PARTIAL), 0);
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 0);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

/* Filesystems give an inode's number out again. */
static void test_a_new_directory_with_the_trees_inode_number_is_not_the_tree(void **state)
{
	bool same = false;
	ino_t inode;

	begin();
	make();
	kill_and_load();
	if (!later.tree.generation)
		skip();
	inode = inode_of(PARTIAL);
	for (int tries = 0; !same && tries < 20; tries++) {
		assert_int_equal(rmdir(PARTIAL) | mkdir(PARTIAL, 0755), 0);
		same = inode_of(PARTIAL) == inode;
	}
	if (!same)
		skip();
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 0);
}

/* What a command changed is there with the command, or not at all. */
static void test_notes_come_with_their_command(void **state)
{
	struct tree_path from = path("a"), to = path("b/c");

	begin();
	make();
	put_missing("a/null");
	assert_ok(tree_notes_leave_out(&now.notes, SKIPPED_DEVICE));
	assert_ok(receiving_advance(&now, 2, 22));
	assert_ok(tree_notes_rename(&now.notes, &from, &to));
	assert_ok(tree_notes_set_times(&now.notes, (struct timespec){-5, 6}, (struct timespec){7, 999999999}));
	assert_ok(receiving_advance(&now, 3, 33));
	put_missing("too-late");
	assert_ok(tree_notes_leave_out(&now.notes, SKIPPED_ACL));
	kill_and_load();
	assert_int_equal(later.commands, 3);
	assert_int_equal(later.digest, 33);
	assert_true(is_missing(&later, "b/c/null"));
	assert_false(is_missing(&later, "a/null"));
	assert_false(is_missing(&later, "too-late"));
	assert_true(tree_notes_left_out(&later.notes, SKIPPED_DEVICE));
	assert_false(tree_notes_left_out(&later.notes, SKIPPED_ACL));
	assert_true(later.notes.has_times);
	assert_int_equal(later.notes.times[0].tv_sec, -5);
	assert_int_equal(later.notes.times[1].tv_nsec, 999999999);
}

static void test_what_was_opened_up_is_noted_until_it_is_closed(void **state)
{
	u64 first, second;
	int at;

	begin();
	make();
	at = open(PARTIAL, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(at, "dir", 0755), 0);
	assert_ok(opened_add(&now.opened, &watched.host, at, ".", 0555, &first));
	assert_ok(opened_add(&now.opened, &watched.host, at, "dir", 0400, &second));
	assert_true(first && second);
	opened_remove(&now.opened, first);
	kill_and_load();
	assert_int_equal(later.opened.count, 1);
	assert_string_equal(later.opened.mode[0].path, PARTIAL "/dir");
	assert_int_equal(later.opened.mode[0].mode, 0400);
	assert_int_equal(later.opened.mode[0].serial, second);
	close(at);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* What a killed run left open is closed, and nothing that it leads to by a symlink, or out of DIR. */
static void test_what_was_left_open_is_closed(void **state)
{
	u64 serial;
	int at;

	begin();
	make();
	at = open(PARTIAL, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(at, "dir", 0755) | mkdirat(at, "gone", 0755) | mkdirat(at, "link", 0755), 0);
	assert_int_equal(mkdirat(at, "link/below", 0755) | mkdir("other", 0755) | mkdir("other/below", 0755), 0);
	assert_ok(opened_add(&now.opened, &watched.host, at, "dir", 0500, &serial));
	assert_ok(opened_add(&now.opened, &watched.host, at, "gone", 0500, &serial));
	assert_ok(opened_add(&now.opened, &watched.host, at, "link", 0500, &serial));
	kill_and_load();
	assert_int_equal(unlinkat(at, "gone", AT_REMOVEDIR) | unlinkat(at, "link/below", AT_REMOVEDIR) |
				 unlinkat(at, "link", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("../other", at, "link"), 0);
	assert_ok(opened_close_all(&later.opened, &watched.host));
	assert_int_equal(later.opened.count, 0);
	assert_int_equal(mode_of(PARTIAL "/dir"), 0500);
	assert_int_equal(mode_of("other"), 0755);
	receiving_release(&later);
	assert_ok(receiving_load(&now, uuid));
	assert_int_equal(now.opened.count, 0);
	assert_int_equal(fchmodat(at, "dir", 0700, 0), 0);
	close(at);
}

/* Whoever owns DIR may give it a journal that a stream has made, as a file of the receiver's. */
static void test_closing_adds_nothing(void **state)
{
	u64 serial;
	int at;

	begin();
	make();
	at = open(PARTIAL, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mknodat(at, "file", S_IFREG | 0600, 0), 0);
	assert_ok(opened_add(&now.opened, &watched.host, at, "file", 04777, &serial));
	kill_and_load();
	assert_ok(opened_close_all(&later.opened, &watched.host));
	assert_int_equal(mode_of(PARTIAL "/file"), 0600);
	close(at);
}

/* What is noted can be read again. */
static void test_a_path_that_is_too_long_is_not_noted(void **state)
{
	char name[256];
	u64 serial;
	int at;

	begin();
	make();
	memset(name, 'n', 255);
	name[255] = '\0';
	at = open(PARTIAL, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 15; i++) {
		assert_int_equal(mkdirat(at, name, 0755), 0);

		int below = openat(at, name, O_RDONLY | O_DIRECTORY);

		close(at);
		at = below;
	}
	assert_int_equal(mkdirat(at, name, 0755), 0);
	assert_ok(opened_add(&now.opened, &watched.host, at, name, 0400, &serial));
	name[10] = '\0';
	assert_int_equal(mkdirat(at, name, 0755), 0);
	assert_ok(opened_add(&now.opened, &watched.host, at, name, 0400, &serial));
	assert_true(serial);
	close(at);
	kill_and_load();
	assert_int_equal(later.opened.count, 1);
}

static void test_sealed_named_done(void **state)
{
	struct stat st;

	begin();
	make();
	assert_ok(receiving_advance(&now, 2, 22));
	assert_ok(receiving_seal(&now));
	kill_and_load();
	assert_int_equal(later.state, RECEIVING_SEALED);
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 1);
	assert_ok(receiving_name(&later));
	assert_int_equal(stat("snap", &st), 0);
	receiving_release(&later);
	assert_ok(receiving_load(&now, uuid));
	assert_int_equal(now.state, RECEIVING_NAMED);
	assert_int_equal(receiving_is_tree(&now, "snap"), 1);
	receiving_done(&now);
	assert_int_equal(now.state, RECEIVING_NOTHING);
	assert_int_equal(stat(".btrfly", &st), -1);
}

static void test_a_name_that_was_taken_meanwhile(void **state)
{
	begin();
	make();
	assert_ok(receiving_seal(&now));
	assert_int_equal(mkdir("snap", 0755), 0);
	assert_error(receiving_name(&now), EEXIST, "rename '.snap.btrfly-partial' to 'snap': File exists");
	assert_int_equal(now.state, RECEIVING_SEALED);
}

static void test_behind_a_failed_command_nothing_is_noted(void **state)
{
	begin();
	make();
	assert_ok(receiving_advance(&now, 2, 22));
	assert_ok(receiving_fail(&now));
	put_missing("a");
	assert_ok(receiving_advance(&now, 3, 33));
	kill_and_load();
	assert_true(later.failed);
	assert_int_equal(later.commands, 2);
	assert_false(is_missing(&later, "a"));
}

static void test_another_partial_name_only_where_any_will_do(void **state)
{
	assert_int_equal(mkdir(PARTIAL, 0755), 0);
	assert_error(receiving_begin(&now, uuid, 42, "snap", false), EEXIST,
		     "'.snap.btrfly-partial' is there, from a receive that did not come to its end: go on with "
		     "--resume, or remove it with 'rm -r'");
	assert_ok(receiving_begin(&now, uuid, 42, "snap", true));
	assert_string_equal(now.partial, PARTIAL "-1");
	kill_and_load();
	assert_string_equal(later.partial, PARTIAL "-1");
}

static void test_names_that_cannot_be(void **state)
{
	char name[300];

	assert_error(receiving_begin(&now, uuid, 42, ".btrfly", true), EINVAL, "the name is taken by btrfly itself");
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_error(receiving_begin(&now, uuid, 42, name, true), ENAMETOOLONG,
		     "a subvolume's name of 256 bytes, longer than 255");
	name[255] = '\0';
	assert_ok(receiving_begin(&now, uuid, 42, name, true));
	assert_string_equal(now.partial, ".07070707-0707-0707-0707-070707070707.btrfly-partial");
}

static u64 written;

static int count_bytes(struct watched_host *w, enum host_call call)
{
	struct stat st;

	/* In front of each write the file is as long as the writes before made it. */
	if (call == HOST_PWRITE && !fstatat(dir, JOURNAL, &st, 0))
		written = max_u64(written, (u64)st.st_size);
	return 0;
}

/* Commands do not make it long, and what is written for each note does not grow with their number. */
static void test_a_long_receive(void **state)
{
	const u64 notes = 16000, commands = 300000;
	char text[64];

	begin();
	make();
	watched.before = count_bytes;
	for (u64 i = 1; i <= commands; i++) {
		if (i <= notes) {
			snprintf(text, sizeof(text), "d%llu/node", (unsigned long long)i);
			put_missing(text);
		}
		assert_ok(receiving_advance(&now, i, i * 3));
	}
	watched.before = NULL;
	/* Each note takes less than 64 bytes, twice that and a mebibyte are the most it may have. */
	assert_in_range(written, 1, 2 * 64 * notes + (1 << 20) + 4096);
	assert_in_range(watched.count[HOST_PWRITE], commands, commands + commands / 10);
	kill_and_load();
	assert_int_equal(later.commands, commands);
	assert_int_equal(later.digest, commands * 3);
	assert_true(is_missing(&later, "d1/node"));
	assert_true(is_missing(&later, "d16000/node"));
	assert_false(is_missing(&later, "d16001/node"));
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 1);
}

/* What a crash of the machine made of the part that was not flushed is of no use, and does not have to be removed by hand. */
static void test_damage_since_another_start_of_the_machine(void **state)
{
	struct stat st;
	int fd;

	begin();
	make();
	for (u64 i = 2; i < 100; i++)
		assert_ok(receiving_advance(&now, i, i));
	receiving_release(&now);
	fd = open(JOURNAL, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, st.st_size / 2), 4);
	close(fd);
	assert_int_equal(receiving_load(&later, uuid), -EINVAL);
	snprintf(later.boot, sizeof(later.boot), "another");
	assert_ok(receiving_load(&later, uuid));
	assert_false(later.same_boot);
	assert_int_equal(receiving_is_tree(&later, PARTIAL), 1);
	assert_int_equal(rmdir(PARTIAL), 0);
	assert_ok(receiving_begin(&later, uuid, 43, "snap", true));
	receiving_release(&later);
	assert_ok(receiving_load(&later, uuid));
	assert_int_equal(later.ctransid, 43);
}

static u64 syncs_before_rename;

static int count_syncs(struct watched_host *w, enum host_call call)
{
	if (call == HOST_RENAME)
		syncs_before_rename = w->count[HOST_SYNC];
	return 0;
}

static void test_a_journal_is_on_disk_before_it_has_its_name(void **state)
{
	syncs_before_rename = 0;
	watched.before = count_syncs;
	begin();
	assert_int_equal(syncs_before_rename, 1);
}

static int no_room(struct watched_host *w, enum host_call call)
{
	return call == HOST_PWRITE ? ENOSPC : 0;
}

static void test_a_full_disk(void **state)
{
	begin();
	make();
	assert_ok(receiving_advance(&now, 2, 22));
	watched.before = no_room;
	assert_int_equal(receiving_advance(&now, 3, 33), -ENOSPC);
	assert_non_null(strstr(error_message(), JOURNAL ": write at offset "));
	watched.before = NULL;
	kill_and_load();
	assert_int_equal(later.commands, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_was_begun),
		TEST(test_begun_and_killed),
		TEST(test_the_tree_is_known_by_what_it_is),
		TEST(test_a_new_directory_with_the_trees_inode_number_is_not_the_tree),
		TEST(test_notes_come_with_their_command),
		TEST(test_what_was_opened_up_is_noted_until_it_is_closed),
		TEST(test_what_was_left_open_is_closed),
		TEST(test_closing_adds_nothing),
		TEST(test_a_path_that_is_too_long_is_not_noted),
		TEST(test_sealed_named_done),
		TEST(test_a_name_that_was_taken_meanwhile),
		TEST(test_behind_a_failed_command_nothing_is_noted),
		TEST(test_another_partial_name_only_where_any_will_do),
		TEST(test_names_that_cannot_be),
		TEST(test_a_long_receive),
		TEST(test_damage_since_another_start_of_the_machine),
		TEST(test_a_journal_is_on_disk_before_it_has_its_name),
		TEST(test_a_full_disk),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
