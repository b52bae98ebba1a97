/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One leaf of inodes and file extents; the data of the extents is whatever lies in blocks 100 and on. */
#include "support/test.h"

#include "files/file.h"
#include "support/forest.h"

#define ITEMS 16

struct world {
	struct forest f;
	struct filesystem fs;
	struct tree tree;
	struct data_reader *data;
	struct image_item items[ITEMS];
	u32 count;
	struct inode_item inode[4];
	struct file_extent extent[ITEMS];
};

static void add_inode(struct world *w, u64 ino, u64 size)
{
	struct inode_item *i = &w->inode[ino - 257];

	*i = (struct inode_item){.size = le64_of(size), .mode = le32_of(0100644),
				 .flags = le64_of(INODE_NODATASUM)};
	w->items[w->count++] = (struct image_item){key_of(ino, KEY_INODE_ITEM, 0), i, sizeof(*i)};
}

static void add_extent(struct world *w, u64 ino, u64 at, u64 len, u32 block, u8 type)
{
	struct file_extent *e = &w->extent[w->count];

	*e = (struct file_extent){.ram_bytes = le64_of(len), .type = type, .num_bytes = le64_of(len),
				  .disk_bytenr = le64_of(block ? forest_logical(block) : 0),
				  .disk_num_bytes = le64_of(block ? len : 0)};
	w->items[w->count++] = (struct image_item){key_of(ino, KEY_EXTENT_DATA, at), e, sizeof(*e)};
}

static void add_inline(struct world *w, u64 ino, const char *data)
{
	struct file_extent *e = &w->extent[w->count];
	u32 len = (u32)strlen(data);

	/* Longer data would run into fields that follow in memory; 32 bytes fit. */
	assert_true(len <= sizeof(*e) - FILE_EXTENT_INLINE_OFFSET);
	*e = (struct file_extent){.ram_bytes = le64_of(len), .type = FILE_EXTENT_INLINE};
	memcpy((u8 *)e + FILE_EXTENT_INLINE_OFFSET, data, len);
	w->items[w->count++] = (struct image_item){key_of(ino, KEY_EXTENT_DATA, 0), e,
						   (u32)FILE_EXTENT_INLINE_OFFSET + len};
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume, .facts = volume_facts(w.f.volume), .cache = w.f.cache};
	w.tree = forest_tree(&w.f, 0, 256, 0);
	for (u32 i = 0; i < 8; i++) {
		memset(forest_block(&w.f, 100 + i, 0), 'a' + (int)i, IMAGE_NODE);
		memset(forest_block(&w.f, 100 + i, 1), 'a' + (int)i, IMAGE_NODE);
	}
	assert_ok(data_reader_new(&w.fs, &w.data));
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	data_reader_free(w->data);
	forest_release(&w->f);
	return 0;
}

/* Read inode 257 in steps of @step, and hold it against @want: a letter a KiB, '0' for zeros. */
static void assert_file(struct world *w, size_t step, u64 size, const char *want)
{
	static u8 buf[200000];
	struct file_reader f;
	u64 pos = 0;
	size_t got;

	forest_leaf(&w->f, 0, 256, w->items, w->count);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 257));
	do {
		memset(buf + pos, 0xee, step);
		assert_ok(file_read(&f, buf + pos, step, &got));
		pos += got;
		assert_true(got == step || pos == size);
	} while (got);
	file_reader_release(&f);
	assert_int_equal(pos, size);
	for (u64 i = 0; i < size; i++)
		assert_int_equal(buf[i], want[i / 1024] == '0' ? 0 : want[i / 1024]);
}

static void test_extents_and_holes(void **state)
{
	static const size_t steps[] = {1, 1000, 4096, 5000, 12288, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct world *w = *state;

		w->count = 0;
		add_inode(w, 257, 23 * 1024 + 500);
		add_extent(w, 257, 4096, 4096, 100, FILE_EXTENT_REG);
		add_extent(w, 257, 8192, 4096, 0, FILE_EXTENT_REG);
		add_extent(w, 257, 12288, 4096, 101, FILE_EXTENT_PREALLOC);
		add_extent(w, 257, 16384, 4096, 102, FILE_EXTENT_REG);
		/* Of another file. */
		add_inode(w, 258, 4096);
		add_extent(w, 258, 20480, 4096, 103, FILE_EXTENT_REG);
		assert_file(w, steps[i], 23 * 1024 + 500, "0000aaaa00000000cccc0000");
	}
}

