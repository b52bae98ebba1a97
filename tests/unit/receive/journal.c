/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal in DIR/.btrfly: what comes back of it whole, cut, changed, and while another has it. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/journal.h"
#include "receive/tree_remove.h"
#include "support/watched_host.h"

#define FILE_NAME ".btrfly/07070707-0707-0707-0707-070707070707.journal"
#define ENTRIES 5

static char base[] = "/tmp/btrfly-journal-XXXXXX";
static struct host host;
static struct journal journal;
static int dir;
static u8 uuid[16];

static int make_base(void **state)
{
	host_init(&host);
	memset(uuid, 7, sizeof(uuid));
	if (!mkdtemp(base) || chdir(base))
		return 1;
	dir = open(base, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int remove_base(void **state)
{
	close(dir);
	return chdir("/") || rmdir(base);
}

static int setup(void **state)
{
	journal_init(&journal, &host);
	return 0;
}

static int teardown(void **state)
{
	journal_release(&journal);
	assert_ok(tree_remove(&host, dir, STATE_DIRECTORY));
	return 0;
}

static int append(u64 number)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(&journal), ENTRY_RUN);
	entry_put_u64(&w, number);
	for (u64 i = 0; i < number; i++)
		entry_put_u8(&w, 0xee);
	return journal_append(&journal, &w);
}

/* Entries 0, 1, 2 … as append() made them. */
static int count(void *arg, struct entry *e)
{
	u64 *n = arg;

	assert_int_equal(e->type, ENTRY_RUN);
	assert_int_equal(entry_u64(e), *n);
	assert_int_equal(e->len, 8 + *n);
	++*n;
	return 0;
}

static void make_journal(void)
{
	assert_ok(journal_open(&journal, dir, uuid, true));
	for (u64 i = 0; i < ENTRIES; i++)
		assert_ok(append(i));
	journal_release(&journal);
}

static size_t get_file(u8 *bytes, size_t size)
{
	int fd = open(FILE_NAME, O_RDONLY);
	ssize_t n = read(fd, bytes, size);

	close(fd);
	assert_true(n > 0);
	return (size_t)n;
}

