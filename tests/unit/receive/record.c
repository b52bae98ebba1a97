/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DIR/.btrfly: records of received trees; damaged ones, and those of earlier versions, too. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/record.h"
#include "receive/state_dir.h"
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
	assert_ok(tree_remove(&host, dir, STATE_DIRECTORY));
	return 0;
}

static void put_file(const char *name, const char *bytes, size_t len)
{
	mkdir(STATE_DIRECTORY, 0755);

	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static struct tree_path path(const char *text)
{
	struct tree_path p;

	assert_ok(tree_path_set(&p, (struct stream_bytes){text, (u32)strlen(text)}));
	return p;
}

static void put_note(struct tree_notes *n, const char *text, struct note note)
{
	struct tree_path p = path(text);

	assert_ok(tree_notes_put(n, &p, &note));
}

static struct note get_note(const struct tree_notes *n, const char *text)
{
	struct tree_path p = path(text);

	return tree_notes_get(n, &p);
}

static size_t count(const struct tree_notes *n)
{
	size_t notes = 0;

	for (struct path_entry *e = NULL; (e = path_table_next(&n->paths, e));)
		notes++;
	return notes;
}

static void write_record(void)
{
	struct record r = {.ctransid = 42, .without_data = true};
	struct tree_notes notes = {0};

	memcpy(r.uuid, uuid, sizeof(uuid));
	snprintf(r.name, sizeof(r.name), "snap\n1");
	put_note(&notes, "dev/null", (struct note){.missing = true});
	put_note(&notes, "a b\t\377", (struct note){.links = 3, .copy = true});
	put_note(&notes, "immutable", (struct note){.flags = 0x10});
	assert_ok(tree_notes_leave_out(&notes, SKIPPED_OWNER));
	assert_ok(record_write(&r, &notes, &host, dir));
	tree_notes_release(&notes);
}

static void test_a_record_comes_back(void **state)
{
	struct record back;

	write_record();
	assert_ok(record_read(&back, &host, dir, uuid));
	assert_string_equal(back.name, "snap\n1");
	assert_int_equal(back.ctransid, 42);
	assert_true(back.without_data);
	assert_int_equal(count(&back.notes), 2);
	assert_true(get_note(&back.notes, "dev/null").missing);
	assert_int_equal(get_note(&back.notes, "a b\t\377").links, 3);
	assert_true(get_note(&back.notes, "a b\t\377").copy);
	assert_true(tree_notes_left_out(&back.notes, SKIPPED_OWNER));
	assert_false(tree_notes_left_out(&back.notes, SKIPPED_ACL));
	record_release(&back);
}

/* Of an earlier version. */
static void test_a_record_in_text_is_read(void **state)
{
	static const char text[] = "btrfly-received-1\0" "42\0snap\n1\0dev/null\0a b\t\377";
	struct record back;

	put_file(FILE_NAME, text, sizeof(text));
	assert_ok(record_read(&back, &host, dir, uuid));
	assert_string_equal(back.name, "snap\n1");
	assert_int_equal(back.ctransid, 42);
	assert_int_equal(count(&back.notes), 2);
	assert_true(get_note(&back.notes, "dev/null").missing);
	record_release(&back);
}

static void test_a_record_cut_or_changed_at_every_byte(void **state)
{
	char bytes[1024];
	struct record r;

	write_record();

	int fd = open(FILE_NAME, O_RDONLY);
	ssize_t len = read(fd, bytes, sizeof(bytes));

	close(fd);
	assert_true(len > 100);
	for (ssize_t i = 0; i < len; i++) {
		put_file(FILE_NAME, bytes, (size_t)i);
		assert_error(record_read(&r, &host, dir, uuid), EINVAL, FILE_NAME " is damaged");
		bytes[i] ^= 0x20;
		put_file(FILE_NAME, bytes, (size_t)len);
		bytes[i] ^= 0x20;
		assert_error(record_read(&r, &host, dir, uuid), EINVAL, FILE_NAME " is damaged");
	}
}

/* A record that was renamed to pass for another subvolume's. */
static void test_a_record_of_another_uuid(void **state)
{
	struct record r;
	u8 other[16];

	write_record();
	memset(other, 8, sizeof(other));
	assert_int_equal(rename(FILE_NAME, ".btrfly/08080808-0808-0808-0808-080808080808"), 0);
	assert_error(record_read(&r, &host, dir, other), EINVAL,
		     ".btrfly/08080808-0808-0808-0808-080808080808 is damaged");
}

static void test_no_record(void **state)
{
	struct record r;

	assert_int_equal(record_read(&r, &host, dir, uuid), -ENOENT);
	mkdir(STATE_DIRECTORY, 0755);
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
	damaged_record(BYTES("btrfly-received-1\0" "1\0.btrfly\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0name\0../missing\0"));
	damaged_record(BYTES("btrfly-received-1\0" "1\0name\0missing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_record_comes_back, teardown),
		cmocka_unit_test_teardown(test_a_record_in_text_is_read, teardown),
		cmocka_unit_test_teardown(test_a_record_cut_or_changed_at_every_byte, teardown),
		cmocka_unit_test_teardown(test_a_record_of_another_uuid, teardown),
		cmocka_unit_test_teardown(test_no_record, teardown),
		cmocka_unit_test_teardown(test_damaged_records, teardown),
	};

	return cmocka_run_group_tests(tests, make_base, remove_base);
}
