/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tree block may not be.  Each case changes a good block and puts its checksum right. */
#include "support/test.h"

#include <stdio.h>

#include "support/image.h"
#include "tree/block.h"

#define LOGICAL 8192u
#define HEADER ((u32)sizeof(struct node_header))
#define DATA_SIZE (IMAGE_NODE - HEADER) /* 3995 */

static u8 block[IMAGE_NODE];
static struct node_header *const head = (struct node_header *)block;
static struct leaf_item *const items = (struct leaf_item *)(block + HEADER);
static struct node_pointer *const pointers = (struct node_pointer *)(block + HEADER);

static const struct image_item leaf[] = {
	{{256, KEY_INODE_ITEM, 0}, "inode", 5},
	{{256, KEY_INODE_REF, 256}, "", 0},
	{{257, KEY_INODE_ITEM, 0}, "another", 7},
};
static const struct image_pointer node[] = {
	{{256, KEY_INODE_ITEM, 0}, 12288, 5},
	{{300, KEY_EXTENT_DATA, 4096}, 16384, 6},
};

static void make_leaf(void) { image_leaf(block, LOGICAL, FS_TREE_OBJECTID, leaf, 3); }
static void make_node(void) { image_node(block, LOGICAL, FS_TREE_OBJECTID, 1, node, 2); }

static int check(struct extent_buffer *eb)
{
	struct volume_facts f = {
		.sectorsize = IMAGE_SECTOR,
		.nodesize = IMAGE_NODE,
		.csum_size = 4,
		.metadata_uuid = "filesystem uuid",
	};

	*eb = (struct extent_buffer){.data = block};
	return block_check(&f, LOGICAL, eb);
}

static void test_good_leaf(void **state)
{
	struct extent_buffer eb;

	make_leaf();
	assert_ok(check(&eb));
	assert_int_equal(eb.logical, LOGICAL);
	assert_int_equal(eb.generation, IMAGE_GENERATION);
	assert_int_equal(eb.owner, FS_TREE_OBJECTID);
	assert_int_equal(eb.nritems, 3);
	assert_int_equal(eb.level, 0);
	assert_int_equal(leaf_size(&eb, 2), 7);
	assert_memory_equal(leaf_data(&eb, 2), "another", 7);
	assert_int_equal(block_key(&eb, 1).type, KEY_INODE_REF);
}

static void test_good_node(void **state)
{
	struct extent_buffer eb;

	make_node();
	assert_ok(check(&eb));
	assert_int_equal(eb.nritems, 2);
	assert_int_equal(eb.level, 1);
	assert_int_equal(block_key(&eb, 1).offset, 4096);
}

static void test_empty_leaf(void **state)
{
	struct extent_buffer eb;

	image_leaf(block, LOGICAL, FS_TREE_OBJECTID, NULL, 0);
	assert_ok(check(&eb));
	assert_int_equal(eb.nritems, 0);
}

/* 159 items of 25 bytes fill 3975 of 3995 bytes, data of 20 bytes the rest. */
static void test_full_leaf(void **state)
{
	struct image_item full[159];
	struct extent_buffer eb;

	for (u32 i = 0; i < 159; i++)
		full[i] = (struct image_item){{i, 1, 0}, "12345678901234567890", i ? 0 : 20};
	image_leaf(block, LOGICAL, FS_TREE_OBJECTID, full, 159);
	assert_ok(check(&eb));
}

/* (4096 - 101) / 33 = 121.06 */
static void test_full_node(void **state)
{
	struct image_pointer full[121];
	struct extent_buffer eb;

	for (u32 i = 0; i < 121; i++)
		full[i] = (struct image_pointer){{i, 1, 0}, 4096, 1};
	image_node(block, LOGICAL, FS_TREE_OBJECTID, 7, full, 121);
	assert_ok(check(&eb));
}

static void test_checksum(void **state)
{
	struct extent_buffer eb;

	for (u32 at = 32; at < IMAGE_NODE; at += 677) {
		make_leaf();
		block[at] ^= 0x10;
		assert_error(check(&eb), EIO, "checksum mismatch");
	}
	make_leaf();
	block[3] ^= 1;
	assert_error(check(&eb), EIO, "checksum mismatch");
}

