/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Differences of trees made by hand.  An item's key is (number, 1, 0), its data a string; what comes out is
 * written down as "+3 -4 !5 =6": new, deleted, changed, the same.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/forest.h"
#include "tree/diff.h"

#define LIMIT (64u << 20)
#define LEFT 257u
#define RIGHT 258u

struct entry {
	u64 number;
	const char *data;
};

static struct key key_at(u64 number)
{
	return key_of(number, 1, 0);
}

/* A leaf of items up to the first without data. */
static void leaf(struct forest *f, u32 n, u64 owner, const struct entry *e)
{
	struct image_item items[64];
	u32 count = 0;

	for (; e[count].data; count++)
		items[count] = (struct image_item){key_at(e[count].number), e[count].data,
						   (u32)strlen(e[count].data)};
	forest_leaf(f, n, owner, items, count);
}

#define LEAF(f, n, owner, ...) leaf(f, n, owner, (struct entry[]){__VA_ARGS__, {0, NULL}})

struct child {
	u64 number;
	u32 block;
};

static void node(struct forest *f, u32 n, u64 owner, u8 level, const struct child *c, u32 count)
{
	struct image_pointer p[80];

	for (u32 i = 0; i < count; i++)
		p[i] = (struct image_pointer){key_at(c[i].number), forest_logical(c[i].block), IMAGE_GENERATION};
	forest_node(f, n, owner, level, p, count);
}

#define NODE(f, n, owner, level, ...)                                                              \
	node(f, n, owner, level, (struct child[]){__VA_ARGS__},                                    \
	     ARRAY_SIZE(((struct child[]){__VA_ARGS__})))

/* No copy of it is good. */
static void ruin(struct forest *f, u32 n)
{
	forest_block(f, n, 0)[200] ^= 1;
	forest_block(f, n, 1)[200] ^= 1;
}

/* Walk, and check what is under the sides on the way. */
static int walk(const struct tree *left, const struct tree *right, char *text, size_t size)
{
	static const char sign[] = {[DIFF_NEW] = '+', [DIFF_DELETED] = '-', [DIFF_CHANGED] = '!', [DIFF_SAME] = '='};
	enum diff_kind kind;
	struct tree_diff d;
	size_t len = 0;
	int ret = tree_diff_init(&d, left, right);

	*text = '\0';
	if (ret)
		return ret;
	while ((ret = tree_diff_next(&d, &kind)) > 0) {
		const struct diff_side *s = kind == DIFF_DELETED ? &d.right : &d.left;
		const struct extent_buffer *eb = s->node[0];
		struct key k = block_key(eb, s->slot[0]);

		assert_int_equal(key_cmp(&k, &s->key), 0);
		if (kind == DIFF_CHANGED || kind == DIFF_SAME)
			assert_int_equal(key_cmp(&d.left.key, &d.right.key), 0);
		assert_true(len + 24 < size);
		len += (size_t)snprintf(text + len, size - len, "%s%c%llu", len ? " " : "", sign[kind],
					(unsigned long long)k.objectid);
	}
	/* It stays at its end. */
	if (!ret)
		assert_int_equal(tree_diff_next(&d, &kind), 0);
	tree_diff_release(&d);
	tree_diff_release(&d);
	return ret;
}

static void assert_diff(const struct tree *left, const struct tree *right, const char *want)
{
	char text[4096];

	assert_ok(walk(left, right, text, sizeof(text)));
	assert_string_equal(text, want);
}

static void test_leaf_against_leaf(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 0, LEFT, {1, "a"}, {3, "b"}, {4, "c"}, {5, "prefix"}, {6, "x"}, {7, "pre"}, {9, "z"});
	LEAF(&f, 1, RIGHT, {2, "a"}, {3, "b"}, {4, "C"}, {5, "pre"}, {7, "prefix"}, {8, "y"}, {9, "z"});

	struct tree left = forest_tree(&f, 0, LEFT, 0), right = forest_tree(&f, 1, RIGHT, 0);

	assert_diff(&left, &right, "+1 -2 =3 !4 !5 +6 !7 -8 =9");
	assert_diff(&right, &left, "-1 +2 =3 !4 !5 -6 !7 +8 =9");
	forest_release(&f);
}

