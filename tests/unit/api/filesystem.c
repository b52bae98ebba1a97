/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that embeds the library: it sees btrfly.h and the shared library, nothing else. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <btrfly.h>

static char image[] = "/tmp/btrfly-api-XXXXXX";

static int make_image(void **state)
{
	char command[256];
	int fd = mkstemp(image);

	if (fd < 0 || ftruncate(fd, 256 << 20))
		return -1;
	close(fd);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/sbin:/sbin mkfs.btrfs -q -L 'a label' -n 8192 -U "
		 "01234567-89ab-cdef-0123-456789abcdef %s >/dev/null 2>&1",
		 image);
	return system(command);
}

static int remove_image(void **state)
{
	return unlink(image);
}

static const char *const image_paths[] = {image};

static void test_version(void **state)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%d.%d.", BTRFLY_VERSION_MAJOR, BTRFLY_VERSION_MINOR);
	assert_int_equal(strncmp(btrfly_version(), wanted, strlen(wanted)), 0);
}

static void test_info(void **state)
{
	static const uint8_t fsid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	struct btrfly_filesystem_info info = BTRFLY_FILESYSTEM_INFO;
	struct btrfly_filesystem *fs;

	assert_int_equal(btrfly_open(image_paths, 1, NULL, &fs), 0);
	assert_int_equal(btrfly_filesystem_info(fs, &info), 0);
	assert_string_equal(info.label, "a label");
	assert_memory_equal(info.fsid, fsid, sizeof(fsid));
	assert_int_equal(info.nodesize, 8192);
	assert_int_equal(info.sectorsize, 4096);
	assert_int_equal(info.devices, 1);
	assert_int_equal(info.total_bytes, 256 << 20);
	assert_true(info.bytes_used > 0 && info.bytes_used < info.total_bytes);
	btrfly_close(fs);
}

static void test_info_needs_its_initializer(void **state)
{
	struct btrfly_filesystem_info info = {0};
	struct btrfly_filesystem *fs;

	assert_int_equal(btrfly_open(image_paths, 1, NULL, &fs), 0);
	assert_int_equal(btrfly_filesystem_info(fs, &info), -EINVAL);
	assert_string_equal(btrfly_error(), "struct_size of struct btrfly_filesystem_info is 0: start with "
					    "its initializer");
	btrfly_close(fs);
}

static void test_open_arguments_need_their_initializer(void **state)
{
	struct btrfly_open_args args = {.memory = 1 << 20};
	struct btrfly_filesystem *fs = NULL;

	assert_int_equal(btrfly_open(image_paths, 1, &args, &fs), -EINVAL);
	assert_null(fs);
}

static void test_open_with_little_memory(void **state)
{
	struct btrfly_open_args args = BTRFLY_OPEN_ARGS;
	struct btrfly_filesystem *fs;

	args.memory = 1;
	assert_int_equal(btrfly_open(image_paths, 1, &args, &fs), 0);
	btrfly_close(fs);
}

static void test_open_nothing(void **state)
{
	struct btrfly_filesystem *fs = NULL;

	assert_int_equal(btrfly_open(image_paths, 0, NULL, &fs), -EINVAL);
	assert_null(fs);
}

static void test_open_what_is_not_there(void **state)
{
	static const char *const paths[] = {"/nonexistent/image"};
	struct btrfly_filesystem *fs = NULL;

	assert_int_equal(btrfly_open(paths, 1, NULL, &fs), -ENOENT);
	assert_null(fs);
	assert_non_null(strstr(btrfly_error(), "/nonexistent/image"));
}

static void *fail_elsewhere(void *arg)
{
	struct btrfly_filesystem *fs;

	assert_string_equal(btrfly_error(), "");
	assert_int_equal(btrfly_open(image_paths, 0, NULL, &fs), -EINVAL);
	return NULL;
}

static void test_errors_are_each_threads_own(void **state)
{
	static const char *const paths[] = {"/nonexistent/image"};
	struct btrfly_filesystem *fs;
	pthread_t thread;

	assert_int_equal(btrfly_open(paths, 1, NULL, &fs), -ENOENT);
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	assert_non_null(strstr(btrfly_error(), "/nonexistent/image"));
}

static int never(void *arg, const struct btrfly_subvolume *subvolume)
{
	return 1;
}

static void test_no_subvolumes(void **state)
{
	struct btrfly_filesystem *fs;

	assert_int_equal(btrfly_open(image_paths, 1, NULL, &fs), 0);
	assert_int_equal(btrfly_subvolume_each(fs, never, NULL), 0);
	btrfly_close(fs);
}

static void test_close_nothing(void **state)
{
	btrfly_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_info_needs_its_initializer),
		cmocka_unit_test(test_open_arguments_need_their_initializer),
		cmocka_unit_test(test_open_with_little_memory),
		cmocka_unit_test(test_open_nothing),
		cmocka_unit_test(test_open_what_is_not_there),
		cmocka_unit_test(test_errors_are_each_threads_own),
		cmocka_unit_test(test_no_subvolumes),
		cmocka_unit_test(test_close_nothing),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
