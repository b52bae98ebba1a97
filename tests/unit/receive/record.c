/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DIR/.btrfly: records of received trees, and checkpoints of unfinished ones; damaged ones, too. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/checkpoint.h"
#include "receive/record.h"
#include "receive/tree_remove.h"

#define FILE_NAME ".btrfly/07070707-0707-0707-0707-070707070707"

static char base[] = "/tmp/btrfly-record-XXXXXX";
static int dir;
static struct host host;
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

static int teardown(void **state)
{
	assert_ok(tree_remove(&host, dir, RECORD_DIRECTORY));
	return 0;
}

static void put_file(const char *name, const char *bytes, size_t len)
{
	mkdir(RECORD_DIRECTORY, 0755);

	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void test_a_record_comes_back(void **state)
{
	struct record r = {.ctransid = 42}, back;
	struct tree_path p;

	memcpy(r.uuid, uuid, sizeof(uuid));
	strcpy(r.name, "snap\n1");
	assert_ok(path_table_put(&r.missing, "dev/null", 8, 0));
	assert_ok(path_table_put(&r.missing, "a b\t\377", 5, 0));
	assert_ok(record_write(&r, &host, dir));
	record_release(&r);
	assert_ok(record_read(&back, &host, dir, uuid));
	assert_string_equal(back.name, "snap\n1");
	assert_int_equal(back.ctransid, 42);
	assert_int_equal(back.missing.map.count, 2);
	assert_ok(tree_path_set(&p, (struct stream_bytes){"dev/null", 8}));
	assert_non_null(path_table_find(&back.missing, &p));
	record_release(&back);
}

static void test_no_record(void **state)
{
	struct record r;

	assert_int_equal(record_read(&r, &host, dir, uuid), -ENOENT);
	mkdir(RECORD_DIRECTORY, 0755);
	assert_int_equal(record_read(&r, &host, dir, uuid), -ENOENT);
}

static void damaged_record(const char *bytes, size_t len)
{
	struct record r;

	put_file(FILE_NAME, bytes, len);
	assert_error(record_read(&r, &host, dir, uuid), EINVAL, FILE_NAME " is damaged");
}

#define BYTES(text) text, sizeof(text) - 1

static void test_damaged_records(void **state)
{
	damaged_record(BYTES(""));
	damaged_record(BYTES("btrfly-received-1"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0name"));
	damaged_record(BYTES("btrfly-received-2\0" "1\0name\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0../name\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0..\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0name\0missing"));
}

static void test_a_checkpoint_comes_back(void **state)
{
	struct tree_notes notes = {0}, back = {0};
	struct checkpoint c;

	assert_ok(checkpoint_create(&c, &host, dir, uuid, ".snap.btrfly-partial"));
	assert_ok(path_table_put(&notes.missing, "null", 4, 0));
	assert_ok(path_table_put(&notes.flags, "f/1:2", 5, 0x30));
	tree_notes_set_times(&notes, (struct timespec){-5, 6}, (struct timespec){7, 999999999});
	assert_ok(checkpoint_save(&c, &notes));
	assert_ok(checkpoint_advance(&c, 12, 0x123456789abcdef));
	checkpoint_release(&c);
	assert_ok(checkpoint_open(&c, &host, dir, uuid));
	assert_string_equal(c.partial, ".snap.btrfly-partial");
	assert_int_equal(c.commands, 12);
	assert_int_equal(c.digest, 0x123456789abcdef);
	assert_ok(checkpoint_load(&c, &back));
	assert_int_equal(back.missing.map.count, 1);

	struct path_entry *e = path_table_next(&back.flags, NULL);

	assert_non_null(e);
	assert_string_equal(e->text, "f/1:2");
	assert_int_equal(e->value, 0x30);
	assert_int_equal(back.times[0].tv_sec, -5);
	assert_int_equal(back.times[1].tv_nsec, 999999999);
	tree_notes_clear(&notes);
	tree_notes_clear(&back);
	checkpoint_remove(&c);
	assert_int_equal(checkpoint_open(&c, &host, dir, uuid), -ENOENT);
}

/* Cut at every byte: an error, or fewer notes, but never a wrong place to go on from. */
static void test_a_checkpoint_cut_short(void **state)
{
	struct tree_notes notes = {0};
	struct checkpoint c;
	char bytes[4096];

	assert_ok(checkpoint_create(&c, &host, dir, uuid, ".snap.btrfly-partial"));
	assert_ok(path_table_put(&notes.missing, "null", 4, 0));
	assert_ok(checkpoint_save(&c, &notes));
	assert_ok(checkpoint_advance(&c, 12, 34));
	checkpoint_release(&c);
	tree_notes_clear(&notes);

	int fd = open(FILE_NAME ".partial", O_RDONLY);
	ssize_t len = read(fd, bytes, sizeof(bytes));

	close(fd);
	assert_true(len > 80);
	for (ssize_t cut = 0; cut < len; cut++) {
		struct tree_notes back = {0};

		put_file(FILE_NAME ".partial", bytes, (size_t)cut);

		int ret = checkpoint_open(&c, &host, dir, uuid);

		if (!ret) {
			assert_int_equal(c.commands, 12);
			assert_string_equal(c.partial, ".snap.btrfly-partial");
			checkpoint_load(&c, &back);
			checkpoint_release(&c);
		}
		tree_notes_clear(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_record_comes_back, teardown),
		cmocka_unit_test_teardown(test_no_record, teardown),
		cmocka_unit_test_teardown(test_damaged_records, teardown),
		cmocka_unit_test_teardown(test_a_checkpoint_comes_back, teardown),
		cmocka_unit_test_teardown(test_a_checkpoint_cut_short, teardown),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
