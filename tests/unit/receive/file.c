/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/file.h"
#include "support/watched_host.h"

#define SIZE (1u << 20)

static struct watched_host watched;
static struct host *const host = &watched.host;
static struct file_copier copier;
static int source, fd;

static int open_file(void)
{
	char name[] = "/tmp/btrfly-file-XXXXXX";
	int f = mkstemp(name);

	return f < 0 || unlink(name) ? -1 : f;
}

static int setup(void **state)
{
	watched_host_init(&watched);
	file_copier_init(&copier, host);
	source = open_file();
	fd = open_file();
	return source < 0 || fd < 0;
}

static int teardown(void **state)
{
	file_copier_release(&copier);
	close(source);
	return close(fd);
}

static u8 byte_at(int f, off_t offset)
{
	u8 c;

	assert_int_equal(pread(f, &c, 1, offset), 1);
	return c;
}

static void fill(int f)
{
	u8 *bytes = malloc(SIZE);

	memset(bytes, 'x', SIZE);
	assert_int_equal(pwrite(f, bytes, SIZE, 0), SIZE);
	free(bytes);
}

/* A signal comes at each call, once for the first, twice for the second and so on. */
static int interrupt(struct watched_host *w, enum host_call call)
{
	static u64 interrupted, times = 1;

	if (call == HOST_STAT || call == HOST_SEEK)
		return 0;
	if (interrupted++ < times)
		return EINTR;
	interrupted = 0;
	times++;
	return 0;
}

static void test_calls_that_a_signal_interrupts_are_made_again(void **state)
{
	watched.before = interrupt;
	assert_ok(file_write(host, fd, "abc", 3, 0));
	assert_ok(file_extend(host, fd, 10));
	assert_ok(file_truncate(host, fd, 20));
	assert_ok(file_allocate(host, fd, 0, 0, SIZE));
	fill(source);
	assert_ok(file_copy(&copier, source, 0, SIZE, fd, 0));
	assert_int_equal(byte_at(fd, SIZE - 1), 'x');
	assert_int_equal(watched.count[HOST_PREAD], 0); /* the kernel was asked again instead */
	assert_ok(file_make_hole(&copier, fd, 4096, 4096));
	assert_int_equal(byte_at(fd, 4096), 0);
	assert_int_equal(byte_at(fd, 8192), 'x');
}

static int interrupt_reads(struct watched_host *w, enum host_call call)
{
	if (call == HOST_COPY_RANGE)
		return EOPNOTSUPP;
	return call == HOST_PREAD && w->count[call] % 2 ? EINTR : 0;
}

static void test_what_the_kernel_cannot_copy_is_read_and_written(void **state)
{
	watched.before = interrupt_reads;
	fill(source);
	assert_ok(file_copy(&copier, source, 100, SIZE - 100, fd, 0));
	assert_int_equal(byte_at(fd, SIZE - 101), 'x');
	assert_true(watched.count[HOST_PREAD] >= 4);
}

static int refuse_fallocate(struct watched_host *w, enum host_call call)
{
	return call == HOST_FALLOCATE ? EOPNOTSUPP : 0;
}

static void test_where_there_are_no_holes_zeros_are_written(void **state)
{
	watched.before = refuse_fallocate;
	fill(fd);
	assert_ok(file_make_hole(&copier, fd, 1, SIZE));
	assert_int_equal(byte_at(fd, 0), 'x');
	assert_int_equal(byte_at(fd, 1), 0);
	assert_int_equal(byte_at(fd, SIZE - 1), 0);
	assert_ok(file_make_hole(&copier, fd, 0, 1));
	assert_int_equal(byte_at(fd, 0), 0);
	assert_int_equal(watched.count[HOST_FALLOCATE], 1); /* it is known then */
}

static int refuse_seek_and_copy(struct watched_host *w, enum host_call call)
{
	return call == HOST_SEEK ? EINVAL : call == HOST_COPY_RANGE ? EXDEV : 0;
}

static void test_a_source_that_ends_early(void **state)
{
	watched.before = refuse_seek_and_copy;
	fill(source);
	assert_error(file_copy(&copier, source, SIZE - 10, 20, fd, 0), EIO, "the source ends at offset 1048576");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls_that_a_signal_interrupts_are_made_again),
		TEST(test_what_the_kernel_cannot_copy_is_read_and_written),
		TEST(test_where_there_are_no_holes_zeros_are_written),
		TEST(test_a_source_that_ends_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