static void test_against_nothing(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 1, LEFT, {1, "a"}, {2, "b"});
	LEAF(&f, 2, LEFT, {3, "c"});
	NODE(&f, 0, LEFT, 1, {1, 1}, {3, 2});

	struct tree tree = forest_tree(&f, 0, LEFT, 1), one = forest_tree(&f, 2, LEFT, 0);

	assert_diff(&tree, NULL, "+1 +2 +3");
	assert_diff(NULL, &tree, "-1 -2 -3");
	assert_diff(&one, NULL, "+3");
	assert_diff(NULL, NULL, "");
	forest_release(&f);
}

static void test_empty_trees(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	forest_leaf(&f, 0, LEFT, NULL, 0);
	forest_leaf(&f, 1, RIGHT, NULL, 0);
	LEAF(&f, 3, RIGHT, {1, "a"}, {2, "b"});
	LEAF(&f, 4, RIGHT, {3, "a"});
	NODE(&f, 2, RIGHT, 1, {1, 3}, {3, 4});

	struct tree left = forest_tree(&f, 0, LEFT, 0), right = forest_tree(&f, 1, RIGHT, 0),
		    full = forest_tree(&f, 2, RIGHT, 1);

	assert_diff(&left, NULL, "");
	assert_diff(&left, &right, "");
	assert_diff(&left, &full, "-1 -2 -3");
	assert_diff(&full, &left, "+1 +2 +3");
	forest_release(&f);
}

/* One tree has nothing in common with the other's range of keys. */
static void test_apart(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 0, LEFT, {1, "a"}, {2, "b"});
	LEAF(&f, 2, RIGHT, {3, "a"});
	LEAF(&f, 3, RIGHT, {4, "a"});
	NODE(&f, 1, RIGHT, 1, {3, 2}, {4, 3});

	struct tree left = forest_tree(&f, 0, LEFT, 0), right = forest_tree(&f, 1, RIGHT, 1);

	assert_diff(&left, &right, "+1 +2 -3 -4");
	assert_diff(&right, &left, "-1 -2 +3 +4");
	forest_release(&f);
}

/* Equal items in blocks that are not shared are told, however they are spread over leaves. */
static void test_other_leaves(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 1, LEFT, {1, "a"}, {2, "b"}, {3, "c"});
	LEAF(&f, 2, LEFT, {4, "d"}, {5, "e"});
	NODE(&f, 0, LEFT, 1, {1, 1}, {4, 2});
	LEAF(&f, 4, RIGHT, {1, "a"});
	LEAF(&f, 5, RIGHT, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"});
	NODE(&f, 3, RIGHT, 1, {1, 4}, {2, 5});

	struct tree left = forest_tree(&f, 0, LEFT, 1), right = forest_tree(&f, 3, RIGHT, 1);

	assert_diff(&left, &right, "=1 =2 =3 =4 =5");
	forest_release(&f);
}

/* Of three leaves the outer ones are shared: they are never read. */
static void test_shared_leaves(void **state)
{
	struct forest f;
	unsigned before;

	forest_init(&f, LIMIT);
	LEAF(&f, 2, RIGHT, {1, "a"}, {2, "b"});
	LEAF(&f, 3, RIGHT, {3, "c"}, {4, "d"});
	LEAF(&f, 4, LEFT, {3, "c"}, {4, "D"});
	LEAF(&f, 5, RIGHT, {5, "e"}, {6, "f"});
	NODE(&f, 0, LEFT, 1, {1, 2}, {3, 4}, {5, 5});
	NODE(&f, 1, RIGHT, 1, {1, 2}, {3, 3}, {5, 5});
	ruin(&f, 2);
	ruin(&f, 5);

	struct tree left = forest_tree(&f, 0, LEFT, 1), right = forest_tree(&f, 1, RIGHT, 1);

	before = atomic_load(&f.device->reads);
	assert_diff(&left, &right, "=3 !4");
	/* Two roots and a leaf of each. */
	assert_int_equal(atomic_load(&f.device->reads) - before, 4);
	forest_release(&f);
}