static void test_extents_end_with_the_file(void **state)
{
	struct world *w = *state;

	add_inode(w, 257, 5000);
	add_extent(w, 257, 0, 8192, 100, FILE_EXTENT_REG);
	add_extent(w, 257, 8192, 4096, 102, FILE_EXTENT_REG);
	assert_file(w, 100000, 5000, "aaaab");
}

static void test_inline_with_a_hole_behind(void **state)
{
	struct world *w = *state;
	struct file_reader f;
	u8 buf[100];
	size_t got;

	add_inode(w, 257, 20);
	add_inline(w, 257, "hello");
	forest_leaf(&w->f, 0, 256, w->items, w->count);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 257));
	assert_ok(file_read(&f, buf, sizeof(buf), &got));
	assert_int_equal(got, 20);
	assert_memory_equal(buf, "hello\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	file_reader_release(&f);
}

static void test_empty_file(void **state)
{
	struct world *w = *state;

	add_inode(w, 257, 0);
	assert_file(w, 100, 0, "");
}

/* One that overlaps the next one gives way to it for good. */
static void test_overlapping_extents(void **state)
{
	struct world *w = *state;

	add_inode(w, 257, 16384);
	add_extent(w, 257, 0, 16384, 100, FILE_EXTENT_REG);
	add_extent(w, 257, 4096, 4096, 106, FILE_EXTENT_REG);
	assert_file(w, 4096, 16384, "aaaagggg00000000");
}

static void test_place_stays_where_a_read_failed(void **state)
{
	struct world *w = *state;
	struct file_reader f;
	u8 buf[16384];
	size_t got;

	add_inode(w, 257, 12288);
	add_extent(w, 257, 0, 4096, 100, FILE_EXTENT_REG);
	add_extent(w, 257, 4096, 4096, 0xfffff, FILE_EXTENT_REG);
	forest_leaf(&w->f, 0, 256, w->items, w->count);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 257));
	assert_int_equal(file_read(&f, buf, sizeof(buf), &got), -EIO);
	assert_memory_equal(error_message(), "inode 257 at 4096: ", 19);
	assert_int_equal(got, 0);
	assert_ok(file_read(&f, buf, 4096, &got));
	assert_int_equal(got, 4096);
	assert_int_equal(buf[0], 'a');
	assert_int_equal(file_read(&f, buf, 4096, &got), -EIO);
	file_reader_release(&f);
}

static void test_missing_inode(void **state)
{
	struct world *w = *state;
	struct file_reader f;

	add_inode(w, 257, 0);
	forest_leaf(&w->f, 0, 256, w->items, w->count);
	assert_error(file_reader_init(&f, &w->fs, w->data, &w->tree, 258), ENOENT, "tree 256 has no inode 258");
}

static void test_symbolic_links(void **state)
{
	struct world *w = *state;
	struct file_reader f;
	char buf[12];

	add_inode(w, 257, 10);
	add_inline(w, 257, "where/else");
	add_inode(w, 258, 0);
	add_inode(w, 259, 12);
	add_inline(w, 259, "twelve/bytes");
	forest_leaf(&w->f, 0, 256, w->items, w->count);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 257));
	assert_ok(file_read_link(&f, buf, sizeof(buf)));
	assert_string_equal(buf, "where/else");
	file_reader_release(&f);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 258));
	assert_error(file_read_link(&f, buf, sizeof(buf)), EIO, "inode 258: symbolic link of 0 bytes");
	file_reader_release(&f);
	assert_ok(file_reader_init(&f, &w->fs, w->data, &w->tree, 259));
	assert_error(file_read_link(&f, buf, sizeof(buf)), EIO, "inode 259: symbolic link of 12 bytes");
	file_reader_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_extents_and_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extents_end_with_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inline_with_a_hole_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlapping_extents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_place_stays_where_a_read_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_inode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbolic_links, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
