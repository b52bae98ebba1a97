/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One file in two trees of one leaf each, made by hand.  The data of extents lies in blocks 100 and on, and
 * what the csum tree says of them is free: what is found tells whether checksums or data were looked at.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "compare/content.h"
#include "support/forest.h"

#define INO 300
#define ITEMS 16
#define DATA 100u   /* the first block of data */
#define SECTORS 24u /* of them */
#define ANY 0       /* "sum of the data itself" */

struct file {
	struct tree tree;
	struct inode inode;
	struct image_item items[ITEMS];
	u8 bytes[ITEMS][256];
	u32 count;
};

struct world {
	struct forest f;
	struct filesystem fs;
	struct file old, new;
	u32 sums[SECTORS];
	struct content_options options;
	struct content content;
};

static struct world *world_of(void **state) { return *state; }

static void fill(struct world *w, u32 block, int byte)
{
	memset(forest_block(&w->f, block, 0), byte, IMAGE_NODE);
	memset(forest_block(&w->f, block, 1), byte, IMAGE_NODE);
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){.options = {.ranges = true}};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .csum_tree = forest_tree(&w.f, 2, CSUM_TREE_OBJECTID, 0)};
	w.old.tree = forest_tree(&w.f, 0, 256, 0);
	w.new.tree = forest_tree(&w.f, 1, 257, 0);
	w.old.inode = w.new.inode = (struct inode){.ino = INO, .nlink = 1, .mode = 0100644};
	for (u32 i = 0; i < SECTORS; i++)
		fill(&w, DATA + i, 'a' + (int)i);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	content_release(&w->content);
	forest_release(&w->f);
	return 0;
}

static void add(struct file *f, u64 at, const struct file_extent *e, const void *data, u32 len)
{
	u8 *bytes = f->bytes[f->count];
	u32 head = e->type == FILE_EXTENT_INLINE ? (u32)FILE_EXTENT_INLINE_OFFSET : sizeof(*e);

	assert_true(f->count < ITEMS && head + len <= sizeof(f->bytes[0]));
	memcpy(bytes, e, head);
	if (len)
		memcpy(bytes + head, data, len);
	f->items[f->count++] = (struct image_item){key_of(INO, KEY_EXTENT_DATA, at), bytes, head + len};
}

/* [at, at + sectors) of the file is @offset sectors into an extent of @all sectors in block @block. */
static void add_part(struct file *f, u32 at, u32 sectors, u32 block, u32 offset, u32 all)
{
	struct file_extent e = {.type = FILE_EXTENT_REG,
				.ram_bytes = le64_of(all * IMAGE_SECTOR),
				.disk_bytenr = le64_of(forest_logical(block)),
				.disk_num_bytes = le64_of(all * IMAGE_SECTOR),
				.offset = le64_of(offset * IMAGE_SECTOR),
				.num_bytes = le64_of(sectors * IMAGE_SECTOR)};

	add(f, at * IMAGE_SECTOR, &e, NULL, 0);
}

static void add_extent(struct file *f, u32 at, u32 sectors, u32 block)
{
	add_part(f, at, sectors, block, 0, sectors);
}

static void add_zeros(struct file *f, u32 at, u32 sectors, u32 block)
{
	struct file_extent e = {.type = block ? FILE_EXTENT_PREALLOC : FILE_EXTENT_REG,
				.ram_bytes = le64_of(sectors * IMAGE_SECTOR),
				.disk_bytenr = le64_of(block ? forest_logical(block) : 0),
				.disk_num_bytes = le64_of(block ? sectors * IMAGE_SECTOR : 0),
				.num_bytes = le64_of(sectors * IMAGE_SECTOR)};

	add(f, at * IMAGE_SECTOR, &e, NULL, 0);
}

static void add_inline(struct file *f, const char *text)
{
	struct file_extent e = {.type = FILE_EXTENT_INLINE, .ram_bytes = le64_of(strlen(text))};

	add(f, 0, &e, text, (u32)strlen(text));
	f->inode.size = strlen(text);
}