static void put_file(const u8 *bytes, size_t len)
{
	int fd = open(FILE_NAME, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void test_entries_come_back_in_order(void **state)
{
	u64 n = 0;

	make_journal();
	assert_ok(journal_open(&journal, dir, uuid, false));
	assert_ok(journal_read(&journal, count, &n));
	assert_int_equal(n, ENTRIES);
	assert_ok(append(n));
	journal_release(&journal);
	n = 0;
	assert_ok(journal_open(&journal, dir, uuid, false));
	assert_ok(journal_read(&journal, count, &n));
	assert_int_equal(n, ENTRIES + 1);
}

static void test_there_is_none(void **state)
{
	assert_int_equal(journal_open(&journal, dir, uuid, false), -ENOENT);
	mkdir(STATE_DIRECTORY, 0755);
	assert_int_equal(journal_open(&journal, dir, uuid, false), -ENOENT);
}

/* A killed writer: what is whole stays, and more can be appended behind it. */
static void test_cut_at_every_byte(void **state)
{
	u8 bytes[1024];
	u64 before = 0;

	make_journal();

	size_t len = get_file(bytes, sizeof(bytes));

	for (size_t cut = 0; cut <= len; cut++) {
		u64 n = 0, again = 0;

		put_file(bytes, cut);
		assert_ok(journal_open(&journal, dir, uuid, false));
		assert_ok(journal_read(&journal, count, &n));
		assert_in_range(n, before, before + 1);
		before = n;
		assert_ok(append(n));
		assert_ok(journal_read(&journal, count, &again));
		assert_int_equal(again, n + 1);
		journal_release(&journal);
	}
	assert_int_equal(before, ENTRIES);
}

/* No changed byte is believed, and none makes it shorter. */
static void test_every_byte_changed(void **state)
{
	u8 bytes[1024];

	make_journal();

	size_t len = get_file(bytes, sizeof(bytes));

	for (size_t i = 0; i < len; i++) {
		for (unsigned change = 1; change < 256; change <<= 1) {
			u64 n = 0;

			bytes[i] ^= change;
			put_file(bytes, len);
			bytes[i] ^= change;
			assert_ok(journal_open(&journal, dir, uuid, false));
			assert_error(journal_read(&journal, count, &n), EINVAL,
				     FILE_NAME " is damaged: remove it and begin anew");
			journal_release(&journal);
		}
	}
}

static void test_zeros_behind_it_are_what_a_crash_left(void **state)
{
	u8 bytes[1024] = {0};
	u64 n = 0;

	make_journal();

	size_t len = get_file(bytes, sizeof(bytes));

	put_file(bytes, len + 100);
	assert_ok(journal_open(&journal, dir, uuid, false));
	assert_ok(journal_read(&journal, count, &n));
	assert_int_equal(n, ENTRIES);
}

static void test_two_cannot_have_it(void **state)
{
	struct journal other;
	char text[100];

	journal_init(&other, &host);
	assert_ok(journal_open(&journal, dir, uuid, true));
	assert_error(journal_open(&other, dir, uuid, true), EBUSY,
		     "another process is receiving this subvolume here");
	assert_ok(append((u64)getpid()));
	snprintf(text, sizeof(text), "process %d is receiving this subvolume here", getpid());
	assert_error(journal_open(&other, dir, uuid, false), EBUSY, text);
	journal_remove(&journal);
	assert_ok(journal_open(&other, dir, uuid, true));
	journal_release(&other);
}

/* Whoever has removed it under its writer does not make the receive fail, nor lose another's. */
static void test_removed_by_somebody(void **state)
{
	struct journal other;

	journal_init(&other, &host);
	assert_ok(journal_open(&journal, dir, uuid, true));
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_ok(journal_remove(&journal));
	assert_ok(journal_open(&journal, dir, uuid, true));
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_ok(journal_open(&other, dir, uuid, true));
	assert_ok(journal_remove(&journal));
	assert_int_equal(access(FILE_NAME, F_OK), 0);
	journal_release(&other);
}

static int take_directory_away(struct watched_host *w, enum host_call call)
{
	if (call == HOST_OPEN && w->count[HOST_OPEN] <= 4)
		rmdir(STATE_DIRECTORY);
	return 0;
}

/* Another subvolume's receive has come to its end, and nothing is left in the directory. */
static void test_the_directory_is_taken_away_meanwhile(void **state)
{
	struct watched_host watched;

	watched_host_init(&watched);
	watched.before = take_directory_away;
	journal_init(&journal, &watched.host);
	assert_ok(journal_open(&journal, dir, uuid, true));
	assert_int_equal(access(FILE_NAME, F_OK), 0);
	journal_release(&journal);
	assert_int_equal(unlink(FILE_NAME) | rmdir(STATE_DIRECTORY), 0);
	assert_int_equal(journal_open(&journal, dir, uuid, false), -ENOENT);
}

static int fill(void *arg)
{
	u64 *n = arg;
	int ret = 0;

	for (u64 i = 0; !ret && i < *n; i++)
		ret = append(i);
	return ret;
}

static void test_others_do_not_read_it(void **state)
{
	u64 want = 1;
	struct stat st;

	assert_ok(journal_open(&journal, dir, uuid, true));
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_ok(journal_rewrite(&journal, fill, &want));
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static int fill_and_fail(void *arg)
{
	int ret = fill(arg);

	return ret ? ret : -EIO;
}

static void test_written_anew(void **state)
{
	struct journal other;
	u64 want = 2000, n = 0;

	journal_init(&other, &host);
	assert_ok(journal_open(&journal, dir, uuid, true));
	for (u64 i = 0; i < ENTRIES; i++)
		assert_ok(append(i));
	assert_ok(journal_rewrite(&journal, fill, &want));
	/* It is still its own, and there is nothing beside it. */
	assert_int_equal(journal_open(&other, dir, uuid, false), -EBUSY);
	assert_int_equal(access(FILE_NAME ".new", F_OK), -1);
	assert_ok(append(want));
	assert_ok(journal_read(&journal, count, &n));
	assert_int_equal(n, want + 1);
}

static void test_not_written_anew(void **state)
{
	u64 want = 20, n = 0;

	assert_ok(journal_open(&journal, dir, uuid, true));
	for (u64 i = 0; i < ENTRIES; i++)
		assert_ok(append(i));
	assert_int_equal(journal_rewrite(&journal, fill_and_fail, &want), -EIO);
	assert_int_equal(access(FILE_NAME ".new", F_OK), -1);
	assert_ok(append(ENTRIES));
	assert_ok(journal_read(&journal, count, &n));
	assert_int_equal(n, ENTRIES + 1);
}

static void test_somebody_elses(void **state)
{
	if (geteuid())
		skip();
	make_journal();
	assert_int_equal(chown(FILE_NAME, 12345, 0), 0);
	assert_error(journal_open(&journal, dir, uuid, false), EPERM,
		     FILE_NAME " is owned by user 12345 and not by user 0, who runs this: what it says is not believed");
	assert_int_equal(chown(FILE_NAME, 0, 0), 0);
	assert_int_equal(chown(STATE_DIRECTORY, 12345, 0), 0);
	assert_error(journal_open(&journal, dir, uuid, false), EPERM,
		     ".btrfly is owned by user 12345 and not by user 0, who runs this: what it says is not believed");
}

static void test_what_is_no_file(void **state)
{
	mkdir(STATE_DIRECTORY, 0755);
	assert_int_equal(symlink("/etc/passwd", FILE_NAME), 0);
	assert_int_equal(journal_open(&journal, dir, uuid, true), -ELOOP);
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	assert_error(journal_open(&journal, dir, uuid, true), EINVAL, FILE_NAME " is no regular file");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_entries_come_back_in_order),
		TEST(test_there_is_none),
		TEST(test_cut_at_every_byte),
		TEST(test_every_byte_changed),
		TEST(test_zeros_behind_it_are_what_a_crash_left),
		TEST(test_two_cannot_have_it),
		TEST(test_removed_by_somebody),
		TEST(test_the_directory_is_taken_away_meanwhile),
		TEST(test_others_do_not_read_it),
		TEST(test_written_anew),
		TEST(test_not_written_anew),
		TEST(test_somebody_elses),
		TEST(test_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
