/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/thread.h"
#include "base/types.h"

/* Of the 128 KiB that are promised, what a caller may use with some left to the C library. */
#define USED (120u << 10)

static void *fill(void *arg)
{
	volatile u8 bytes[USED];
	u8 *sum = arg;

	for (size_t i = 0; i < USED; i++)
		bytes[i] = 1;
	for (size_t i = 0; i < USED; i++)
		*sum += bytes[i];
	return arg;
}

static void run(void)
{
	pthread_t thread;
	void *result;
	u8 sum = 0;

	assert_ok(thread_start(&thread, fill, &sum));
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &sum);
	assert_int_equal(sum, (u8)USED);
}

static void test_the_stack_that_is_promised(void **state)
{
	run();
}

/* The process's limit is for the stack of its first thread. */
static void test_a_small_limit_changes_nothing(void **state)
{
	struct rlimit before, small;

	assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
	small = (struct rlimit){.rlim_cur = 64u << 10, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
	run();
	assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
}

static void test_no_room_for_a_stack(void **state)
{
	struct rlimit before, none;
	pthread_t thread;
	u8 sum;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* the sanitizers end a process that gets no memory */
#endif
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);

	int ret = thread_start(&thread, fill, &sum);

	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_error(ret, EAGAIN, "cannot start a thread: Resource temporarily unavailable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: a stack that is free again is used again. */
		cmocka_unit_test(test_no_room_for_a_stack),
		cmocka_unit_test(test_the_stack_that_is_promised),
		cmocka_unit_test(test_a_small_limit_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
