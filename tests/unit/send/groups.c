/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include "send/groups.h"

#define PLACES 400u

struct world {
	struct leaves leaves;
	struct groups groups;
};

static int setup(void **state)
{
	static struct world w;

	assert_ok(leaves_init(&w.leaves));
	assert_ok(groups_init(&w.groups, &w.leaves));
	*state = &w;
	return 0;
}

/* By now every group has been put. */
static int teardown(void **state)
{
	struct world *w = *state;

	assert_int_equal(w->groups.all.count, 0);
	assert_int_equal(w->groups.bytes, 0);
	assert_int_equal(w->leaves.bytes, 0);
	groups_release(&w->groups);
	leaves_release(&w->leaves);
	return 0;
}

/* Files by falling inode number, each from a leaf of its own. */
static void fill(struct named_place *p)
{
	for (u32 i = 0; i < PLACES; i++)
		p[i] = (struct named_place){4096ull * i, 256, 1000 - i, true};
}

static u32 cut(struct world *w, const struct named_place *p, u32 count, struct group **out)
{
	u32 groups = 0;

	for (u32 at = 0, length; at < count; at += length) {
		length = group_length(p + at, count - at);
		assert_in_range(length, 1, count - at);
		out[groups] = groups_get(&w->groups, p + at, length);
		assert_int_equal(out[groups]->count, length);
		groups++;
	}
	return groups;
}

static void put(struct world *w, struct group **group, u32 count)
{
	for (u32 i = 0; i < count; i++)
		groups_put(&w->groups, group[i]);
}

static void test_same_places_same_group(void **state)
{
	struct world *w = *state;
	struct named_place p[] = {{4096, 256, 300, true}, {8192, 256, 300, false}, {4096, 0, 301, true}};
	struct group *a = groups_get(&w->groups, p, 3);

	assert_int_equal(a->count, 3);
	assert_int_equal(leaf_address(a->place[1].leaf), 8192);
	assert_int_equal(a->place[0].root, 256);
	assert_int_equal(a->place[2].ino, 301);
	assert_true(a->place[0].first);
	assert_false(a->place[1].first);
	assert_ptr_equal(a->place[0].leaf, a->place[2].leaf);
	assert_ptr_equal(groups_get(&w->groups, p, 3), a);
	groups_put(&w->groups, a);
	groups_put(&w->groups, a);
}

/* Whatever is different makes it another one. */
static void test_other_places_other_group(void **state)
{
	static const struct named_place p[] = {{4096, 256, 300, true}, {8192, 256, 300, true}};
	struct world *w = *state;
	struct group *group[7] = {groups_get(&w->groups, p, 2), groups_get(&w->groups, p, 1)};

	for (u32 i = 0; i < 5; i++) {
		struct named_place other[] = {p[0], p[1]};

		other[1].leaf += i == 0;
		other[1].root += i == 1 || i == 4;
		other[1].ino += i == 2;
		other[1].first = i < 3;
		group[2 + i] = groups_get(&w->groups, other, 2);
	}
	for (u32 i = 0; i < 7; i++)
		for (u32 k = 0; k < i; k++)
			assert_ptr_not_equal(group[i], group[k]);
	put(w, group, 7);
}

static void test_a_change_leaves_the_other_groups(void **state)
{
	struct named_place p[PLACES], less[PLACES];
	struct group *before[PLACES], *after[PLACES];
	struct world *w = *state;
	u32 count, more;

	fill(p);
	count = cut(w, p, PLACES, before);
	assert_in_range(count, PLACES / 64, PLACES / 8);

	/* Another leaf. */
	p[200].leaf = 1;
	more = cut(w, p, PLACES, after);
	assert_int_equal(more, count);
	assert_int_equal(w->groups.all.count, count + 1);
	put(w, after, more);
	assert_int_equal(w->groups.all.count, count);

	/* A place less. */
	fill(p);
	for (u32 i = 0; i < PLACES - 1; i++)
		less[i] = p[i + (i >= 200)];
	more = cut(w, less, PLACES - 1, after);
	assert_in_range(w->groups.all.count, count + 1, count + 3);
	put(w, after, more);
	put(w, before, count);
}

/* An inode at whose number every group would end, or none. */
static void test_lengths(void **state)
{
	struct named_place p[PLACES];
	u32 shortest = UINT32_MAX, longest = 0;

	for (u64 ino = 256; ino < 400; ino++) {
		for (u32 i = 0; i < PLACES; i++)
			p[i] = (struct named_place){4096, 256, ino, true};

		u32 length = group_length(p, PLACES);

		shortest = length < shortest ? length : shortest;
		longest = length > longest ? length : longest;
		assert_int_equal(group_length(p, 3), 3);
	}
	assert_int_equal(shortest, 4);
	assert_int_equal(longest, 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_places_same_group),
		TEST(test_other_places_other_group),
		TEST(test_a_change_leaves_the_other_groups),
		TEST(test_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
