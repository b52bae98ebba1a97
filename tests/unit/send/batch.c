/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "format/stream.h"
#include "send/batch.h"
#include "send/fetch.h"

#define MANY 1000u /* more than the arrays are made for at first */

static void put(struct batch *b, const char *bytes, u16 cmd, const struct slice *s, u32 data_len)
{
	size_t start = b->bytes.len;

	assert_ok(buffer_append(&b->bytes, bytes, strlen(bytes)));
	assert_ok(batch_add(b, start, cmd, s, data_len));
}

static void assert_op(const struct batch *b, size_t i, size_t at, u32 len, u32 data_len, u32 slice, u16 cmd)
{
	const struct op *op = &b->ops[i];

	assert_int_equal(op->at, at);
	assert_int_equal(op->len, len);
	assert_int_equal(op->data_len, data_len);
	assert_int_equal(op->slice, slice);
	assert_int_equal(op->cmd, cmd);
	assert_int_equal(op_bytes(op), (u64)len + data_len);
}

static void test_commands(void **state)
{
	struct slice first = {.ino = 257}, second = {.ino = 258};
	struct batch b = {0};

	put(&b, "header", 0, NULL, 0);
	put(&b, "mkfile", STREAM_C_MKFILE, NULL, 0);
	put(&b, "one", STREAM_C_WRITE, &first, 4096);
	put(&b, "chmod", STREAM_C_CHMOD, NULL, 0);
	/* Inline data lies between commands, in front of its own. */
	assert_ok(buffer_append(&b.bytes, "inline data", 11));
	put(&b, "four", STREAM_C_WRITE, &second, 11);

	assert_int_equal(b.op_count, 5);
	assert_int_equal(b.slice_count, 2);
	assert_op(&b, 0, 0, 6, 0, NO_SLICE, 0);
	assert_op(&b, 1, 6, 6, 0, NO_SLICE, STREAM_C_MKFILE);
	assert_op(&b, 2, 12, 3, 4096, 0, STREAM_C_WRITE);
	assert_op(&b, 3, 15, 5, 0, NO_SLICE, STREAM_C_CHMOD);
	assert_op(&b, 4, 31, 4, 11, 1, STREAM_C_WRITE);
	assert_int_equal(b.slices[0].ino, 257);
	assert_int_equal(b.slices[1].ino, 258);
	assert_int_equal(b.data_bytes, 4107);
	/* 6 + 6 + 3 + 5 + 4 of commands, 4107 of data; the inline data once. */
	assert_int_equal(batch_stream_bytes(&b), 4131);
	batch_release(&b);
}

static void test_cleared(void **state)
{
	struct slice s = {.ino = 257};
	struct batch b = {0};

	put(&b, "one", STREAM_C_WRITE, &s, 100);
	batch_clear(&b);
	assert_int_equal(b.op_count, 0);
	assert_int_equal(b.slice_count, 0);
	assert_int_equal(b.data_bytes, 0);
	assert_int_equal(batch_stream_bytes(&b), 0);
	s.ino = 300;
	put(&b, "second", STREAM_C_WRITE, &s, 7);
	assert_op(&b, 0, 0, 6, 7, 0, STREAM_C_WRITE);
	assert_int_equal(b.slices[0].ino, 300);
	assert_int_equal(b.data_bytes, 7);
	batch_release(&b);
	assert_int_equal(batch_stream_bytes(&b), 0);
	batch_release(&b);
}

static void test_many(void **state)
{
	struct batch b = {0};

	for (u32 i = 0; i < MANY; i++) {
		struct slice s = {.ino = i, .kind = SLICE_ZERO};

		put(&b, "xy", STREAM_C_WRITE, i % 2 ? &s : NULL, i % 2 ? i : 0);
	}
	for (u32 i = 0; i < MANY; i++)
		assert_op(&b, i, 2 * i, 2, i % 2 ? i : 0, i % 2 ? i / 2 : NO_SLICE, STREAM_C_WRITE);
	for (u32 i = 0; i < MANY / 2; i++)
		assert_int_equal(b.slices[i].ino, 2 * i + 1);
	/* The odd numbers below 1000 add up to 500 squared. */
	assert_int_equal(b.data_bytes, 250000);
	assert_int_equal(batch_stream_bytes(&b), 252000);
	batch_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_cleared),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