static void add_packed(struct file *f, u32 at, u32 ram_sectors, u32 block, u32 disk_sectors)
{
	struct file_extent e = {.type = FILE_EXTENT_REG,
				.compression = COMPRESSION_ZLIB,
				.ram_bytes = le64_of(ram_sectors * IMAGE_SECTOR),
				.disk_bytenr = le64_of(forest_logical(block)),
				.disk_num_bytes = le64_of(disk_sectors * IMAGE_SECTOR),
				.num_bytes = le64_of(ram_sectors * IMAGE_SECTOR)};

	add(f, at * IMAGE_SECTOR, &e, NULL, 0);
	f->inode.size = (at + ram_sectors) * IMAGE_SECTOR;
}

static void write_trees(struct world *w)
{
	static u8 sums[4 * SECTORS];
	struct image_item csums = {
		key_of(EXTENT_CSUM_OBJECTID, KEY_EXTENT_CSUM, forest_logical(DATA)), sums, sizeof(sums)};

	for (u32 i = 0; i < SECTORS; i++) {
		checksum_compute(w->fs.facts->csum_type, forest_block(&w->f, DATA + i, 0), IMAGE_SECTOR, sums + 4 * i);
		if (w->sums[i])
			put_le32(sums + 4 * i, w->sums[i]);
	}
	forest_leaf(&w->f, 2, CSUM_TREE_OBJECTID, &csums, 1);
	forest_leaf(&w->f, 0, 256, w->old.items, w->old.count);
	forest_leaf(&w->f, 1, 257, w->new.items, w->new.count);
	/* What was read before is not to be met again. */
	extent_cache_free(w->f.cache);
	assert_ok(extent_cache_new(w->f.volume, 1 << 20, &w->f.cache));
	w->fs.cache = w->fs.csum_tree.cache = w->old.tree.cache = w->new.tree.cache = w->f.cache;
}