static void change_address(void) { head->bytenr = le64_of(4096); }
static void change_fsid(void) { head->fsid[15] ^= 1; }
static void change_level(void) { head->level = 8; }
static void swap_items(void)
{
	struct disk_key key = items[1].key;

	items[1].key = items[2].key;
	items[2].key = key;
}
static void repeat_key(void) { items[1].key = items[0].key; }
static void open_gap(void) { items[1].offset = le32_of(DATA_SIZE - 6); }
static void overlap_data(void) { items[2].offset = le32_of(DATA_SIZE - 11); }
static void leave_end_free(void) { items[0].offset = le32_of(DATA_SIZE - 6); }
static void pass_the_end(void) { items[0].size = le32_of(6); }
static void wrap_offset(void)
{
	items[0].offset = le32_of((u32)-1);
	items[0].size = le32_of(DATA_SIZE + 1);
}
static void run_into_items(void)
{
	items[2].offset = le32_of(74);
	items[2].size = le32_of(DATA_SIZE - 5 - 74);
}
static void too_many_items(void) { head->nritems = le32_of(160); }
static void far_too_many(void) { head->nritems = le32_of((u32)-1); }
static void empty_node(void) { head->nritems = le32_of(0); }
static void too_many_pointers(void) { head->nritems = le32_of(122); }
static void swap_pointers(void) { pointers[1].key.objectid = le64_of(255); }
static void null_pointer(void) { pointers[1].blockptr = le64_of(0); }
static void odd_pointer(void) { pointers[0].blockptr = le64_of(12289); }

struct wrong {
	const char *name;
	void (*make)(void);
	void (*change)(void);
	const char *sentence;
};

static struct wrong wrongs[] = {
	{"address", make_leaf, change_address, "it was written for logical 4096"},
	{"fsid", make_leaf, change_fsid, "it belongs to another filesystem"},
	{"level", make_leaf, change_level, "level 8"},
	{"order of items", make_leaf, swap_items,
	 "slot 2: key (256 INODE_REF 256) does not follow (257 INODE_ITEM 0)"},
	{"same key twice", make_leaf, repeat_key,
	 "slot 1: key (256 INODE_ITEM 0) does not follow (256 INODE_ITEM 0)"},
	{"gap in the data", make_leaf, open_gap, "slot 1: data [3989, 3989) does not end at 3990"},
	{"overlapping data", make_leaf, overlap_data,
	 "slot 2: data [3984, 3991) does not end at 3990"},
	{"data that ends early", make_leaf, leave_end_free,
	 "slot 0: data [3989, 3994) does not end at 3995"},
	{"data past the end", make_leaf, pass_the_end,
	 "slot 0: data [3990, 3996) does not end at 3995"},
	{"offset that wraps", make_leaf, wrap_offset,
	 "slot 0: data [4294967295, 4294971291) does not end at 3995"},
	{"data in the items", make_leaf, run_into_items, "data of 3 items overlaps the items"},
	{"too many items", make_leaf, too_many_items, "160 items do not fit a leaf"},
	{"far too many items", make_leaf, far_too_many, "4294967295 items do not fit a leaf"},
	{"empty node", make_node, empty_node, "0 pointers in a node"},
	{"too many pointers", make_node, too_many_pointers, "122 pointers in a node"},
	{"far too many pointers", make_node, far_too_many, "4294967295 pointers in a node"},
	{"order of pointers", make_node, swap_pointers,
	 "slot 1: key (255 EXTENT_DATA 4096) does not follow (256 INODE_ITEM 0)"},
	{"pointer to 0", make_node, null_pointer, "slot 1: pointer to logical 0"},
	{"unaligned pointer", make_node, odd_pointer, "slot 0: pointer to logical 12289"},
};

static void test_wrong_block(void **state)
{
	const struct wrong *w = *state;
	struct extent_buffer eb;

	w->make();
	w->change();
	image_seal(block);
	assert_error(check(&eb), EIO, w->sentence);
}

static struct block_expect good_expectation(void)
{
	return (struct block_expect){
		.logical = LOGICAL,
		.generation = IMAGE_GENERATION,
		.level = 0,
		.tree = FS_TREE_OBJECTID,
		.has_first_key = true,
		.first_key = {256, KEY_INODE_ITEM, 0},
		.has_limit = true,
		.limit = {257, KEY_INODE_ITEM, 1},
	};
}

