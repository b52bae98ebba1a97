/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A root tree:
 *
 *   5    the top level            256  vol, last changed in 100
 *   257  snapshot of 256 in 60    258  snapshot of 256 in 130    259  of 256 in 140
 *   260  snapshot of 5            261  snapshot of what is no longer there
 *   262  has no uuid, as those of kernels before 3.6
 */
#include "support/test.h"

#include "send/choose.h"
#include "support/forest.h"

#define SUBVOLUMES 8u
#define VOL 256u

/* Each uuid is one byte 16 times: the subvolume's number from 0xa0 on. */
static const struct {
	u64 id;
	u8 uuid, parent;
	u64 ctransid;
} made[SUBVOLUMES] = {
	{FS_TREE_OBJECTID, 0xa5, 0, 10}, {256, 0xb0, 0, 100},  {257, 0xb1, 0xb0, 60},  {258, 0xb2, 0xb0, 130},
	{259, 0xb3, 0xb0, 140},		 {260, 0xb4, 0xa5, 20}, {261, 0xb5, 0xee, 100}, {262, 0, 0, 5},
};

struct world {
	struct forest f;
	struct filesystem fs;
	struct root_item root[SUBVOLUMES];
	struct {
		struct root_ref ref;
		char name[1];
	} backref[SUBVOLUMES];
};

static int setup(void **state)
{
	static struct world w;
	struct image_item items[2][SUBVOLUMES];
	struct image_pointer leaves[SUBVOLUMES];

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	/* A leaf each: root items are large. */
	for (u32 i = 0; i < SUBVOLUMES; i++) {
		w.root[i] = (struct root_item){.generation = le64_of(IMAGE_GENERATION),
					       .generation_v2 = le64_of(IMAGE_GENERATION),
					       .bytenr = le64_of(forest_logical(100)),
					       .root_dirid = le64_of(256),
					       .refs = le32_of(1),
					       .ctransid = le64_of(made[i].ctransid)};
		memset(w.root[i].uuid, made[i].uuid, UUID_SIZE);
		memset(w.root[i].parent_uuid, made[i].parent, UUID_SIZE);
		w.backref[i].ref = (struct root_ref){.dirid = le64_of(256), .name_len = le16_of(1)};
		w.backref[i].name[0] = (char)('a' + i);
		items[0][i] = (struct image_item){key_of(made[i].id, KEY_ROOT_ITEM, 0), &w.root[i],
						  sizeof(w.root[i])};
		items[1][i] = (struct image_item){key_of(made[i].id, KEY_ROOT_BACKREF, FS_TREE_OBJECTID),
						  &w.backref[i], sizeof(struct root_ref) + 1};
		forest_leaf(&w.f, 1 + i, ROOT_TREE_OBJECTID, (struct image_item[]){items[0][i], items[1][i]},
			    i ? 2 : 1);
		leaves[i] = (struct image_pointer){items[0][i].key, forest_logical(1 + i), IMAGE_GENERATION};
	}
	forest_node(&w.f, 0, ROOT_TREE_OBJECTID, 1, leaves, SUBVOLUMES);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .root_tree = forest_tree(&w.f, 0, ROOT_TREE_OBJECTID, 1)};
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	forest_release(&w->f);
	return 0;
}

/* Choose for subvolume @id among @ids, which end with 0. */
static int choose(struct world *w, u64 id, const u64 *ids, struct choice *considered, size_t *parent)
{
	struct subvolume sv, clones[SUBVOLUMES];
	size_t count = 0;

	assert_ok(subvolume_get(&w->fs, id, &sv));
	for (; ids[count]; count++)
		assert_ok(subvolume_get(&w->fs, ids[count], &clones[count]));
	return send_choose_parent(&w->fs, &sv, clones, count, considered, parent);
}

#define AMONG(...) ((const u64[]){__VA_ARGS__, 0})

static void assert_chosen(struct world *w, u64 id, const u64 *ids, size_t want)
{
	size_t parent = SUBVOLUMES;

	assert_ok(choose(w, id, ids, NULL, &parent));
	assert_int_equal(parent, want);
}

