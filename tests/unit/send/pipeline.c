/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A subvolume made by hand: a top directory with one file "f", whose extents of 48 KiB make one WRITE each.
 * What must come out is put together by the stream builder.
 */
#include "support/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "send/pipeline.h"
#include "support/forest.h"
#include "support/stream_builder.h"

#define SECTOR 4096u
#define WRITE (48u * 1024)
#define FRAME (1u << 20)
#define SUBVOLUME 256u
#define EXTENTS 400u	   /* of the long file: 19 MiB */
#define IN_LEAF 50u
#define FIRST_SECTOR 100u  /* of 12 extents' data */
#define DATA_EXTENTS 12u

/* Forest blocks. */
enum { ROOT_TREE, EXTENT_TREE, TOP, FIRST_LEAF };

struct world {
	struct forest f;
	struct filesystem fs;
	struct subvolume sv;
	struct inode_item dir, file;
	struct file_extent extents[EXTENTS];
	struct builder command;
	u8 *want; /* the stream */
	size_t want_len;
	size_t write_at[EXTENTS]; /* in it */
	u8 *got;
	size_t got_len;
};

/* --- what must come out --- */

static void take(struct world *w)
{
	memcpy(w->want + w->want_len, w->command.bytes, w->command.len);
	w->want_len += w->command.len;
	w->command.len = 0;
}

static void want_attributes(struct world *w, const char *path, u32 mode)
{
	struct builder *b = &w->command;

	begin(b, STREAM_C_CHOWN);
	attr_text(b, STREAM_A_PATH, path);
	attr_u64(b, STREAM_A_UID, 1000);
	attr_u64(b, STREAM_A_GID, 100);
	end(b);
	begin(b, STREAM_C_CHMOD);
	attr_text(b, STREAM_A_PATH, path);
	attr_u64(b, STREAM_A_MODE, mode);
	end(b);
}

static void want_times(struct world *w, const char *path)
{
	begin(&w->command, STREAM_C_UTIMES);
	attr_text(&w->command, STREAM_A_PATH, path);
	attr_time(&w->command, STREAM_A_ATIME, 1, 0);
	attr_time(&w->command, STREAM_A_MTIME, 2, 0);
	attr_time(&w->command, STREAM_A_CTIME, 3, 0);
	end(&w->command);
}

static void want_start(struct world *w)
{
	struct builder *b = &w->command;

	put_header(b, 1);
	put_subvol(b, "sub", 0x21);
	want_attributes(w, "", 0755);
	put_path(b, STREAM_C_MKFILE, "o257-7-0");
	begin(b, STREAM_C_RENAME);
	attr_text(b, STREAM_A_PATH, "o257-7-0");
	attr_text(b, STREAM_A_PATH_TO, "f");
	end(b);
	take(w);
}

static void want_end(struct world *w)
{
	want_attributes(w, "f", 0644);
	want_times(w, "f");
	/* Of directories at the end. */
	want_times(w, "");
	put_end(&w->command);
	take(w);
}

/* --- the filesystem --- */

static struct inode_item inode_of(u32 mode, u64 size)
{
	return (struct inode_item){.generation = le64_of(7),
				   .size = le64_of(size),
				   .nlink = le32_of(1),
				   .uid = le32_of(1000),
				   .gid = le32_of(100),
				   .mode = le32_of(mode),
				   .flags = le64_of(INODE_NODATASUM),
				   .atime.sec = le64_of(1),
				   .mtime.sec = le64_of(2),
				   .ctime.sec = le64_of(3)};
}

static void world_init(struct world *w, u64 file_size)
{
	*w = (struct world){.want = malloc(24u << 20), .got = malloc(24u << 20)};
	assert_non_null(w->want);
	assert_non_null(w->got);
	forest_init(&w->f, 1 << 20);
	for (u32 i = 0; i < DATA_EXTENTS * WRITE; i++)
		forest_block(&w->f, FIRST_SECTOR + i / SECTOR, 0)[i % SECTOR] = (u8)(i ^ i >> 8 ^ i / WRITE);
	w->fs = (struct filesystem){.volume = w->f.volume,
				    .facts = volume_facts(w->f.volume),
				    .cache = w->f.cache,
				    .root_tree = forest_tree(&w->f, ROOT_TREE, ROOT_TREE_OBJECTID, 0),
				    .extent_tree = forest_tree(&w->f, EXTENT_TREE, EXTENT_TREE_OBJECTID, 0)};
	forest_leaf(&w->f, ROOT_TREE, ROOT_TREE_OBJECTID, NULL, 0);
	forest_leaf(&w->f, EXTENT_TREE, EXTENT_TREE_OBJECTID, NULL, 0);
	w->sv = (struct subvolume){.id = SUBVOLUME, .root_dirid = 256, .ctransid = 0x21, .name = "sub"};
	memset(w->sv.uuid, 0x21, UUID_SIZE);
	w->dir = inode_of(S_IFDIR | 0755, 2);
	w->file = inode_of(S_IFREG | 0644, file_size);
	want_start(w);
}

