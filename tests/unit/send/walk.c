/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks one after the other, with more leaves than the kernel's cache has room for, against a plain model of
 * that cache: what is cloned from depends on which leaves are in it.
 *
 * Subvolume 256 has FILES files that share EXTENTS extents.  Of each the items lie in two leaves, which part at
 * another extent in each, and some files lack some extents.
 */
#include "support/test.h"

#include <stdlib.h>

#include "send/clone.h"
#include "send/sources.h"
#include "support/forest.h"

#define FILES 75u
#define EXTENTS 12u
#define SIZE 4096u
#define EXTENT(n) ((64ull << 20) + (u64)(n)*SIZE)
#define FIRST_INO 1000u
#define SUBVOLUME 256u
#define CACHED_MAX 128u

/* Forest blocks. */
enum { ROOT_TREE, FS_ROOT, FS_NODE, EXTENT_ROOT = FS_NODE + 2, FS_LEAF, EXTENT_LEAF = FS_LEAF + 2 * FILES };

struct world {
	struct forest f;
	struct filesystem fs;
	struct subvolume sv;
	struct send_plan *plan;
	bool has[FILES][EXTENTS];
	u32 parts_at[FILES]; /* the first extent whose item is in the second leaf */
	u32 cached[CACHED_MAX]; /* the model: leaves, least recently used first */
	u32 cached_count;
};

static u32 random_below(u32 n)
{
	static u64 state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state >> 33) % n;
}

/* --- the trees --- */

static void write_files(struct world *w)
{
	struct image_pointer pointers[2][2 * FILES], tops[2];
	u32 count[2] = {0};

	for (u32 i = 0; i < FILES; i++) {
		struct file_extent fe[EXTENTS];
		struct image_item items[EXTENTS];
		u32 at = 0;

		w->parts_at[i] = 2 + random_below(EXTENTS - 3);
		for (u32 x = 0; x < EXTENTS; x++) {
			/* The first item of each leaf is there, for its key. */
			w->has[i][x] = !x || x == w->parts_at[i] || random_below(6);
			fe[x] = (struct file_extent){.ram_bytes = le64_of(SIZE),
						     .type = FILE_EXTENT_REG,
						     .disk_bytenr = le64_of(EXTENT(x)),
						     .disk_num_bytes = le64_of(SIZE),
						     .num_bytes = le64_of(SIZE)};
		}
		for (u32 half = 0; half < 2; half++) {
			u32 first = half ? w->parts_at[i] : 0, end = half ? EXTENTS : w->parts_at[i];
			u32 block = FS_LEAF + 2 * i + half, node = i * 2 / FILES;

			at = 0;
			for (u32 x = first; x < end; x++)
				if (w->has[i][x])
					items[at++] = (struct image_item){
						key_of(FIRST_INO + i, KEY_EXTENT_DATA, (u64)x * SIZE),
						&fe[x], sizeof(fe[x])};
			forest_leaf(&w->f, block, SUBVOLUME, items, at);
			pointers[node][count[node]++] = (struct image_pointer){
				items[0].key, forest_logical(block), IMAGE_GENERATION};
		}
	}
	for (u32 n = 0; n < 2; n++) {
		forest_node(&w->f, FS_NODE + n, SUBVOLUME, 1, pointers[n], count[n]);
		tops[n] = (struct image_pointer){pointers[n][0].key, forest_logical(FS_NODE + n),
						 IMAGE_GENERATION};
	}
	forest_node(&w->f, FS_ROOT, SUBVOLUME, 2, tops, 2);
}

/* An extent's references, a leaf or two of the extent tree. */
static void write_references(struct world *w, u32 x, struct image_pointer *pointers, u32 *leaves)
{
	struct {
		le64 refs, generation, flags;
	} item = {le64_of(0), le64_of(IMAGE_GENERATION), le64_of(EXTENT_FLAG_DATA)};
	struct extent_data_ref refs[FILES];
	struct image_item items[FILES + 1];
	u32 count = 1;

	for (u32 i = 0; i < FILES; i++) {
		if (!w->has[i][x])
			continue;
		refs[i] = (struct extent_data_ref){le64_of(SUBVOLUME), le64_of(FIRST_INO + i),
						   le64_of((u64)x * SIZE), le32_of(1)};
		items[count++] = (struct image_item){key_of(EXTENT(x), KEY_EXTENT_DATA_REF, i), &refs[i],
						     sizeof(refs[i])};
	}
	item.refs = le64_of(count - 1);
	items[0] = (struct image_item){key_of(EXTENT(x), KEY_EXTENT_ITEM, SIZE), &item, sizeof(item)};
	for (u32 at = 0, n; at < count; at += n) {
		const u32 block = EXTENT_LEAF + *leaves;

		n = count - at < 50 ? count - at : 50;
		forest_leaf(&w->f, block, EXTENT_TREE_OBJECTID, items + at, n);
		pointers[(*leaves)++] =
			(struct image_pointer){items[at].key, forest_logical(block), IMAGE_GENERATION};
	}
}