/* Compare, with all extents of both suspected but those that are the same. */
static int compare(struct world *w)
{
	struct content *c = &w->content;
	u32 i = 0, j = 0;
	int ret = 0;

	content_release(c);
	write_trees(w);
	assert_ok(content_init(c, &w->fs, &w->old.tree, &w->new.tree, &w->options));
	content_begin(c, &w->old.inode, &w->new.inode);
	while (!ret && (i < w->old.count || j < w->new.count)) {
		const struct image_item *a = i < w->old.count ? &w->old.items[i] : NULL;
		const struct image_item *b = j < w->new.count ? &w->new.items[j] : NULL;
		int order = !a ? 1 : !b ? -1 : key_cmp(&a->key, &b->key);

		if (order || a->size != b->size || memcmp(a->data, b->data, a->size)) {
			if (order <= 0)
				ret = content_suspect(c, &a->key, a->data, a->size);
			if (!ret && order >= 0)
				ret = content_suspect(c, &b->key, b->data, b->size);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return ret ? ret : content_finish(c);
}

/* @want: "[a, b) [c, d)", or "" for equal. */
static void assert_ranges(struct world *w, const char *want)
{
	char text[512] = "";
	size_t len = 0;

	assert_ok(compare(w));
	for (size_t i = 0; i < w->content.count; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s[%llu, %llu)", i ? " " : "",
					(unsigned long long)w->content.ranges[i].start,
					(unsigned long long)w->content.ranges[i].end);
		assert_true(len < sizeof(text));
	}
	assert_string_equal(text, want);
	assert_int_equal(w->content.changed, *want != '\0');
}

static void sizes(struct world *w, u64 old, u64 new)
{
	w->old.inode.size = old;
	w->new.inode.size = new;
}

/* The sum of one sector is wrong, so whoever reads it fails. */
static void test_one_extent_is_equal_unread(void **state)
{
	struct world *w = world_of(state);

	sizes(w, 8192, 8192);
	w->sums[1] = w->sums[2] = 1;
	/* The same sectors by way of two items of another form. */
	add_extent(&w->old, 0, 2, DATA + 1);
	add_part(&w->new, 0, 1, DATA, 1, 4);
	add_part(&w->new, 1, 1, DATA + 2, 0, 1);
	assert_ranges(w, "");
	w->options.data = true;
	assert_ranges(w, "");
}

static void test_checksums_decide(void **state)
{
	struct world *w = world_of(state);

	sizes(w, 6 * 4096, 6 * 4096);
	add_extent(&w->old, 0, 6, DATA);
	add_extent(&w->new, 0, 6, DATA + 6);
	for (u32 i = 0; i < 6; i++)
		w->sums[i] = w->sums[i + 6] = 1000 + i;
	assert_ranges(w, "");
	w->sums[1] = w->sums[2] = w->sums[5] = 7;
	assert_ranges(w, "[4096, 12288) [20480, 24576)");
}

static void test_the_first_difference_is_enough(void **state)
{
	struct world *w = world_of(state);

	w->options.ranges = false;
	sizes(w, 12288, 20000);
	add_extent(&w->old, 0, 3, DATA);
	add_extent(&w->new, 0, 1, DATA + 3);
	/* Beyond the csum tree: it would be an error to look at it. */
	add_extent(&w->new, 1, 2, DATA + SECTORS);
	assert_ok(compare(w));
	assert_true(w->content.changed);
	assert_int_equal(w->content.count, 0);
	w->options.ranges = true;
	assert_int_equal(compare(w), -EIO);
}

/* Only what the file shows of its last sector counts. */
static void test_what_is_behind_the_end_does_not_count(void **state)
{
	struct world *w = world_of(state);

	add_extent(&w->old, 0, 2, DATA);
	add_extent(&w->new, 0, 2, DATA + 2);
	for (unsigned copy = 0; copy < 2; copy++) {
		memset(forest_block(&w->f, DATA + 2, copy), 'a', IMAGE_SECTOR);
		memset(forest_block(&w->f, DATA + 3, copy), 'b', 904);
	}
	sizes(w, 5000, 5000);
	assert_ranges(w, "");
	sizes(w, 5001, 5001);
	assert_ranges(w, "[4096, 5001)");
	sizes(w, 8192, 8192);
	assert_ranges(w, "[4096, 8192)");
}

static void test_a_longer_file(void **state)
{
	struct world *w = world_of(state);

	add_extent(&w->old, 0, 2, DATA);
	add_extent(&w->new, 0, 2, DATA);
	add_extent(&w->new, 2, 1, DATA + 2);
	sizes(w, 5000, 12000);
	assert_ranges(w, "[5000, 12000)");
	sizes(w, 12000, 5000);
	assert_ranges(w, "[5000, 12000)");
	/* Not a sector that differs, and what joins on to it is one range. */
	w->new.count = 0;
	add_extent(&w->new, 0, 3, DATA + 3);
	sizes(w, 5000, 12000);
	assert_ranges(w, "[0, 12000)");
	sizes(w, 0, 12000);
	assert_ranges(w, "[0, 12000)");
	sizes(w, 0, 0);
	assert_ranges(w, "");
}

static void test_without_checksums_data_is_read(void **state)
{
	struct world *w = world_of(state);

	w->old.inode.flags = w->new.inode.flags = INODE_NODATASUM;
	sizes(w, 12288, 12288);
	add_extent(&w->old, 0, 3, DATA);
	add_extent(&w->new, 0, 3, DATA + 3);
	for (u32 i = 0; i < 6; i++)
		w->sums[i] = 1;
	fill(w, DATA + 3, 'a');
	fill(w, DATA + 5, 'c');
	assert_ranges(w, "[4096, 8192)");
	/* One side's do not help. */
	w->new.inode.flags = 0;
	w->sums[3] = w->sums[4] = w->sums[5] = ANY;
	assert_ranges(w, "[4096, 8192)");
}

/* CRC32C of a block does not change with 33 bits of it xored with the polynomial. */
static void test_data_on_demand(void **state)
{
	struct world *w = world_of(state);
	const u64 polynomial = 0x11EDC6F41;

	sizes(w, 8192, 8192);
	add_extent(&w->old, 0, 2, DATA);
	add_extent(&w->new, 0, 2, DATA + 2);
	fill(w, DATA + 2, 'a');
	fill(w, DATA + 3, 'b');
	for (unsigned copy = 0; copy < 2; copy++)
		for (unsigned i = 0; i <= 32; i++)
			if (polynomial >> (32 - i) & 1)
				forest_block(&w->f, DATA + 3, copy)[1000 + i / 8] ^= (u8)(1 << i % 8);
	assert_ranges(w, "");
	w->options.data = true;
	assert_ranges(w, "[4096, 8192)");
}

static void test_zeros_are_zeros(void **state)
{
	struct world *w = world_of(state);

	sizes(w, 6 * 4096, 6 * 4096);
	for (u32 i = 0; i < 4; i++)
		fill(w, DATA + i, 0);
	/* A hole, prealloc and nothing at all, against data; and against each other. */
	add_zeros(&w->old, 0, 1, 0);
	add_zeros(&w->old, 1, 1, DATA + 9);
	add_extent(&w->new, 0, 4, DATA);
	add_zeros(&w->old, 4, 1, 0);
	add_zeros(&w->new, 5, 1, DATA + 9);
	assert_ranges(w, "");
	fill(w, DATA, 'x');
	fill(w, DATA + 2, 'x');
	assert_ranges(w, "[0, 4096) [8192, 12288)");
	w->options.data = true;
	assert_ranges(w, "[0, 4096) [8192, 12288)");
	w->sums[1] = 7;
	assert_int_equal(compare(w), -EIO);
	w->options.data = false;
	assert_ranges(w, "[0, 12288)");
}

/* An exabyte of hole in two forms is no work. */
static void test_far_holes(void **state)
{
	struct world *w = world_of(state);
	const u64 far = 1ull << 60;
	struct file_extent hole = {.type = FILE_EXTENT_REG, .ram_bytes = le64_of(far), .num_bytes = le64_of(far)};

	sizes(w, far, far);
	add(&w->old, 0, &hole, NULL, 0);
	assert_ranges(w, "");
}

static void test_inline(void **state)
{
	struct world *w = world_of(state);

	add_inline(&w->old, "hello");
	add_inline(&w->new, "hallo");
	assert_ranges(w, "[0, 5)");
	w->new.count = 0;
	add_inline(&w->new, "hello, you");
	assert_ranges(w, "[5, 10)");
	/* Against the same text in an extent, and against another. */
	w->new.count = 0;
	fill(w, DATA, 0);
	for (unsigned copy = 0; copy < 2; copy++)
		memcpy(forest_block(&w->f, DATA, copy), "hello", 5);
	add_extent(&w->new, 0, 1, DATA);
	w->new.inode.size = 5;
	assert_ranges(w, "");
	/* The file goes on behind the inline data with zeros. */
	sizes(w, 4000, 4000);
	assert_ranges(w, "");
	for (unsigned copy = 0; copy < 2; copy++)
		forest_block(&w->f, DATA, copy)[3000] = 1;
	assert_ranges(w, "[0, 4000)");
}

static void pack(struct world *w, u32 block, u32 sectors, const u8 *plain, size_t len, int level)
{
	u8 packed[16 * IMAGE_SECTOR] = {0};
	uLongf size = sizeof(packed);

	assert_int_equal(compress2(packed, &size, plain, len, level), Z_OK);
	assert_true(size <= sectors * IMAGE_SECTOR);
	for (u32 i = 0; i < sectors; i++)
		for (unsigned copy = 0; copy < 2; copy++)
			memcpy(forest_block(&w->f, block + i, copy), packed + i * IMAGE_SECTOR, IMAGE_SECTOR);
}

static void test_compressed(void **state)
{
	struct world *w = world_of(state);
	u8 plain[4 * IMAGE_SECTOR];

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (u8)(rand() % 4);
	add_packed(&w->old, 0, 4, DATA, 2);
	add_packed(&w->new, 0, 4, DATA + 2, 2);
	/* Equal sums, and nothing that could be unpacked: not read. */
	w->sums[0] = w->sums[2] = 5;
	w->sums[1] = w->sums[3] = 6;
	assert_ranges(w, "");
	/* The same bytes packed in two ways. */
	memset(w->sums, 0, sizeof(w->sums));
	pack(w, DATA, 2, plain, sizeof(plain), 1);
	pack(w, DATA + 2, 2, plain, sizeof(plain), 9);
	assert_memory_not_equal(forest_block(&w->f, DATA, 0), forest_block(&w->f, DATA + 2, 0), IMAGE_SECTOR);
	assert_ranges(w, "");
	plain[9000] ^= 1;
	pack(w, DATA + 2, 2, plain, sizeof(plain), 9);
	assert_ranges(w, "[8192, 12288)");
	/* Against the same uncompressed. */
	w->old.count = 0;
	add_extent(&w->old, 0, 4, DATA + 4);
	for (u32 i = 0; i < 4; i++)
		for (unsigned copy = 0; copy < 2; copy++)
			memcpy(forest_block(&w->f, DATA + 4 + i, copy), plain + i * IMAGE_SECTOR, IMAGE_SECTOR);
	assert_ranges(w, "");
}

static void test_only_suspects_are_looked_at(void **state)
{
	struct world *w = world_of(state);
	const struct file_extent unknown = {.type = 9};

	sizes(w, 5 * 4096, 5 * 4096);
	add_extent(&w->old, 0, 1, DATA);
	add_extent(&w->new, 0, 1, DATA + 1);
	/* The same in both, and to look at it would fail. */
	add(&w->old, 4096, &unknown, NULL, 0);
	add(&w->new, 4096, &unknown, NULL, 0);
	add_extent(&w->old, 4, 1, DATA + 2);
	add_extent(&w->new, 4, 1, DATA + 3);
	assert_ranges(w, "[0, 4096) [16384, 20480)");
}

static void test_errors_name_the_side(void **state)
{
	struct world *w = world_of(state);
	struct file_extent e = {.type = 9};

	sizes(w, 4096, 4096);
	add_extent(&w->old, 0, 1, DATA);
	add_extent(&w->new, 0, 1, DATA + SECTORS);
	assert_error(compare(w), EIO,
		     "new: data at logical 17285120: no checksum in the csum tree");
	w->options.data = true;
	w->sums[0] = 7;
	assert_int_equal(compare(w), -EIO);
	assert_ptr_equal(strstr(error_message(), "old at 0: data at logical 17186816 "), error_message());
	w->new.count = 0;
	add(&w->new, 0, &e, NULL, 0);
	assert_error(compare(w), EOPNOTSUPP, "(300 EXTENT_DATA 0): unknown file extent type 9");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_extent_is_equal_unread),
		TEST(test_checksums_decide),
		TEST(test_the_first_difference_is_enough),
		TEST(test_what_is_behind_the_end_does_not_count),
		TEST(test_a_longer_file),
		TEST(test_without_checksums_data_is_read),
		TEST(test_data_on_demand),
		TEST(test_zeros_are_zeros),
		TEST(test_far_holes),
		TEST(test_inline),
		TEST(test_compressed),
		TEST(test_only_suspects_are_looked_at),
		TEST(test_errors_name_the_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
