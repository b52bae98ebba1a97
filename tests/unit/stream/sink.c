/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream/sink.h"

#define BIG (1u << 20)

static void test_all_bytes(void **state)
{
	char path[] = "/tmp/btrfly-unit-XXXXXX", back[16];
	struct fd_sink s;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	fd_sink_init(&s, fd, "a file");
	assert_ok(s.sink.write(&s.sink, "hello ", 6));
	assert_ok(s.sink.write(&s.sink, NULL, 0));
	assert_ok(s.sink.write(&s.sink, "world", 5));
	assert_int_equal(pread(fd, back, sizeof(back), 0), 11);
	assert_memory_equal(back, "hello world", 11);
	close(fd);
}

static void test_broken_pipe(void **state)
{
	struct fd_sink s;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	fd_sink_init(&s, fds[1], "standard output");
	assert_error(s.sink.write(&s.sink, "x", 1), EPIPE, "write to standard output: Broken pipe");
	close(fds[1]);
}

static void test_no_space(void **state)
{
	struct fd_sink s;
	int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	fd_sink_init(&s, fd, "stream.out");
	assert_error(s.sink.write(&s.sink, "x", 1), ENOSPC,
		     "write to stream.out: No space left on device");
	close(fd);
}

static void test_not_writable(void **state)
{
	struct fd_sink s;
	int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	fd_sink_init(&s, fd, "f");
	assert_error(s.sink.write(&s.sink, "x", 1), EBADF, "write to f: Bad file descriptor");
	close(fd);
}

struct reader {
	int fd;
	u8 bytes[BIG];
	size_t len;
	bool closes; /* after the first bytes */
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	ssize_t n;

	/* Odd sizes, so that the writer's next piece starts anywhere. */
	while ((n = read(r->fd, r->bytes + r->len, min_u64(sizeof(r->bytes) - r->len, 1237))) > 0) {
		r->len += (size_t)n;
		if (r->closes || r->len == sizeof(r->bytes))
			break;
	}
	close(r->fd);
	return NULL;
}

/* A pipe of one page that does not block: it takes a part of what it is given, then EAGAIN, over and over. */
static int put_into_small_pipe(struct reader *r, const u8 *bytes, bool give)
{
	struct fd_sink s;
	pthread_t t;
	int fds[2], ret;

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	fd_sink_init(&s, fds[1], "the pipe");
	assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	/* Full before anybody reads: the very first write meets EAGAIN. */
	assert_int_equal(write(fds[1], bytes, 4096), 4096);
	assert_int_equal(write(fds[1], bytes, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	r->fd = fds[0];
	assert_int_equal(pthread_create(&t, NULL, read_all, r), 0);
	ret = (give ? s.sink.give : s.sink.write)(&s.sink, bytes + 4096, BIG - 4096);
	close(fds[1]);
	assert_int_equal(pthread_join(t, NULL), 0);
	return ret;
}

static u8 *pattern(void)
{
	static u8 bytes[BIG];

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (u8)(i ^ i >> 8 ^ i >> 16);
	return bytes;
}

static void test_short_writes(void **state)
{
	static struct reader r;
	const u8 *bytes = pattern();

	for (int give = 0; give < 2; give++) {
		memset(&r, 0, sizeof(r));
		assert_ok(put_into_small_pipe(&r, bytes, give));
		assert_int_equal(r.len, BIG);
		assert_memory_equal(r.bytes, bytes, BIG);
	}
}

/* The reader goes away while the writer waits for room. */
static void test_broken_while_waiting(void **state)
{
	static struct reader r;

	signal(SIGPIPE, SIG_IGN);
	for (int give = 0; give < 2; give++) {
		memset(&r, 0, sizeof(r));
		r.closes = true;
		assert_error(put_into_small_pipe(&r, pattern(), give), EPIPE,
			     "write to the pipe: Broken pipe");
	}
}

static int pipe_limit(void)
{
	FILE *f = fopen("/proc/sys/fs/pipe-max-size", "re");
	int limit = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &limit), 1);
	fclose(f);
	return limit;
}

static void test_pipe_gets_longer(void **state)
{
	const int want = (int)min_u64(BIG, (u64)pipe_limit());
	struct fd_sink s;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	fd_sink_init(&s, fds[1], "the pipe");
	assert_int_equal(fcntl(fds[1], F_GETPIPE_SZ), want);
	assert_non_null(s.sink.give);
	close(fds[0]);
	close(fds[1]);
}

/* What is not a pipe takes copies only. */
static void test_nothing_to_give_to(void **state)
{
	struct fd_sink s;
	int fd = open("/dev/null", O_WRONLY);

	assert_true(fd >= 0);
	fd_sink_init(&s, fd, "f");
	assert_null(s.sink.give);
	close(fd);
}

/* The pipe has the pages when whoever gave them has them no longer. */
static void test_given_for_good(void **state)
{
	static u8 got[8 * 4096];
	const u8 *bytes = pattern();
	u8 *pages = mmap(NULL, sizeof(got), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fd_sink s;
	int fds[2];

	assert_true(pages != MAP_FAILED);
	memcpy(pages, bytes, sizeof(got));
	assert_int_equal(pipe(fds), 0);
	fd_sink_init(&s, fds[1], "the pipe");
	assert_ok(s.sink.give(&s.sink, pages + 5, sizeof(got) - 5));
	munmap(pages, sizeof(got));
	close(fds[1]);
	assert_int_equal(read(fds[0], got, sizeof(got)), sizeof(got) - 5);
	assert_memory_equal(got, bytes + 5, sizeof(got) - 5);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_bytes),
		cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_short_writes),
		cmocka_unit_test(test_broken_while_waiting),
		cmocka_unit_test(test_pipe_gets_longer),
		cmocka_unit_test(test_nothing_to_give_to),
		cmocka_unit_test(test_given_for_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
