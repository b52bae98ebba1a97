/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/device.h"

static char directory[] = "/tmp/btrfly-device-XXXXXX";
static char path[sizeof(directory) + 8];

static int make_directory(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/image", directory);
	return 0;
}

static int remove_directory(void **state)
{
	return rmdir(directory);
}

/* A file of the bytes 0, 1, … 255, 0, … */
static int make_file(void **state)
{
	FILE *f = fopen(path, "w");

	for (int i = 0; i < 10000; i++)
		fputc(i & 0xff, f);
	return fclose(f);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void test_read(void **state)
{
	struct device *d;
	u8 buf[300];

	assert_ok(device_open(path, false, &d));
	assert_string_equal(d->name, path);
	assert_int_equal(d->size, 10000);
	assert_false(d->is_block);
	assert_ok(device_read(d, 9700, buf, sizeof(buf)));
	for (int i = 0; i < 300; i++)
		assert_int_equal(buf[i], (9700 + i) & 0xff);
	device_close(d);
}

static void test_read_beyond_the_end(void **state)
{
	char sentence[200];
	struct device *d;
	u8 buf[16];

	assert_ok(device_open(path, false, &d));
	snprintf(sentence, sizeof(sentence), "[9990, 10006) lies beyond the end of %s (10000 bytes)", path);
	assert_error(device_read(d, 9990, buf, sizeof(buf)), EIO, sentence);
	snprintf(sentence, sizeof(sentence), "[18446744073709551615, 15) lies beyond the end of %s (10000 bytes)", path);
	assert_error(device_read(d, (u64)-1, buf, sizeof(buf)), EIO, sentence);
	device_close(d);
}

static void test_file_that_shrinks(void **state)
{
	char sentence[200];
	struct device *d;
	u8 buf[16];

	assert_ok(device_open(path, false, &d));
	assert_int_equal(truncate(path, 9995), 0);
	snprintf(sentence, sizeof(sentence), "%s ends at 9995, it had 10000 bytes before", path);
	assert_error(device_read(d, 9984, buf, sizeof(buf)), EIO, sentence);
	device_close(d);
}

static void test_read_error(void **state)
{
	char sentence[200];
	struct device *d;
	u8 buf[16];

	assert_ok(device_open(path, false, &d));
	close(d->fd);
	snprintf(sentence, sizeof(sentence), "read [16, 32) of %s: Bad file descriptor", path);
	assert_error(device_read(d, 16, buf, sizeof(buf)), EBADF, sentence);
	d->fd = dup(0);
	device_close(d);
}

static void test_missing_file(void **state)
{
	struct device *d;

	assert_error(device_open("/nowhere/image", false, &d), ENOENT,
		     "/nowhere/image: No such file or directory");
}

static void test_directory(void **state)
{
	char sentence[200];
	struct device *d;

	snprintf(sentence, sizeof(sentence), "%s: a directory, not an image file or a block device", directory);
	assert_error(device_open(directory, false, &d), EINVAL, sentence);
}

static void test_fifo_is_not_waited_for(void **state)
{
	char sentence[200];
	struct device *d;

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(sentence, sizeof(sentence), "%s: a special file, not an image file or a block device", path);
	assert_error(device_open(path, false, &d), EINVAL, sentence);
}

static void test_write_and_discard(void **state)
{
	u8 zeros[4096] = {0}, buf[4096];
	struct device *d;

	assert_ok(device_open(path, true, &d));
	assert_true(d->writable);
	assert_ok(d->ops->write(d, 100, "abc", 3));
	assert_ok(d->ops->flush(d));
	assert_ok(device_read(d, 99, buf, 5));
	assert_memory_equal(buf, "\x63" "abc" "\x67", 5);
	assert_ok(d->ops->discard(d, 4096, 4096));
	assert_ok(device_read(d, 4096, buf, sizeof(buf)));
	assert_memory_equal(buf, zeros, sizeof(zeros));
	device_close(d);
}

static void test_write_error(void **state)
{
	char sentence[200];
	struct device *d;

	assert_ok(device_open(path, false, &d));
	snprintf(sentence, sizeof(sentence), "write [0, 3) of %s: Bad file descriptor", path);
	assert_error(d->ops->write(d, 0, "abc", 3), EBADF, sentence);
	snprintf(sentence, sizeof(sentence), "discard [0, 4096) of %s: Bad file descriptor", path);
	assert_error(d->ops->discard(d, 0, 4096), EBADF, sentence);
	device_close(d);
}

static void test_close_of_nothing(void **state)
{
	device_close(NULL);
}

#define WITH_FILE(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_read),
		WITH_FILE(test_read_beyond_the_end),
		WITH_FILE(test_file_that_shrinks),
		WITH_FILE(test_read_error),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_directory),
		WITH_FILE(test_fifo_is_not_waited_for),
		WITH_FILE(test_write_and_discard),
		WITH_FILE(test_write_error),
		cmocka_unit_test(test_close_of_nothing),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