static void world_release(struct world *w)
{
	forest_release(&w->f);
	free(w->want);
	free(w->got);
}

/* The items before those of the extents: 4. */
static void put_inodes(struct world *w, struct image_item *items)
{
	static u8 up[sizeof(struct inode_ref) + 2], name[sizeof(struct inode_ref) + 1];

	((struct inode_ref *)up)->name_len = le16_of(2);
	memcpy(up + sizeof(struct inode_ref), "..", 2);
	((struct inode_ref *)name)->name_len = le16_of(1);
	name[sizeof(struct inode_ref)] = 'f';
	items[0] = (struct image_item){key_of(256, KEY_INODE_ITEM, 0), &w->dir, sizeof(w->dir)};
	items[1] = (struct image_item){key_of(256, KEY_INODE_REF, 256), up, sizeof(up)};
	items[2] = (struct image_item){key_of(257, KEY_INODE_ITEM, 0), &w->file, sizeof(w->file)};
	items[3] = (struct image_item){key_of(257, KEY_INODE_REF, 256), name, sizeof(name)};
}

/* The file's i-th extent is data extent i % @different. */
static void make_long(struct world *w, u32 different)
{
	struct image_pointer leaves[1 + EXTENTS / IN_LEAF];
	struct image_item items[IN_LEAF];

	world_init(w, (u64)EXTENTS * WRITE);
	put_inodes(w, items);
	forest_leaf(&w->f, FIRST_LEAF, SUBVOLUME, items, 4);
	leaves[0] = (struct image_pointer){items[0].key, forest_logical(FIRST_LEAF), IMAGE_GENERATION};
	for (u32 i = 0; i < EXTENTS; i++) {
		u32 data = FIRST_SECTOR + i % different * (WRITE / SECTOR), leaf = 1 + i / IN_LEAF;

		w->extents[i] = (struct file_extent){.generation = le64_of(7),
						     .ram_bytes = le64_of(WRITE),
						     .type = FILE_EXTENT_REG,
						     .disk_bytenr = le64_of(forest_logical(data)),
						     .disk_num_bytes = le64_of(WRITE),
						     .num_bytes = le64_of(WRITE)};
		items[i % IN_LEAF] = (struct image_item){key_of(257, KEY_EXTENT_DATA, (u64)i * WRITE),
							 &w->extents[i], sizeof(w->extents[i])};
		if (i % IN_LEAF == IN_LEAF - 1) {
			forest_leaf(&w->f, FIRST_LEAF + leaf, SUBVOLUME, items, IN_LEAF);
			leaves[leaf] = (struct image_pointer){
				items[0].key, forest_logical(FIRST_LEAF + leaf), IMAGE_GENERATION};
		}
		w->write_at[i] = w->want_len;
		put_write(&w->command, "f", (u64)i * WRITE, forest_block(&w->f, data, 0), WRITE);
		take(w);
	}
	forest_node(&w->f, TOP, SUBVOLUME, 1, leaves, ARRAY_SIZE(leaves));
	w->sv.tree = forest_tree(&w->f, TOP, SUBVOLUME, 1);
	want_end(w);
}

/* With inline data. */
static void make_short(struct world *w)
{
	static u8 extent[sizeof(struct file_extent)];
	struct file_extent *fe = (struct file_extent *)extent;
	struct image_item items[5];

	world_init(w, 5);
	put_inodes(w, items);
	fe->ram_bytes = le64_of(5);
	fe->type = FILE_EXTENT_INLINE;
	memcpy(extent + FILE_EXTENT_INLINE_OFFSET, "hello", 5);
	items[4] = (struct image_item){key_of(257, KEY_EXTENT_DATA, 0), extent,
					FILE_EXTENT_INLINE_OFFSET + 5};
	forest_leaf(&w->f, TOP, SUBVOLUME, items, 5);
	w->sv.tree = forest_tree(&w->f, TOP, SUBVOLUME, 0);
	put_write(&w->command, "f", 0, "hello", 5);
	want_end(w);
}

/* --- running --- */

