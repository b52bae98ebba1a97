/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "device/device.h"

static void test_read_write_discard(void **state)
{
	u8 bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, buf[4];
	const u8 after[8] = {1, 'a', 'b', 4, 0, 0, 7, 8};
	struct device *d;

	assert_ok(device_open_memory("memory", bytes, sizeof(bytes), &d));
	assert_string_equal(d->name, "memory");
	assert_int_equal(d->size, 8);
	assert_int_equal(d->fd, -1);
	assert_ok(device_read(d, 4, buf, 4));
	assert_memory_equal(buf, bytes + 4, 4);
	assert_ok(d->ops->write(d, 1, "ab", 2));
	assert_ok(d->ops->discard(d, 4, 2));
	assert_ok(d->ops->flush(d));
	assert_memory_equal(bytes, after, sizeof(after));
	device_close(d);
}

static void test_read_beyond_the_end(void **state)
{
	u8 bytes[8] = {0}, buf[4];
	struct device *d;

	assert_ok(device_open_memory("memory", bytes, sizeof(bytes), &d));
	assert_error(device_read(d, 5, buf, 4), EIO,
		     "[5, 9) lies beyond the end of memory (8 bytes)");
	assert_ok(device_read(d, 8, buf, 0));
	device_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_write_discard),
		cmocka_unit_test(test_read_beyond_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