/* What is shared at level 1 is passed over whole, and so is the snapshot that shares its root's every pointer. */
static void test_shared_nodes(void **state)
{
	struct forest f;
	unsigned before;

	forest_init(&f, LIMIT);
	LEAF(&f, 10, RIGHT, {1, "a"});
	LEAF(&f, 11, RIGHT, {2, "b"});
	LEAF(&f, 12, RIGHT, {3, "c"});
	LEAF(&f, 13, LEFT, {3, "c"}, {4, "d"});
	NODE(&f, 2, RIGHT, 1, {1, 10}, {2, 11});
	NODE(&f, 3, RIGHT, 1, {3, 12});
	NODE(&f, 4, LEFT, 1, {3, 13});
	NODE(&f, 0, LEFT, 2, {1, 2}, {3, 4});
	NODE(&f, 1, RIGHT, 2, {1, 2}, {3, 3});
	NODE(&f, 5, LEFT, 2, {1, 2}, {3, 3});
	ruin(&f, 2);
	ruin(&f, 10);
	ruin(&f, 11);

	struct tree left = forest_tree(&f, 0, LEFT, 2), right = forest_tree(&f, 1, RIGHT, 2),
		    twin = forest_tree(&f, 5, LEFT, 2);

	before = atomic_load(&f.device->reads);
	assert_diff(&left, &right, "=3 +4");
	assert_int_equal(atomic_load(&f.device->reads) - before, 6);
	assert_diff(&twin, &right, "");
	assert_int_equal(atomic_load(&f.device->reads) - before, 7);
	forest_release(&f);
}

/* An address alone does not make two blocks the same. */
static void test_other_generation(void **state)
{
	struct image_pointer p = {key_at(1), forest_logical(2), IMAGE_GENERATION};
	char text[64];
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 2, RIGHT, {1, "a"});
	forest_node(&f, 0, LEFT, 1, &p, 1);
	p.generation--;
	forest_node(&f, 1, RIGHT, 1, &p, 1);

	struct tree left = forest_tree(&f, 0, LEFT, 1), right = forest_tree(&f, 1, RIGHT, 1);

	assert_int_equal(walk(&left, &right, text, sizeof(text)), -EIO);
	assert_non_null(strstr(error_message(), "tree 258: block"));
	assert_non_null(strstr(error_message(), "generation 7 instead of 6"));
	forest_release(&f);
}

/* A tree that has grown a level, with its old leaves still in it. */
static void test_heights(void **state)
{
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 10, RIGHT, {1, "a"}, {2, "b"});
	LEAF(&f, 11, RIGHT, {3, "c"}, {4, "d"});
	LEAF(&f, 12, LEFT, {5, "e"});
	LEAF(&f, 13, LEFT, {1, "a"}, {3, "X"});
	NODE(&f, 1, RIGHT, 1, {1, 10}, {3, 11});
	NODE(&f, 2, LEFT, 1, {1, 10}, {3, 11});
	NODE(&f, 3, LEFT, 1, {5, 12});
	NODE(&f, 0, LEFT, 2, {1, 2}, {5, 3});

	struct tree high = forest_tree(&f, 0, LEFT, 2), low = forest_tree(&f, 1, RIGHT, 1),
		    flat = forest_tree(&f, 13, LEFT, 0);

	assert_diff(&high, &flat, "=1 +2 !3 +4 +5");
	assert_diff(&flat, &high, "=1 -2 !3 -4 -5");
	assert_diff(&flat, &low, "=1 -2 !3 -4");
	ruin(&f, 10);
	ruin(&f, 11);
	extent_cache_free(f.cache);
	assert_ok(extent_cache_new(f.volume, LIMIT, &f.cache));
	high.cache = low.cache = f.cache;
	assert_diff(&high, &low, "+5");
	assert_diff(&low, &high, "-5");
	forest_release(&f);
}