struct test_sink {
	struct sink sink;
	struct world *w;
	unsigned calls, fails_at; /* 0: never */
	unsigned slots;	       /* not 0: wait in the first call until so many frames are planned */
};

static unsigned frames_planned(struct world *w)
{
	/* One row a frame. */
	return atomic_load(&w->f.device->prefetches);
}

static int sink_write(struct sink *sink, const void *buf, size_t len)
{
	struct test_sink *s = CONTAINER_OF(sink, struct test_sink, sink);

	if (++s->calls == s->fails_at)
		return error_set(EPIPE, "the sink is full");
	if (s->calls == 1 && s->slots) {
		for (int i = 0; i < 5000 && frames_planned(s->w) < s->slots; i++)
			usleep(1000);
		usleep(20000);
		assert_int_equal(frames_planned(s->w), s->slots);
	}
	assert_true(s->w->got_len + len <= 24u << 20);
	memcpy(s->w->got + s->w->got_len, buf, len);
	s->w->got_len += len;
	return 0;
}

static int run_into(struct world *w, struct test_sink *s, unsigned threads, u64 skip, u64 *bytes)
{
	const struct pipeline_options options = {.threads = threads, .skip = skip};
	const struct plan_options plan_options = {.proto = 1};
	struct send_plan *plan;
	int ret;

	s->sink.write = sink_write;
	s->w = w;
	w->got_len = 0;
	assert_ok(send_plan_new(&w->fs, &w->sv, NULL, NULL, 0, &plan_options, &plan));
	ret = pipeline_run(&w->fs, plan, &s->sink, &options, bytes);
	send_plan_free(plan);
	return ret;
}

static int run(struct world *w, unsigned threads, u64 skip, u64 *bytes)
{
	struct test_sink s = {.calls = 0};

	return run_into(w, &s, threads, skip, bytes);
}

static void assert_tail(struct world *w, u64 skip, u64 bytes)
{
	assert_int_equal(bytes, w->want_len);
	assert_int_equal(w->got_len, w->want_len - skip);
	assert_memory_equal(w->got, w->want + skip, w->got_len);
}

static const unsigned threads[] = {1, 2, 8};

static void test_order(void **state)
{
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		struct test_sink s = {.calls = 0};

		assert_ok(run_into(&w, &s, threads[i], 0, &bytes));
		assert_tail(&w, 0, bytes);
		/* 19 MiB do not go through one frame. */
		assert_true(s.calls >= 19);
	}
	world_release(&w);
}

static void test_skip_every_byte(void **state)
{
	struct world w;
	u64 bytes;

	make_short(&w);
	for (u64 skip = 0; skip <= w.want_len; skip++) {
		assert_ok(run(&w, 1 + skip % 2, skip, &bytes));
		assert_tail(&w, skip, bytes);
	}
	/* Behind the end. */
	assert_ok(run(&w, 1, w.want_len + 1, &bytes));
	assert_int_equal(w.got_len, 0);
	assert_int_equal(bytes, w.want_len);
	assert_ok(run(&w, 2, UINT64_MAX, &bytes));
	assert_int_equal(w.got_len, 0);
	assert_int_equal(bytes, w.want_len);
	world_release(&w);
}

/* What is skipped is not read: the 48 KiB of the last write are one row. */
static void test_skip_reads_nothing(void **state)
{
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	assert_ok(run(&w, 1, w.want_len, &bytes));
	assert_int_equal(w.got_len, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		const u64 skip = w.write_at[EXTENTS - 1] + 100;
		unsigned before = atomic_load(&w.f.device->reads);

		assert_ok(run(&w, threads[i], skip, &bytes));
		assert_tail(&w, skip, bytes);
		assert_int_equal(atomic_load(&w.f.device->reads) - before, 1);
	}
	world_release(&w);
}

static void test_sink_fails(void **state)
{
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		for (unsigned at = 1; at <= 7; at += 3) {
			struct test_sink s = {.fails_at = at};

			assert_error(run_into(&w, &s, threads[i], 0, &bytes), EPIPE, "the sink is full");
			assert_int_equal(s.calls, at);
			assert_memory_equal(w.got, w.want, w.got_len);
		}
	}
	world_release(&w);
}

/* The last leaf is bad: all that is said of the leaves before it is written. */
static void test_plan_fails(void **state)
{
	const u32 bad = FIRST_LEAF + EXTENTS / IN_LEAF;
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	forest_block(&w.f, bad, 0)[200] ^= 1;
	forest_block(&w.f, bad, 1)[200] ^= 1;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		assert_int_equal(run(&w, threads[i], 0, &bytes), -EIO);
		assert_non_null(strstr(error_message(), "inode 257: tree 256: block: logical "));
		assert_int_equal(w.got_len, w.write_at[EXTENTS - IN_LEAF]);
		assert_memory_equal(w.got, w.want, w.got_len);
	}
	world_release(&w);
}