static void test_expected(void **state)
{
	struct block_expect want = good_expectation();
	struct extent_buffer eb;

	make_leaf();
	assert_ok(check(&eb));
	assert_ok(block_check_expected(&eb, &want));
	want.generation = 8;
	assert_error(block_check_expected(&eb, &want), EIO, "generation 7 instead of 8");
	want = good_expectation();
	want.level = 1;
	assert_error(block_check_expected(&eb, &want), EIO, "level 0 instead of 1");
	want = good_expectation();
	want.first_key.offset = 1;
	assert_error(block_check_expected(&eb, &want), EIO,
		     "first key (256 INODE_ITEM 0) instead of (256 INODE_ITEM 1)");
	want = good_expectation();
	want.limit.offset = 0;
	assert_error(block_check_expected(&eb, &want), EIO,
		     "last key (257 INODE_ITEM 0) is not below (257 INODE_ITEM 0), the next block's");
	want.has_limit = false;
	assert_ok(block_check_expected(&eb, &want));
}

static void test_empty_leaf_below_the_root(void **state)
{
	struct block_expect want = good_expectation();
	struct extent_buffer eb;

	image_leaf(block, LOGICAL, FS_TREE_OBJECTID, NULL, 0);
	assert_ok(check(&eb));
	assert_error(block_check_expected(&eb, &want), EIO, "an empty leaf that is not the root");
	want.has_first_key = false;
	assert_ok(block_check_expected(&eb, &want));
}

static void test_owner(void **state)
{
	static const struct {
		u64 tree, owner;
		bool fits;
	} cases[] = {
		{FS_TREE_OBJECTID, FS_TREE_OBJECTID, true},
		{FS_TREE_OBJECTID, 257, true},
		{257, FS_TREE_OBJECTID, true},
		{257, 300, true},
		{257, ROOT_TREE_OBJECTID, false},
		{257, DATA_RELOC_TREE_OBJECTID, false},
		{ROOT_TREE_OBJECTID, ROOT_TREE_OBJECTID, true},
		{ROOT_TREE_OBJECTID, 257, false},
		{CSUM_TREE_OBJECTID, EXTENT_TREE_OBJECTID, false},
		{DATA_RELOC_TREE_OBJECTID, DATA_RELOC_TREE_OBJECTID, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct block_expect want = good_expectation();
		struct extent_buffer eb;
		char sentence[80];

		image_leaf(block, LOGICAL, cases[i].owner, leaf, 3);
		assert_ok(check(&eb));
		want.tree = cases[i].tree;
		if (cases[i].fits) {
			assert_ok(block_check_expected(&eb, &want));
			continue;
		}
		snprintf(sentence, sizeof(sentence), "it belongs to tree %llu",
			 (unsigned long long)cases[i].owner);
		assert_error(block_check_expected(&eb, &want), EIO, sentence);
	}
}

static void assert_found(u64 objectid, u8 type, u64 offset, u32 slot, bool equal)
{
	struct key k = key_of(objectid, type, offset);
	struct extent_buffer eb;
	bool got;

	assert_ok(check(&eb));
	assert_int_equal(block_search(&eb, &k, &got), slot);
	assert_int_equal(got, equal);
}

static void test_search(void **state)
{
	make_leaf();
	assert_found(0, 0, 0, 0, false);
	assert_found(256, KEY_INODE_ITEM, 0, 0, true);
	assert_found(256, KEY_INODE_ITEM, 1, 1, false);
	assert_found(256, KEY_INODE_REF, 256, 1, true);
	assert_found(256, KEY_INODE_REF, 257, 2, false);
	assert_found(257, 0, (u64)-1, 2, false);
	assert_found(257, KEY_INODE_ITEM, 0, 2, true);
	assert_found((u64)-1, 255, (u64)-1, 3, false);
	make_node();
	assert_found(300, KEY_EXTENT_DATA, 4096, 1, true);
	assert_found(300, KEY_EXTENT_DATA, 4095, 1, false);
	image_leaf(block, LOGICAL, FS_TREE_OBJECTID, NULL, 0);
	assert_found(5, 5, 5, 0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_leaf),
		cmocka_unit_test(test_good_node),
		cmocka_unit_test(test_empty_leaf),
		cmocka_unit_test(test_full_leaf),
		cmocka_unit_test(test_full_node),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_empty_leaf_below_the_root),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_search),
	};
	struct CMUnitTest blocks[ARRAY_SIZE(wrongs)];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++)
		blocks[i] = (struct CMUnitTest){wrongs[i].name, test_wrong_block, NULL, NULL,
						&wrongs[i]};
	return failed + cmocka_run_group_tests(blocks, NULL, NULL);
}
