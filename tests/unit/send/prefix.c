/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "send/prefix.h"
#include "support/stream_builder.h"

#define COMMANDS 5
#define DATA 4000

/* A stream, and the plan of it: header, subvol, mkfile, write, end. */
struct world {
	struct builder stream;
	size_t end[COMMANDS]; /* of each command */
	struct batch plan;
	int fd;
};

static void note(struct world *w, u16 cmd, u32 data_len)
{
	const struct slice s = {.kind = SLICE_ZERO};
	const size_t i = w->plan.op_count, at = i ? w->end[i - 1] : 0, start = w->plan.bytes.len;

	w->end[i] = w->stream.len;
	assert_ok(buffer_append(&w->plan.bytes, w->stream.bytes + at, w->stream.len - at - data_len));
	/* The plan knows no checksum. */
	if (cmd)
		memset(w->plan.bytes.data + start + 6, 0, 4);
	assert_ok(batch_add(&w->plan, start, cmd, data_len ? &s : NULL, data_len));
}

static int make_world(void **state)
{
	static u8 data[DATA];
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	memset(data, 'x', sizeof(data));
	put_header(&w->stream, 1);
	note(w, 0, 0);
	put_subvol(&w->stream, "snap", 7);
	note(w, STREAM_C_SUBVOL, 0);
	put_path(&w->stream, STREAM_C_MKFILE, "file");
	note(w, STREAM_C_MKFILE, 0);
	put_write(&w->stream, "file", 0, data, DATA);
	note(w, STREAM_C_WRITE, DATA);
	put_end(&w->stream);
	note(w, STREAM_C_END, 0);
	w->fd = memfd_create("prefix", MFD_CLOEXEC);
	*state = w;
	return w->fd < 0;
}

static int free_world(void **state)
{
	struct world *w = *state;

	close(w->fd);
	batch_release(&w->plan);
	free(w);
	return 0;
}

static void fill(struct world *w, const void *bytes, size_t len)
{
	assert_int_equal(ftruncate(w->fd, 0), 0);
	assert_int_equal(pwrite(w->fd, bytes, len, 0), len);
}

/* Each length of the file: the end of the last whole command is where the stream goes on. */
static void test_every_cut(void **state)
{
	struct world *w = *state;

	for (size_t cut = 0; cut <= w->stream.len; cut++) {
		struct prefix x;
		u64 want = 0;

		for (int i = 0; i < COMMANDS && w->end[i] <= cut; i++)
			want = w->end[i];
		fill(w, w->stream.bytes, cut);
		assert_ok(prefix_init(&x, w->fd, "file"));
		assert_int_equal(prefix_compare(&x, &w->plan), cut < w->stream.len);
		assert_int_equal(x.offset, want);
		if (cut == w->stream.len)
			assert_ok(prefix_finish(&x));
		prefix_release(&x);
	}
}

/* No byte may be another one: attributes are compared, data is under its checksum. */
static void test_every_changed_byte(void **state)
{
	struct world *w = *state;

	for (size_t at = 0; at < w->stream.len; at++) {
		struct prefix x;

		w->stream.bytes[at] ^= 0x10;
		fill(w, w->stream.bytes, w->stream.len);
		assert_ok(prefix_init(&x, w->fd, "file"));
		assert_int_equal(prefix_compare(&x, &w->plan), -EINVAL);
		assert_true(x.offset <= at);
		prefix_release(&x);
		w->stream.bytes[at] ^= 0x10;
	}
}

static void assert_differs(struct world *w, const struct builder *file, const char *sentence)
{
	struct prefix x;

	fill(w, file->bytes, file->len);
	assert_ok(prefix_init(&x, w->fd, "file"));
	assert_error(prefix_compare(&x, &w->plan), EINVAL, sentence);
	prefix_release(&x);
}

/* Whole and well-formed, but of another stream. */
static void test_other_streams(void **state)
{
	struct world *w = *state;
	struct builder *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	put_header(b, 2);
	assert_differs(w, b, "file is not the beginning of this stream: at offset 0, command 1, it has something "
			     "else where the stream has a header of its version");
	b->len = 0;
	put_header(b, 1);
	/* SUBVOL: header 10, path 4 + 4, uuid 4 + 16, transaction 4 + 8. */
	put_subvol(b, "snap", 8);
	assert_differs(w, b, "file is not the beginning of this stream: at offset 17, command 1, it has subvol of "
			     "50 bytes where the stream has the same with other attributes");
	b->len = 17;
	put_subvol(b, "snap", 7);
	put_path(b, STREAM_C_MKDIR, "file");
	/* MKFILE: header 10, path 4 + 4, inode 4 + 8. */
	assert_differs(w, b, "file is not the beginning of this stream: at offset 67, command 2, it has mkdir of "
			     "30 bytes where the stream has mkfile of 30 bytes");
	b->len = 67;
	begin(b, 99);
	end(b);
	assert_differs(w, b, "file is not the beginning of this stream: at offset 67, command 2, it has 10 bytes of "
			     "unknown type 99 where the stream has mkfile of 30 bytes");
	free(b);
}

static void test_more_than_the_stream(void **state)
{
	struct world *w = *state;
	struct prefix x;

	put_header(&w->stream, 1);
	fill(w, w->stream.bytes, w->stream.len);
	assert_ok(prefix_init(&x, w->fd, "file"));
	assert_int_equal(prefix_compare(&x, &w->plan), 0);
	assert_int_equal(prefix_finish(&x), -EINVAL);
	assert_non_null(strstr(error_message(), ", command 5, it has more where the stream has its end"));
	prefix_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_cut, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_every_changed_byte, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_other_streams, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_more_than_the_stream, make_world, free_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
