/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdlib.h>

#include "support/image.h"
#include "volume/chunk_map.h"

#define K64 65536u
#define MIB (1u << 20)
#define SYSTEM BLOCK_GROUP_SYSTEM
#define DATA BLOCK_GROUP_DATA
#define METADATA BLOCK_GROUP_METADATA

static const u64 stripes[][2] = {{1, 1 * MIB}, {2, 2 * MIB}, {3, 3 * MIB}, {4, 4 * MIB}};

static int decode(u64 logical, u64 length, u64 type, u16 count, struct chunk **out)
{
	u8 item[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(length, type, count, stripes, item);

	return chunk_decode(logical, item, size, IMAGE_SECTOR, false, out);
}

static void assert_place(const struct chunk *c, u64 offset, u32 stripe, u64 physical, u64 length)
{
	struct chunk_place p = chunk_locate(c, offset);

	assert_int_equal(p.stripe, stripe);
	assert_int_equal(p.physical, physical);
	assert_int_equal(p.length, length);
}

static void test_single(void **state)
{
	struct chunk *c;

	assert_ok(decode(8 * MIB, MIB, DATA, 1, &c));
	assert_string_equal(c->profile->name, "single");
	assert_int_equal(c->stripe_length, MIB);
	assert_place(c, 0, 0, 0, MIB);
	assert_place(c, 70000, 0, 70000, MIB - 70000);
	free(c);
}

static void test_mirrors(void **state)
{
	static const struct {
		u64 flag;
		u16 copies;
	} kinds[] = {
		{BLOCK_GROUP_DUP, 2},
		{BLOCK_GROUP_RAID1, 2},
		{BLOCK_GROUP_RAID1C3, 3},
		{BLOCK_GROUP_RAID1C4, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct chunk *c;

		assert_ok(decode(8 * MIB, MIB, SYSTEM | kinds[i].flag, kinds[i].copies, &c));
		assert_int_equal(c->profile->copies, kinds[i].copies);
		assert_int_equal(c->stripe_length, MIB);
		assert_place(c, 70000, 0, 70000, MIB - 70000);
		free(c);
	}
}

static void test_raid0(void **state)
{
	struct chunk *c;

	assert_ok(decode(8 * MIB, 6 * K64, DATA | BLOCK_GROUP_RAID0, 3, &c));
	assert_int_equal(c->profile->copies, 1);
	assert_int_equal(c->stripe_length, 2 * K64);
	assert_place(c, 0, 0, 0, K64);
	assert_place(c, K64, 1, 0, K64);
	assert_place(c, 3 * K64 - 1, 2, K64 - 1, 1);
	assert_place(c, 3 * K64 + 5, 0, K64 + 5, K64 - 5);
	assert_place(c, 5 * K64, 2, K64, K64);
	free(c);
}

static void test_raid10(void **state)
{
	struct chunk *c;

	assert_ok(decode(8 * MIB, 4 * K64, DATA | BLOCK_GROUP_RAID10, 4, &c));
	assert_int_equal(c->profile->copies, 2);
	assert_int_equal(c->stripe_length, 2 * K64);
	assert_place(c, 0, 0, 0, K64);
	assert_place(c, K64 + 1, 2, 1, K64 - 1);
	assert_place(c, 2 * K64, 0, K64, K64);
	assert_place(c, 3 * K64, 2, K64, K64);
	free(c);
}

/* Rows of three: D0 D1 P / P D0 D1 / D1 P D0 */
static void test_raid5(void **state)
{
	struct chunk *c;

	assert_ok(decode(8 * MIB, 6 * K64, DATA | BLOCK_GROUP_RAID5, 3, &c));
	assert_int_equal(c->profile->copies, 1);
	assert_int_equal(c->stripe_length, 3 * K64);
	assert_place(c, 0, 0, 0, K64);
	assert_place(c, K64, 1, 0, K64);
	assert_place(c, 2 * K64, 1, K64, K64);
	assert_place(c, 3 * K64, 2, K64, K64);
	assert_place(c, 4 * K64, 2, 2 * K64, K64);
	assert_place(c, 5 * K64, 0, 2 * K64, K64);
	free(c);
}

/* Rows of four: D0 D1 P Q / Q D0 D1 P / P Q D0 D1 / D1 P Q D0 */
static void test_raid6(void **state)
{
	struct chunk *c;

	assert_ok(decode(8 * MIB, 8 * K64, DATA | BLOCK_GROUP_RAID6, 4, &c));
	assert_int_equal(c->stripe_length, 4 * K64);
	assert_place(c, K64, 1, 0, K64);
	assert_place(c, 2 * K64, 1, K64, K64);
	assert_place(c, 5 * K64, 3, 2 * K64, K64);
	assert_place(c, 6 * K64, 3, 3 * K64, K64);
	assert_place(c, 7 * K64, 0, 3 * K64, K64);
	free(c);
}

struct wrong {
	const char *name;
	u64 logical, length, type;
	u16 stripes;
	const char *sentence;
};

#define AT "chunk at logical 8388608: "

static struct wrong wrongs[] = {
	{"unaligned address", 4097, MIB, DATA, 1,
	 "chunk at logical 4097: its length 1048576 or address is not aligned"},
	{"unaligned length", 8 * MIB, 4097, DATA, 1, AT "its length 4097 or address is not aligned"},
	{"no length", 8 * MIB, 0, DATA, 1, AT "its length 0 or address is not aligned"},
	{"wraps around", 8 * MIB, (u64)-4096, DATA, 1,
	 AT "its length 18446744073709547520 wraps around"},
	{"unknown type bit", 8 * MIB, MIB, DATA | 1 << 11, 1, AT "unknown type bits 0x801"},
	{"no kind", 8 * MIB, MIB, 0, 1, AT "type 0x0 is none of data, metadata and system"},
	{"two kinds", 8 * MIB, MIB, SYSTEM | DATA, 1,
	 AT "type 0x3 is none of data, metadata and system"},
	{"mixed without the feature", 8 * MIB, MIB, METADATA | DATA, 1,
	 AT "type 0x5 is none of data, metadata and system"},
	{"two profiles", 8 * MIB, MIB, DATA | BLOCK_GROUP_DUP | BLOCK_GROUP_RAID1, 2,
	 AT "more than one profile in type 0x31"},
	{"no stripe", 8 * MIB, MIB, DATA, 0, AT "0 stripes do not fit profile single"},
	{"single of two", 8 * MIB, MIB, DATA, 2, AT "2 stripes do not fit profile single"},
	{"dup of one", 8 * MIB, MIB, DATA | BLOCK_GROUP_DUP, 1, AT "1 stripes do not fit profile dup"},
	{"raid1 of three", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID1, 3,
	 AT "3 stripes do not fit profile raid1"},
	{"raid1c3 of two", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID1C3, 2,
	 AT "2 stripes do not fit profile raid1c3"},
	{"raid1c4 of three", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID1C4, 3,
	 AT "3 stripes do not fit profile raid1c4"},
	{"raid0 of none", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID0, 0,
	 AT "0 stripes do not fit profile raid0"},
	{"raid10 of three", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID10, 3,
	 AT "3 stripes, 2 sub-stripes do not fit profile raid10"},
	{"raid5 of one", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID5, 1,
	 AT "1 stripes do not fit profile raid5"},
	{"raid6 of two", 8 * MIB, MIB, DATA | BLOCK_GROUP_RAID6, 2,
	 AT "2 stripes do not fit profile raid6"},
	{"raid0 of half a row", 8 * MIB, 3 * K64, DATA | BLOCK_GROUP_RAID0, 2,
	 AT "its length 196608 is not whole rows of profile raid0"},
};

static void test_wrong_chunk(void **state)
{
	const struct wrong *w = *state;
	struct chunk *c;

	assert_error(decode(w->logical, w->length, w->type, w->stripes, &c), EIO, w->sentence);
}

static void test_mixed_groups(void **state)
{
	u8 item[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(MIB, DATA | METADATA, 1, stripes, item);
	struct chunk *c;

	assert_ok(chunk_decode(0, item, size, IMAGE_SECTOR, true, &c));
	free(c);
}

static void test_item_size(void **state)
{
	u8 item[IMAGE_CHUNK_MAX];
	size_t size = image_chunk_item(MIB, DATA | BLOCK_GROUP_DUP, 2, stripes, item);
	struct chunk *c;

	assert_error(chunk_decode(0, item, 47, IMAGE_SECTOR, false, &c), EIO,
		     "chunk at logical 0: only 47 bytes");
	assert_error(chunk_decode(0, item, size - 1, IMAGE_SECTOR, false, &c), EIO,
		     "chunk at logical 0: 111 bytes do not fit 2 stripes");
	assert_error(chunk_decode(0, item, size + 1, IMAGE_SECTOR, false, &c), EIO,
		     "chunk at logical 0: 113 bytes do not fit 2 stripes");
}

static void test_stripe_length_and_sub_stripes(void **state)
{
	u8 item[IMAGE_CHUNK_MAX];
	struct chunk_item *head = (struct chunk_item *)item;
	size_t size = image_chunk_item(MIB, DATA | BLOCK_GROUP_RAID10, 4, stripes, item);
	struct chunk *c;

	head->sub_stripes = le16_of(0);
	assert_error(chunk_decode(0, item, size, IMAGE_SECTOR, false, &c), EIO,
		     "chunk at logical 0: 4 stripes, 0 sub-stripes do not fit profile raid10");
	head->sub_stripes = le16_of(2);
	head->stripe_len = le64_of(4096);
	assert_error(chunk_decode(0, item, size, IMAGE_SECTOR, false, &c), EIO,
		     "chunk at logical 0: stripe length 4096 is not 65536");
}

static int add(struct chunk_map *m, u64 logical, u64 length)
{
	struct chunk *c;

	assert_ok(decode(logical, length, DATA, 1, &c));
	return chunk_map_add(m, c);
}

static void test_find(void **state)
{
	static const u64 order[] = {5, 1, 9, 3, 7, 20, 18, 16, 14, 12, 40, 30, 22, 26, 24, 28, 32, 34};
	struct chunk_map m = {0};

	assert_null(chunk_map_find(&m, 0));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_ok(add(&m, order[i] * MIB, MIB));
	assert_int_equal(m.count, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(chunk_map_find(&m, order[i] * MIB)->logical, order[i] * MIB);
		assert_int_equal(chunk_map_find(&m, (order[i] + 1) * MIB - 1)->logical,
				 order[i] * MIB);
		assert_null(chunk_map_find(&m, order[i] * MIB - 1));
		assert_null(chunk_map_find(&m, (order[i] + 1) * MIB));
	}
	assert_null(chunk_map_find(&m, (u64)-1));
	chunk_map_release(&m);
}

static void test_overlap(void **state)
{
	struct chunk_map m = {0};

	assert_ok(add(&m, 8 * MIB, 2 * MIB));
	assert_error(add(&m, 9 * MIB, MIB), EIO,
		     "chunk at logical 9437184 overlaps the one at 8388608");
	assert_error(add(&m, 7 * MIB, 2 * MIB), EIO,
		     "chunk at logical 7340032 overlaps the one at 8388608");
	assert_error(add(&m, 8 * MIB, MIB), EIO,
		     "chunk at logical 8388608 overlaps the one at 8388608");
	assert_ok(add(&m, 10 * MIB, MIB));
	assert_ok(add(&m, 7 * MIB, MIB));
	assert_int_equal(m.count, 3);
	chunk_map_release(&m);
}

static void test_same_twice(void **state)
{
	struct chunk_map m = {0};

	assert_ok(add(&m, 8 * MIB, MIB));
	assert_ok(add(&m, 8 * MIB, MIB));
	assert_int_equal(m.count, 1);
	chunk_map_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_mirrors),
		cmocka_unit_test(test_raid0),
		cmocka_unit_test(test_raid10),
		cmocka_unit_test(test_raid5),
		cmocka_unit_test(test_raid6),
		cmocka_unit_test(test_mixed_groups),
		cmocka_unit_test(test_item_size),
		cmocka_unit_test(test_stripe_length_and_sub_stripes),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_same_twice),
	};
	struct CMUnitTest items[ARRAY_SIZE(wrongs)];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++)
		items[i] = (struct CMUnitTest){wrongs[i].name, test_wrong_chunk, NULL, NULL, &wrongs[i]};
	return failed + cmocka_run_group_tests(items, NULL, NULL);
}