/* An extent that is nowhere: the frames before its own are written, and nothing behind them. */
static void test_fetch_fails(void **state)
{
	const u32 bad = 205, leaf = bad / IN_LEAF;
	struct image_item items[IN_LEAF];
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	w.extents[bad].disk_bytenr = le64_of(1ull << 40);
	for (u32 i = 0; i < IN_LEAF; i++)
		items[i] = (struct image_item){key_of(257, KEY_EXTENT_DATA, (u64)(leaf * IN_LEAF + i) * WRITE),
					       &w.extents[leaf * IN_LEAF + i], sizeof(w.extents[0])};
	forest_leaf(&w.f, FIRST_LEAF + 1 + leaf, SUBVOLUME, items, IN_LEAF);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		assert_error(run(&w, threads[i], 0, &bytes), EIO,
			     "inode 257: file offset 10076160: logical 1099511627776 lies in no chunk");
		assert_true(w.got_len <= w.write_at[bad]);
		assert_true(w.got_len + FRAME > w.write_at[bad]);
		assert_memory_equal(w.got, w.want, w.got_len);
	}
	world_release(&w);
}

/* An eighth of the memory in frames of 1 MiB, but at least 4. */
static void test_slots(void **state)
{
	static const struct {
		size_t memory;
		unsigned slots;
	} want[] = {{0, 4}, {32u << 20, 4}, {64u << 20, 8}};
	struct world w;
	u64 bytes;

	make_long(&w, 1);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct test_sink s = {.slots = want[i].slots};

		w.fs.memory = want[i].memory;
		atomic_store(&w.f.device->prefetches, 0);
		assert_ok(run_into(&w, &s, 2, 0, &bytes));
		assert_tail(&w, 0, bytes);
	}
	world_release(&w);
}

struct slow_reader {
	struct world *w;
	int fd;
	size_t enough; /* to have read; then it goes away */
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	size_t *len = &r->w->got_len;
	ssize_t n;

	while (*len < r->enough && (n = read(r->fd, r->w->got + *len, 300000)) > 0) {
		*len += (size_t)n;
		usleep(500);
	}
	close(r->fd);
	return NULL;
}

static int run_into_pipe(struct world *w, unsigned threads, u64 skip, size_t enough, u64 *bytes)
{
	const struct pipeline_options options = {.threads = threads, .skip = skip};
	const struct plan_options plan_options = {.proto = 1};
	struct slow_reader reader = {.w = w, .enough = enough};
	struct send_plan *plan;
	struct fd_sink s;
	pthread_t t;
	int fds[2], ret;

	assert_int_equal(pipe(fds), 0);
	fd_sink_init(&s, fds[1], "the pipe");
	reader.fd = fds[0];
	w->got_len = 0;
	assert_int_equal(pthread_create(&t, NULL, read_slowly, &reader), 0);
	assert_ok(send_plan_new(&w->fs, &w->sv, NULL, NULL, 0, &plan_options, &plan));
	ret = pipeline_run(&w->fs, plan, &s.sink, &options, bytes);
	send_plan_free(plan);
	close(fds[1]);
	assert_int_equal(pthread_join(t, NULL), 0);
	return ret;
}

/* What lies in the pipe does not change while later frames are made. */
static void test_into_pipe(void **state)
{
	struct world w;
	u64 bytes;

	make_long(&w, DATA_EXTENTS);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		const u64 skip = i * 1000003;

		assert_ok(run_into_pipe(&w, threads[i], skip, SIZE_MAX, &bytes));
		assert_tail(&w, skip, bytes);
	}
	world_release(&w);
}

static void test_pipe_breaks(void **state)
{
	struct world w;
	u64 bytes;

	signal(SIGPIPE, SIG_IGN);
	make_long(&w, DATA_EXTENTS);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		assert_error(run_into_pipe(&w, threads[i], 0, 5000000, &bytes), EPIPE,
			     "write to the pipe: Broken pipe");
		assert_memory_equal(w.got, w.want, w.got_len);
	}
	world_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_skip_every_byte),
		cmocka_unit_test(test_skip_reads_nothing),
		cmocka_unit_test(test_sink_fails),
		cmocka_unit_test(test_plan_fails),
		cmocka_unit_test(test_fetch_fails),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_into_pipe),
		cmocka_unit_test(test_pipe_breaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