static void test_origin(void **state)
{
	/* However near the siblings are, and wherever it stands. */
	assert_chosen(*state, 259, AMONG(256), 0);
	assert_chosen(*state, 259, AMONG(256, 257, 258), 0);
	assert_chosen(*state, 259, AMONG(257, 256, 258), 1);
	assert_chosen(*state, 259, AMONG(261, 257, 258, 256), 3);
}

static void test_origin_is_top_level(void **state)
{
	assert_chosen(*state, 260, AMONG(257, FS_TREE_OBJECTID), 1);
}

/* From 100: 257 is 40 away, 258 30 and 259 40. */
static void test_nearest_sibling(void **state)
{
	assert_chosen(*state, 259, AMONG(257, 258), 1);
	assert_chosen(*state, 259, AMONG(258, 257), 0);
	assert_chosen(*state, 258, AMONG(257), 0);
	/* Of two equally near ones the first. */
	assert_chosen(*state, 258, AMONG(257, 259), 0);
	assert_chosen(*state, 258, AMONG(259, 257), 0);
	/* Strangers are passed over, be they ever so near: 261 is 0 away. */
	assert_chosen(*state, 259, AMONG(261, 260, 257), 2);
}

static void test_considered(void **state)
{
	static const struct choice want[] = {
		{CHOICE_SIBLING, 40, false}, {CHOICE_STRANGER, 0, false}, {CHOICE_SIBLING, 30, true},
		{CHOICE_STRANGER, 0, false}, {CHOICE_SIBLING, 40, false},
	};
	struct choice got[SUBVOLUMES];
	size_t parent;

	memset(got, 0xff, sizeof(got));
	assert_ok(choose(*state, 257, AMONG(257, 260, 258, 261, 259), got, &parent));
	assert_int_equal(parent, 2);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(got[i].verdict, want[i].verdict);
		assert_int_equal(got[i].distance, want[i].distance);
		assert_int_equal(got[i].chosen, want[i].chosen);
	}
	assert_ok(choose(*state, 257, AMONG(258, 256), got, &parent));
	assert_int_equal(got[0].verdict, CHOICE_SIBLING);
	assert_false(got[0].chosen);
	assert_int_equal(got[1].verdict, CHOICE_ORIGIN);
	assert_int_equal(got[1].distance, 0);
	assert_true(got[1].chosen);
}

static void test_strangers_alone(void **state)
{
	struct choice got[SUBVOLUMES];
	size_t parent;

	assert_error(choose(*state, 259, AMONG(260, 261), got, &parent), ENOENT,
		     "parent determination failed for 259: no clone source is a snapshot of the same subvolume; "
		     "name the parent with -p");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got[i].verdict, CHOICE_STRANGER);
		assert_false(got[i].chosen);
	}
	/* Nothing to choose among. */
	assert_int_equal(choose(*state, 259, AMONG(0), NULL, &parent), -ENOENT);
}

static void test_no_origin(void **state)
{
	size_t parent;

	/* Its origin is gone. */
	assert_error(choose(*state, 261, AMONG(257, 258), NULL, &parent), ENOENT,
		     "parent determination failed for 261: the subvolume that it is a snapshot of is not there; "
		     "name the parent with -p");
	/* It is no snapshot; that others have no parent either makes nobody its sibling. */
	assert_error(choose(*state, VOL, AMONG(FS_TREE_OBJECTID, 257), NULL, &parent), ENOENT,
		     "parent determination failed for 256: the subvolume that it is a snapshot of is not there; "
		     "name the parent with -p");
}

static void test_bad_root_tree(void **state)
{
	struct world *w = *state;
	struct subvolume sv;
	size_t parent;

	assert_ok(subvolume_get(&w->fs, 259, &sv));
	extent_cache_free(w->f.cache);
	assert_ok(extent_cache_new(w->f.volume, 1 << 20, &w->f.cache));
	w->fs.cache = w->fs.root_tree.cache = w->f.cache;
	faulty_set(w->f.device, FAULT_FAIL, 0, UINT32_MAX);
	assert_int_equal(send_choose_parent(&w->fs, &sv, &sv, 1, NULL, &parent), -EIO);
	assert_non_null(strstr(error_message(), "read of img fails on purpose"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_origin_is_top_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nearest_sibling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_considered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_root_tree, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