static void assert_bad_block(const struct tree *left, const struct tree *right, unsigned tree, u32 block,
			     const char *before)
{
	char text[256], begins[64];

	assert_int_equal(walk(left, right, text, sizeof(text)), -EIO);
	assert_string_equal(text, before);
	snprintf(begins, sizeof(begins), "tree %u: block: logical %llu", tree,
		 (unsigned long long)forest_logical(block));
	if (strncmp(error_message(), begins, strlen(begins)))
		fail_msg("'%s' does not begin with '%s'", error_message(), begins);
}

static void test_bad_blocks(void **state)
{
	/* Roots, then the second leaf of either side: what lies before it is told. */
	static const struct {
		u32 block;
		unsigned tree;
		const char *before;
	} bad[] = {{0, LEFT, ""}, {1, RIGHT, ""}, {3, LEFT, "=1 !2"}, {5, RIGHT, "=1 !2"}};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct forest f;

		forest_init(&f, LIMIT);
		LEAF(&f, 2, LEFT, {1, "a"}, {2, "b"});
		LEAF(&f, 3, LEFT, {3, "c"});
		NODE(&f, 0, LEFT, 1, {1, 2}, {3, 3});
		LEAF(&f, 4, RIGHT, {1, "a"}, {2, "B"});
		LEAF(&f, 5, RIGHT, {3, "c"});
		NODE(&f, 1, RIGHT, 1, {1, 4}, {3, 5});
		ruin(&f, bad[i].block);

		struct tree left = forest_tree(&f, 0, LEFT, 1), right = forest_tree(&f, 1, RIGHT, 1);

		assert_bad_block(&left, &right, bad[i].tree, bad[i].block, bad[i].before);
		forest_release(&f);
	}
}

static void test_device_fails(void **state)
{
	char text[64];
	struct forest f;

	forest_init(&f, LIMIT);
	LEAF(&f, 0, LEFT, {1, "a"});
	LEAF(&f, 1, RIGHT, {1, "a"});
	faulty_set(f.device, FAULT_FAIL, 0, UINT32_MAX);

	struct tree left = forest_tree(&f, 0, LEFT, 0), right = forest_tree(&f, 1, RIGHT, 0);

	assert_int_equal(walk(&left, &right, text, sizeof(text)), -EIO);
	assert_non_null(strstr(error_message(), "tree 257: block: "));
	assert_non_null(strstr(error_message(), "read of img fails on purpose"));
	forest_release(&f);
}

/* --- trees by chance, against two sorted lists laid side by side --- */

#define NUMBERS 120u
#define LEAVES_MAX 80u

/* Value of each number in a tree, "" for none; and the leaves that it lies in. */
struct model {
	char value[NUMBERS][4];
	struct child leaf[LEAVES_MAX];
	u32 leaf_end[LEAVES_MAX]; /* first number that is not in it */
	u32 leaves;
};

static u32 make_leaf(struct forest *f, const struct model *m, u64 owner, u32 block, u32 start, u32 end)
{
	struct entry e[NUMBERS + 1];
	u32 count = 0;

	for (u32 i = start; i < end; i++)
		if (*m->value[i])
			e[count++] = (struct entry){i, m->value[i]};
	e[count] = (struct entry){0, NULL};
	if (count)
		leaf(f, block, owner, e);
	return count ? (u32)e[0].number : NUMBERS;
}

static void model_leaf(struct forest *f, struct model *m, u64 owner, u32 *block, u32 start, u32 end)
{
	u32 first = make_leaf(f, m, owner, *block, start, end);

	if (first == NUMBERS)
		return;
	m->leaf[m->leaves] = (struct child){first, (*block)++};
	m->leaf_end[m->leaves++] = end;
}

static void model_random(struct forest *f, struct model *m, u32 *block)
{
	for (u32 i = 0; i < NUMBERS; i++)
		if (rand() % 3)
			snprintf(m->value[i], sizeof(m->value[i]), "%d", rand() % 3);
	for (u32 start = 0, end; start < NUMBERS; start = end) {
		end = (u32)min_u64(NUMBERS, start + 3 + (u32)rand() % 6);
		model_leaf(f, m, RIGHT, block, start, end);
	}
}

