/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A filesystem of three leaves: the chunk tree, the root tree, and the top level; on a file. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "files/filesystem.h"
#include "support/image.h"

#define SIZE (2u << 20)
#define LOGICAL (16ull << 20)
#define PHYSICAL (1u << 20)

static char path[] = "/tmp/btrfly-filesystem-XXXXXX";

struct build {
	struct root_item top, snapshot;
	u32 top_size;
	bool with_device;
};

static struct build good_build(void)
{
	struct build b = {.with_device = true, .top_size = sizeof(b.top)};

	b.top.generation = le64_of(IMAGE_GENERATION);
	b.top.bytenr = le64_of(LOGICAL + 2 * IMAGE_NODE);
	b.snapshot = b.top;
	b.snapshot.bytenr = le64_of(LOGICAL + 3 * IMAGE_NODE);
	b.snapshot.generation = le64_of(6);
	b.snapshot.level = 2;
	return b;
}

static void write_image(const struct build *b)
{
	static const u64 where[][2] = {{1, PHYSICAL}};
	u8 chunk[IMAGE_CHUNK_MAX], *block;
	struct image im;
	FILE *f;

	image_init(&im, SIZE, 1, 1);
	image_add_system_chunk(&im, LOGICAL, 1 << 20, BLOCK_GROUP_SYSTEM, 1, where);
	im.super.chunk_root = le64_of(LOGICAL);
	im.super.root = le64_of(LOGICAL + IMAGE_NODE);
	image_write_super(&im, 0);

	struct image_item devices[] = {
		{{DEV_ITEMS_OBJECTID, KEY_DEV_ITEM, 1}, &im.super.dev_item, sizeof(struct dev_item)},
		{{FIRST_CHUNK_TREE_OBJECTID, KEY_CHUNK_ITEM, LOGICAL}, chunk,
		 (u32)image_chunk_item(1 << 20, BLOCK_GROUP_SYSTEM, 1, where, chunk)},
	};
	struct image_item roots[] = {
		{{FS_TREE_OBJECTID, KEY_ROOT_ITEM, 0}, &b->top, b->top_size},
		{{FS_TREE_OBJECTID, KEY_ROOT_REF, 300}, "", 0},
		{{ROOT_TREE_DIR_OBJECTID, KEY_INODE_ITEM, 0}, "", 0},
		{{300, KEY_ROOT_ITEM, 6}, &b->snapshot, ROOT_ITEM_SIZE_V0},
	};
	struct image_item top[] = {{{256, KEY_INODE_ITEM, 0}, "inode", 5}};

	block = im.bytes + PHYSICAL;
	image_leaf(block, LOGICAL, CHUNK_TREE_OBJECTID, devices + !b->with_device,
		   1 + b->with_device);
	block += IMAGE_NODE;
	image_leaf(block, LOGICAL + IMAGE_NODE, ROOT_TREE_OBJECTID, roots, 4);
	block += IMAGE_NODE;
	image_leaf(block, LOGICAL + 2 * IMAGE_NODE, FS_TREE_OBJECTID, top, 1);
	f = fopen(path, "w");
	assert_int_equal(fwrite(im.bytes, 1, SIZE, f), SIZE);
	fclose(f);
	image_release(&im);
}

static int open_image(const struct build *b, struct filesystem **fs)
{
	const char *paths[] = {path};

	write_image(b);
	return filesystem_open(paths, 1, NULL, fs);
}

static void test_open(void **state)
{
	struct build b = good_build();
	struct key k = key_of(256, KEY_INODE_ITEM, 0);
	struct filesystem *fs;
	struct cursor c;
	struct tree t;

	assert_ok(open_image(&b, &fs));
	assert_int_equal(fs->facts->generation, IMAGE_GENERATION);
	assert_int_equal(fs->extent_tree.logical, 0);
	assert_int_equal(fs->csum_tree.logical, 0);
	assert_int_equal(fs->csum_tree.objectid, CSUM_TREE_OBJECTID);
	assert_ok(filesystem_tree(fs, FS_TREE_OBJECTID, &t));
	assert_int_equal(t.objectid, FS_TREE_OBJECTID);
	assert_int_equal(t.logical, LOGICAL + 2 * IMAGE_NODE);
	cursor_init(&c, &t);
	assert_int_equal(cursor_seek(&c, &k), 0);
	assert_memory_equal(cursor_data(&c), "inode", 5);
	cursor_release(&c);
	filesystem_free(fs);
	filesystem_free(NULL);
}

static void test_root_item_of_a_snapshot(void **state)
{
	struct build b = good_build();
	struct filesystem *fs;
	struct tree t;

	assert_ok(open_image(&b, &fs));
	assert_ok(filesystem_tree(fs, 300, &t));
	assert_int_equal(t.logical, LOGICAL + 3 * IMAGE_NODE);
	assert_int_equal(t.generation, 6);
	assert_int_equal(t.level, 2);
	filesystem_free(fs);
}

static void test_tree_that_does_not_exist(void **state)
{
	struct build b = good_build();
	struct filesystem *fs;
	struct tree t;

	assert_ok(open_image(&b, &fs));
	assert_error(filesystem_tree(fs, 1, &t), ENOENT, "tree 1 does not exist");
	assert_error(filesystem_tree(fs, ROOT_TREE_DIR_OBJECTID, &t), ENOENT, "tree 6 does not exist");
	assert_error(filesystem_tree(fs, 299, &t), ENOENT, "tree 299 does not exist");
	assert_error(filesystem_tree(fs, 301, &t), ENOENT, "tree 301 does not exist");
	filesystem_free(fs);
}

static void assert_bad_root(const struct build *b, const char *sentence)
{
	struct filesystem *fs;
	struct tree t;

	assert_ok(open_image(b, &fs));
	assert_error(filesystem_tree(fs, FS_TREE_OBJECTID, &t), EIO, sentence);
	filesystem_free(fs);
}

static void test_bad_root_items(void **state)
{
	struct build b = good_build();

	b.top_size = ROOT_ITEM_SIZE_V0 - 1;
	assert_bad_root(&b, "root item (5 ROOT_ITEM 0): only 238 bytes");
	b = good_build();
	b.top.bytenr = le64_of(0);
	assert_bad_root(&b, "root item (5 ROOT_ITEM 0): root at logical 0");
	b.top.bytenr = le64_of(4097);
	assert_bad_root(&b, "root item (5 ROOT_ITEM 0): root at logical 4097");
	b = good_build();
	b.top.level = 8;
	assert_bad_root(&b, "root item (5 ROOT_ITEM 0): root has level 8");
}

static void test_failed_open_names_the_path(void **state)
{
	struct build b = good_build();
	struct filesystem *fs;
	char sentence[200];

	b.with_device = false;
	snprintf(sentence, sizeof(sentence),
		 "%s: chunk tree: %s (device 1) is no longer part of its filesystem", path, path);
	assert_error(open_image(&b, &fs), EINVAL, sentence);
}

static void test_missing_paths(void **state)
{
	struct build b = good_build();
	const char *paths[] = {path, "/nowhere/image"};
	struct filesystem *fs;

	write_image(&b);
	assert_error(filesystem_open(paths, 2, NULL, &fs), ENOENT,
		     "/nowhere/image: No such file or directory");
	assert_error(filesystem_open(paths, 0, NULL, &fs), EINVAL, "no device was given");
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_root_item_of_a_snapshot),
		cmocka_unit_test(test_tree_that_does_not_exist),
		cmocka_unit_test(test_bad_root_items),
		cmocka_unit_test(test_failed_open_names_the_path),
		cmocka_unit_test(test_missing_paths),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