static int setup(void **state)
{
	static struct world w;
	struct root_item root = {.generation = le64_of(IMAGE_GENERATION),
				 .refs = le32_of(1),
				 .level = 2};
	struct image_item item = {key_of(SUBVOLUME, KEY_ROOT_ITEM, 0), &root, ROOT_ITEM_SIZE_V0};
	struct image_pointer pointers[2 * EXTENTS];
	u32 leaves = 0;

	w = (struct world){0};
	forest_init(&w.f, 4 << 20);
	write_files(&w);
	for (u32 x = 0; x < EXTENTS; x++)
		write_references(&w, x, pointers, &leaves);
	forest_node(&w.f, EXTENT_ROOT, EXTENT_TREE_OBJECTID, 1, pointers, leaves);
	root.bytenr = le64_of(forest_logical(FS_ROOT));
	forest_leaf(&w.f, ROOT_TREE, ROOT_TREE_OBJECTID, &item, 1);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .root_tree = forest_tree(&w.f, ROOT_TREE, ROOT_TREE_OBJECTID, 0),
				   .extent_tree = forest_tree(&w.f, EXTENT_ROOT, EXTENT_TREE_OBJECTID, 1)};
	w.sv = (struct subvolume){.id = SUBVOLUME, .tree = forest_tree(&w.f, FS_ROOT, SUBVOLUME, 2)};
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	send_plan_free(w->plan);
	forest_release(&w->f);
	return 0;
}

/* --- the model --- */

/* Whether the cache has the leaf; it is then the most recently used one. */
static bool model_touch(struct world *w, u32 leaf)
{
	u32 i = 0;

	while (i < w->cached_count && w->cached[i] != leaf)
		i++;
	if (i == w->cached_count)
		return false;
	for (; i + 1 < w->cached_count; i++)
		w->cached[i] = w->cached[i + 1];
	w->cached[i] = leaf;
	return true;
}

static void model_store(struct world *w, u32 leaf)
{
	if (w->cached_count == CACHED_MAX) {
		model_touch(w, w->cached[0]);
		w->cached_count--;
	}
	w->cached[w->cached_count++] = leaf;
}

/* What file @cur takes extent @x from: the highest of the lower files, first among those whose leaves are
 * cached. */
static u32 model_walk(struct world *w, u32 x, u32 cur, bool skip_self)
{
	for (int all = 0; all < 2; all++) {
		for (u32 i = FILES; i--;) {
			const u32 leaf = 2 * i + (x >= w->parts_at[i]);

			if (!w->has[i][x] || (i == cur && skip_self))
				continue;
			if (!model_touch(w, leaf)) {
				if (!all)
					continue;
				model_store(w, leaf);
			}
			if (i < cur)
				return FIRST_INO + i;
		}
	}
	return 0;
}

/* --- the walks --- */

struct asked {
	u64 ino, taken;
};

static int take_lower(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg)
{
	struct asked *a = arg;

	assert_int_equal(root, SUBVOLUME);
	assert_int_equal(num_bytes, SIZE);
	if (ino >= a->ino)
		return 0;
	a->taken = ino;
	return 1;
}

static void assert_walk(struct world *w, u32 x, u32 cur, bool skip_self, u64 len)
{
	struct asked a = {.ino = FIRST_INO + cur};
	const struct extent_query q = {.bytenr = EXTENT(x),
				       .file_offset = (u64)x * SIZE,
				       .len = len,
				       .skip_self = skip_self,
				       .self_root = SUBVOLUME,
				       .self_ino = FIRST_INO + cur,
				       .self_offset = (u64)x * SIZE};

	assert_ok(extent_walk(w->plan->sources->walk, &q, take_lower, &a));
	assert_int_equal(a.taken, model_walk(w, x, cur, skip_self));
}

static void walks(struct world *w, size_t memory, u32 count)
{
	const struct plan_options options = {.proto = 1};

	w->fs.memory = memory;
	assert_ok(send_plan_new(&w->fs, &w->sv, NULL, NULL, 0, &options, &w->plan));
	while (count--) {
		const u32 cur = random_below(FILES), first = random_below(EXTENTS);

		for (u32 x = first; x < EXTENTS; x++) {
			/* More bytes than the item has: not a plain one. */
			u64 len = random_below(8) ? SIZE : SIZE + 1;

			if (w->has[cur][x])
				assert_walk(w, x, cur, random_below(8), len);
		}
	}
}

static void test_against_model(void **state)
{
	walks(*state, 4 << 20, 2000);
}

/* What is resolved is soon forgotten, the kernel's cache is not. */
static void test_little_memory(void **state)
{
	walks(*state, 16 << 10, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_against_model),
		TEST(test_little_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