/* A snapshot of @from that has been written to: some leaves are other ones, some of those were split. */
static void model_change(struct forest *f, const struct model *from, struct model *m, u32 *block)
{
	for (u32 i = 0, start = 0; i < from->leaves; start = from->leaf_end[i++]) {
		u32 end = from->leaf_end[i], middle = start + (u32)rand() % (end - start) + 1;

		if (rand() % 2) {
			memcpy(m->value[start], from->value[start], (end - start) * sizeof(m->value[0]));
			m->leaf[m->leaves] = from->leaf[i];
			m->leaf_end[m->leaves++] = end;
			continue;
		}
		for (u32 n = start; n < end; n++)
			if (rand() % 3)
				memcpy(m->value[n], from->value[n], sizeof(m->value[n]));
			else if (rand() % 2)
				snprintf(m->value[n], sizeof(m->value[n]), "%d", rand() % 3);
		if (rand() % 3)
			middle = end;
		model_leaf(f, m, LEFT, block, start, middle);
		model_leaf(f, m, LEFT, block, middle, end);
	}
}

/* The leaves under a root of level 1, or of level 2 with a few leaves to each node. */
static struct tree model_tree(struct forest *f, const struct model *m, u64 owner, u32 *block)
{
	struct child top[LEAVES_MAX];
	u32 count = 0, root;
	u8 level = 1;

	if (rand() % 2) {
		for (u32 i = 0, n; i < m->leaves; i += n) {
			n = (u32)min_u64(m->leaves - i, 1 + (u32)rand() % 5);
			node(f, *block, owner, 1, &m->leaf[i], n);
			top[count++] = (struct child){m->leaf[i].number, (*block)++};
		}
		level = 2;
	} else {
		memcpy(top, m->leaf, m->leaves * sizeof(top[0]));
		count = m->leaves;
	}
	root = (*block)++;
	node(f, root, owner, level, top, count);
	return forest_tree(f, root, owner, level);
}

/* What the difference must be, but for items that are the same: whether these are told depends on the leaves. */
static void naive(const struct model *l, const struct model *r, char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (u32 i = 0; i < NUMBERS; i++) {
		const char *a = l->value[i], *b = r->value[i];

		if (strcmp(a, b))
			len += (size_t)snprintf(text + len, size - len, " %c%u", !*b ? '+' : !*a ? '-' : '!', i);
		assert_true(len < size);
	}
}

static void test_by_chance(void **state)
{
	srand(7);
	for (int round = 0; round < 300; round++) {
		struct model l = {0}, r = {0};
		char want[2048], text[4096], *got = text, *out = text;
		struct forest f;
		u32 block = 0;

		forest_init(&f, LIMIT);
		model_random(&f, &r, &block);
		model_change(&f, &r, &l, &block);

		struct tree left = model_tree(&f, &l, LEFT, &block), right = model_tree(&f, &r, RIGHT, &block);

		naive(&l, &r, want, sizeof(want));
		assert_ok(walk(&left, &right, text + 1, sizeof(text) - 1));
		/* Take those that are the same out again; none of them may differ. */
		text[0] = ' ';
		while (*got == ' ' && got[1]) {
			size_t len = 1 + strcspn(got + 1, " ");

			if (got[1] == '=') {
				u32 i = (u32)atoi(got + 2);

				assert_true(*l.value[i]);
				assert_string_equal(l.value[i], r.value[i]);
			} else {
				memmove(out, got, len);
				out += len;
			}
			got += len;
		}
		*out = '\0';
		assert_string_equal(text, want);
		forest_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf_against_leaf),
		cmocka_unit_test(test_against_nothing),
		cmocka_unit_test(test_empty_trees),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_other_leaves),
		cmocka_unit_test(test_shared_leaves),
		cmocka_unit_test(test_shared_nodes),
		cmocka_unit_test(test_other_generation),
		cmocka_unit_test(test_heights),
		cmocka_unit_test(test_bad_blocks),
		cmocka_unit_test(test_device_fails),
		cmocka_unit_test(test_by_chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
