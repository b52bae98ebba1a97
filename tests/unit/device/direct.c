/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads around the page cache, of a file whose bytes tell their place. */
#include "support/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"
#include "device/direct.h"

#define MIB (1u << 20)
#define SIZE (24u * MIB + 12288 + 512)
#define POOL (4u * MIB)

static char path[] = "/var/tmp/btrfly-direct-XXXXXX";

static u8 byte_at(u64 at)
{
	return (u8)((at * 0x9e3779b97f4a7c15u) >> 56);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);
	u8 *bytes = malloc(SIZE);
	bool good;

	for (u64 i = 0; i < SIZE; i++)
		bytes[i] = byte_at(i);
	good = fd >= 0 && write(fd, bytes, SIZE) == SIZE;
	free(bytes);
	return good && !close(fd) ? 0 : -1;
}

static int remove_file(void **state)
{
	return unlink(path);
}

/* Out of the page cache, so that announcements are not left to it. */
static void make_cold(void)
{
	int fd = open(path, O_RDONLY);

	assert_int_equal(fdatasync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
}

/* By this process so far: a plain read brings in more than was asked for, and a second one counts again. */
static u64 bytes_from_disk(void)
{
	char line[128];
	u64 n = 0;
	FILE *f = fopen("/proc/self/io", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "read_bytes: %" SCNu64, &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static bool in_page_cache(u64 at)
{
	int fd = open(path, O_RDONLY);
	u8 *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char there;

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mincore(map + at, 4096, &there), 0);
	munmap(map, SIZE);
	close(fd);
	return there & 1;
}

static struct device *open_cold(size_t pool)
{
	struct device *plain, *d;

	make_cold();
	assert_ok(device_open(path, false, &plain));
	d = device_direct(plain, pool);
	if (d == plain) {
		device_close(d);
		skip(); /* no io_uring here, or no O_DIRECT */
	}
	return d;
}

static void assert_range(struct device *d, u64 at, u64 len)
{
	/* Three buffers of odd sizes, none of them where a boundary of the device is. */
	const size_t a = len / 3, b = len / 5;
	u8 *buf = malloc(len + 1);
	struct iovec iov[3] = {{buf, a}, {buf + a, b}, {buf + a + b, len - a - b}};

	buf[len] = 0x5a;
	assert_ok(device_readv(d, at, iov, 3));
	for (u64 i = 0; i < len; i++)
		if (buf[i] != byte_at(at + i))
			fail_msg("byte %" PRIu64 " of [%" PRIu64 ", %" PRIu64 ") differs", i, at, at + len);
	assert_int_equal(buf[len], 0x5a);
	free(buf);
}

static void test_announced(void **state)
{
	struct device *d = open_cold(POOL);
	u64 before = bytes_from_disk();

	device_prefetch(d, 0, 2 * MIB);
	assert_range(d, 0, 2 * MIB);
	/* Once, and nothing else. */
	assert_int_equal(bytes_from_disk() - before, 2 * MIB);
	assert_false(in_page_cache(MIB));
	device_close(d);
}

static void test_announced_unaligned(void **state)
{
	struct device *d = open_cold(POOL);

	device_prefetch(d, 70001, 100003);
	device_prefetch(d, 170004, 5);
	assert_range(d, 70001, 100008);
	device_close(d);
}

static void test_announced_in_part(void **state)
{
	struct device *d = open_cold(POOL);

	device_prefetch(d, 65536, 4096);
	device_prefetch(d, 81920, 8192);
	device_prefetch(d, MIB + 4096, 300000);
	assert_range(d, 60000, 2 * MIB);
	device_close(d);
}

static void test_announced_twice(void **state)
{
	struct device *d = open_cold(POOL);
	u64 before = bytes_from_disk();

	device_prefetch(d, MIB, 131072);
	device_prefetch(d, MIB, 131072);
	assert_range(d, MIB, 131072);
	assert_range(d, MIB, 131072);
	assert_int_equal(bytes_from_disk() - before, 131072);
	device_close(d);
}

static void test_never_announced(void **state)
{
	struct device *d = open_cold(POOL);

	device_prefetch(d, 0, MIB);
	assert_range(d, 5 * MIB + 17, MIB);
	device_close(d);
}

static void test_over_the_end(void **state)
{
	struct device *d = open_cold(POOL);
	char sentence[200];
	u8 buf[16];

	device_prefetch(d, SIZE - 10000, 10000);
	device_prefetch(d, SIZE - 10000, 10001);
	assert_range(d, SIZE - 10000, 10000);
	snprintf(sentence, sizeof(sentence), "[%u, %u) lies beyond the end of %s (%u bytes)", SIZE - 8, SIZE + 8, path, SIZE);
	assert_error(device_read(d, SIZE - 8, buf, sizeof(buf)), EIO, sentence);
	device_close(d);
}

/* Six times what there is room for, read from the last announced to the first. */
static void test_no_room(void **state)
{
	struct device *d = open_cold(POOL);

	device_prefetch(d, 0, 24 * MIB);
	for (int i = 23; i >= 0; i--)
		assert_range(d, (u64)i * MIB, MIB);
	device_close(d);
}

static void test_in_order_with_little_room(void **state)
{
	struct device *d = open_cold(POOL);
	u64 before = bytes_from_disk();

	device_prefetch(d, 0, 24 * MIB);
	for (u64 i = 0; i < 24; i++)
		assert_range(d, i * MIB, MIB);
	assert_int_equal(bytes_from_disk() - before, 24 * MIB);
	device_close(d);
}

/* What nobody comes for does not keep its room for ever. */
static void test_forsaken(void **state)
{
	struct device *d = open_cold(MIB);

	for (u64 i = 0; i < 24; i++)
		device_prefetch(d, i * MIB, 65536);
	for (u64 i = 0; i < 96; i++) {
		device_prefetch(d, i * 262144 + 131072, 4096);
		assert_range(d, i * 262144 + 131072, 4096);
		make_cold(); /* of what was read plainly, and beside it */
	}
	device_prefetch(d, 8 * MIB + 524288, 262144);
	assert_range(d, 8 * MIB + 524288, 262144);
	assert_false(in_page_cache(8 * MIB + 524288));
	device_close(d);
}

static void test_in_the_page_cache(void **state)
{
	struct device *d = open_cold(POOL), *plain;
	u64 before;

	assert_ok(device_open(path, false, &plain));
	assert_range(plain, 0, 3 * MIB);
	device_close(plain);
	before = bytes_from_disk();
	device_prefetch(d, 0, 2 * MIB);
	assert_range(d, 0, 2 * MIB);
	assert_int_equal(bytes_from_disk() - before, 0);
	device_close(d);
}

/* The file has lost its end since it was opened: the sentence is the plain read's. */
static void test_failed_read(void **state)
{
	struct device *d = open_cold(POOL);
	char sentence[200];
	u8 *buf = malloc(MIB);

	snprintf(sentence, sizeof(sentence), "%s ends at %u, it had %u bytes before", path, 8 * MIB + 4096, SIZE);
	assert_int_equal(truncate(path, 8 * MIB + 4096), 0);
	device_prefetch(d, 8 * MIB, MIB);
	assert_error(device_read(d, 8 * MIB, buf, MIB), EIO, sentence);
	assert_range(d, 8 * MIB, 4096);
	device_close(d);
	free(buf);
	unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	assert_int_equal(make_file(NULL), 0);
}

static void test_closed_in_flight(void **state)
{
	struct device *d = open_cold(POOL);

	device_prefetch(d, 0, 24 * MIB);
	device_close(d);
}

static void test_too_little_memory(void **state)
{
	struct device *plain;

	assert_ok(device_open(path, false, &plain));
	assert_ptr_equal(device_direct(plain, MIB - 1), plain);
	device_close(plain);
}

static void test_not_where_it_is_written(void **state)
{
	struct device *plain;

	assert_ok(device_open(path, true, &plain));
	assert_ptr_equal(device_direct(plain, POOL), plain);
	device_close(plain);
}

struct reader {
	pthread_t thread;
	struct device *d;
	int first;
	bool good;
};

/* Every fourth piece. */
static void *read_some(void *arg)
{
	struct reader *r = arg;
	u8 *buf = malloc(MIB);

	r->good = true;
	for (u64 at = (u64)r->first * 200000; at + 200000 <= SIZE; at += 4 * 200000) {
		r->good &= !device_read(r->d, at, buf, 200000);
		for (u64 i = 0; i < 200000; i++)
			r->good &= buf[i] == byte_at(at + i);
	}
	free(buf);
	return NULL;
}

static void test_many_threads(void **state)
{
	struct device *d = open_cold(POOL);
	struct reader r[4];

	for (int i = 0; i < 4; i++) {
		r[i] = (struct reader){.d = d, .first = i};
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_some, &r[i]), 0);
	}
	for (u64 at = 0; at + 200000 <= SIZE; at += 200000)
		device_prefetch(d, at, 200000);
	for (int i = 0; i < 4; i++) {
		pthread_join(r[i].thread, NULL);
		assert_true(r[i].good);
	}
	device_close(d);
}

/* From here on this process gets @error from system call @number. */
static int forbid(int number, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static bool range_good(struct device *d, u64 at, u64 len)
{
	u8 *buf = malloc(len);
	bool good = !device_read(d, at, buf, len);

	for (u64 i = 0; i < len; i++)
		good = good && buf[i] == byte_at(at + i);
	free(buf);
	return good;
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static void test_no_ring(void **state)
{
	pid_t child = fork();

	if (!child) {
		struct device *plain;

		if (forbid(SYS_io_uring_setup, EPERM) || device_open(path, false, &plain))
			_exit(2);
		_exit(device_direct(plain, POOL) == plain && range_good(plain, 12345, MIB) ? 0 : 1);
	}
	assert_int_equal(status_of(child), 0);
}

static void test_failed_submission(void **state)
{
	struct device *d = open_cold(POOL);
	pid_t child = fork();

	/* The ring is the child's as well. */
	if (!child) {
		bool good;

		if (forbid(SYS_io_uring_enter, EINVAL))
			_exit(2);
		device_prefetch(d, 0, 6 * MIB);
		good = range_good(d, 0, 6 * MIB);
		device_prefetch(d, 8 * MIB, MIB);
		_exit(good && range_good(d, 8 * MIB - 100, MIB) ? 0 : 1);
	}
	assert_int_equal(status_of(child), 0);
	device_close(d);
}

/* Submitted before, and then nobody may wait any more. */
static void test_failed_wait(void **state)
{
	struct device *d = open_cold(POOL);
	pid_t child = fork();

	if (!child) {
		bool good;

		device_prefetch(d, 0, 6 * MIB);
		if (forbid(SYS_io_uring_enter, EINVAL))
			_exit(2);
		good = range_good(d, 0, 6 * MIB);
		_exit(good && range_good(d, 8 * MIB - 100, MIB) ? 0 : 1);
	}
	assert_int_equal(status_of(child), 0);
	device_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_announced_unaligned),
		cmocka_unit_test(test_announced_in_part),
		cmocka_unit_test(test_announced_twice),
		cmocka_unit_test(test_never_announced),
		cmocka_unit_test(test_over_the_end),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_in_order_with_little_room),
		cmocka_unit_test(test_forsaken),
		cmocka_unit_test(test_in_the_page_cache),
		cmocka_unit_test(test_failed_read),
		cmocka_unit_test(test_closed_in_flight),
		cmocka_unit_test(test_too_little_memory),
		cmocka_unit_test(test_not_where_it_is_written),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_no_ring),
		cmocka_unit_test(test_failed_submission),
		cmocka_unit_test(test_failed_wait),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
