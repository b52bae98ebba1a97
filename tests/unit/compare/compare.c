/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two subvolumes of one leaf each, made by hand: what the kernel hardly ever makes, and what nobody should.
 * An inode's generation is 1 and its birth 0 unless said otherwise; names get the index 2.
 */
#include "support/test.h"

#include <stdio.h>

#include "compare/compare.h"
#include "files/dir.h"
#include "support/forest.h"

#define ITEMS 40
#define TOP 256

struct side_items {
	struct subvolume subvolume;
	struct image_item items[ITEMS];
	u8 bytes[ITEMS][192];
	u32 count;
};

struct world {
	struct forest f;
	struct filesystem fs;
	struct side_items old, new;
	char text[4096]; /* what changed, a line each */
};

static u8 *add(struct side_items *s, struct key key, const void *data, size_t size)
{
	u32 at = s->count++;

	assert_true(at < ITEMS && size <= sizeof(s->bytes[0]));
	memcpy(s->bytes[at], data, size);
	s->items[at] = (struct image_item){key, s->bytes[at], (u32)size};
	return s->bytes[at];
}

static struct inode_item *add_inode(struct side_items *s, u64 ino, u32 mode)
{
	struct inode_item i = {.generation = le64_of(1), .nlink = le32_of(1), .mode = le32_of(mode)};

	return (struct inode_item *)add(s, key_of(ino, KEY_INODE_ITEM, 0), &i, sizeof(i));
}

static void add_name(struct side_items *s, u64 ino, u64 dir, const char *name)
{
	struct inode_ref r = {.index = le64_of(2), .name_len = le16_of((u16)strlen(name))};
	u8 bytes[192];

	memcpy(bytes, &r, sizeof(r));
	memcpy(bytes + sizeof(r), name, strlen(name));
	add(s, key_of(ino, KEY_INODE_REF, dir), bytes, sizeof(r) + strlen(name));
}

/* The form for names that do not fit, here for second names in one directory. */
static void add_far_name(struct side_items *s, u64 ino, u64 dir, const char *name)
{
	struct inode_extref r = {.parent_objectid = le64_of(dir), .name_len = le16_of((u16)strlen(name))};
	u8 bytes[192];

	memcpy(bytes, &r, sizeof(r));
	memcpy(bytes + sizeof(r), name, strlen(name));
	add(s, key_of(ino, KEY_INODE_EXTREF, (u64)(u8)name[0]), bytes, sizeof(r) + strlen(name));
}

static void add_subvolume(struct side_items *s, u64 dir, u64 index, const char *name, u64 id)
{
	struct key to = key_of(id, KEY_ROOT_ITEM, (u64)-1);
	struct dir_item d = {
		.location = key_to_disk(&to), .name_len = le16_of((u16)strlen(name)), .type = FT_DIR};
	u8 bytes[192];

	memcpy(bytes, &d, sizeof(d));
	memcpy(bytes + sizeof(d), name, strlen(name));
	add(s, key_of(dir, KEY_DIR_INDEX, index), bytes, sizeof(d) + strlen(name));
}

static struct inode_item *add_file(struct side_items *s, u64 ino, u64 dir, const char *name)
{
	struct inode_item *i = add_inode(s, ino, 0100644);

	add_name(s, ino, dir, name);
	return i;
}

static struct inode_item *add_dir(struct side_items *s, u64 ino, u64 dir, const char *name)
{
	struct inode_item *i = add_inode(s, ino, 040755);

	add_name(s, ino, dir, name);
	return i;
}

static void write_leaf(struct world *w, u32 block, struct side_items *s)
{
	for (u32 i = 1; i < s->count; i++)
		for (u32 k = i; k && key_cmp(&s->items[k - 1].key, &s->items[k].key) > 0; k--) {
			struct image_item swap = s->items[k];

			s->items[k] = s->items[k - 1];
			s->items[k - 1] = swap;
		}
	forest_leaf(&w->f, block, s->subvolume.id, s->items, s->count);
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume, .facts = volume_facts(w.f.volume), .cache = w.f.cache};
	w.old.subvolume = (struct subvolume){.id = 300, .root_dirid = TOP, .tree = forest_tree(&w.f, 0, 300, 0)};
	w.new.subvolume = (struct subvolume){.id = 301, .root_dirid = TOP, .tree = forest_tree(&w.f, 1, 301, 0)};
	add_inode(&w.old, TOP, 040755);
	add_inode(&w.new, TOP, 040755);
	add_name(&w.old, TOP, TOP, "..");
	add_name(&w.new, TOP, TOP, "..");
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	forest_release(&w->f);
	return 0;
}

/* Behind w->text. */
static void __attribute__((format(printf, 2, 3))) say(struct world *w, const char *format, ...)
{
	size_t len = strlen(w->text), room = sizeof(w->text) - len;
	va_list ap;

	va_start(ap, format);
	assert_true(vsnprintf(w->text + len, room, format, ap) < (int)room);
	va_end(ap);
}

/* Compare trees that are written already. */
static int compare_trees(struct world *w)
{
	static const char *const words[] = {"removed", "added", "renamed", "modified"};
	const struct content_options options = {.ranges = true};
	const struct change *it;
	const char *path, *from;
	struct comparison *c;
	int ret = comparison_new(&w->fs, &w->old.subvolume, &w->new.subvolume, &options, &c);

	w->text[0] = '\0';
	if (ret)
		return ret;
	while ((ret = comparison_next(c, &it, &path, &from)) > 0) {
		say(w, "%s %s", words[it->kind], path);
		if (from)
			say(w, " from %s", from);
		if (it->metadata)
			say(w, " %x", it->metadata);
		say(w, "%s%s\n", it->content ? " content" : "", it->mode ? "" : " subvolume");
	}
	comparison_free(c);
	return ret;
}

static int compare(struct world *w)
{
	write_leaf(w, 0, &w->old);
	write_leaf(w, 1, &w->new);
	return compare_trees(w);
}

static void assert_changes(struct world *w, const char *want)
{
	assert_ok(compare(w));
	assert_string_equal(w->text, want);
}

static void test_nothing_changed(void **state)
{
	struct world *w = *state;

	add_file(&w->old, 257, TOP, "a");
	add_file(&w->new, 257, TOP, "a");
	assert_changes(w, "");
}

/*
 *  old          new
 *  d (260)      e (260)       renamed
 *  d/x (261)    e/x (261)     not listed
 *  d/y (262)    e/z (262)     renamed in it
 *  d/w (263)                  removed from it
 *               e/v (264)     added to it
 *  d/t (265)    e/t (265)     touched
 */
static void test_what_is_in_a_renamed_directory(void **state)
{
	struct world *w = *state;

	add_dir(&w->old, 260, TOP, "d");
	add_file(&w->old, 261, 260, "x");
	add_file(&w->old, 262, 260, "y");
	add_file(&w->old, 263, 260, "w");
	add_file(&w->old, 265, 260, "t");
	add_dir(&w->new, 260, TOP, "e");
	add_file(&w->new, 261, 260, "x");
	add_file(&w->new, 262, 260, "z");
	add_file(&w->new, 264, 260, "v");
	add_file(&w->new, 265, 260, "t")->mtime.sec = le64_of(1);
	assert_changes(w, "removed d/w\nrenamed e from d\nmodified e/t 20\nadded e/v\nrenamed e/z from d/y\n");
}

/* The number of an inode was given out again: by generation, by time of birth, to another type. */
static void test_another_inode_of_the_same_number(void **state)
{
	struct world *w = *state;

	add_file(&w->old, 257, TOP, "a");
	add_file(&w->new, 257, TOP, "a")->generation = le64_of(2);
	add_file(&w->old, 258, TOP, "b");
	add_file(&w->new, 258, TOP, "c")->otime.nsec = le32_of(1);
	add_file(&w->old, 259, TOP, "d");
	add_dir(&w->new, 259, TOP, "d");
	assert_changes(w, "removed a\nadded a\nremoved b\nadded c\nremoved d\nadded d\n");
}

/*
 * Directory 260 was replaced by another one of the same number; file 261 was moved out before and back
 * in afterwards, and its name item is the same again.
 *
 *  old            new
 *  d (260)        e (260')      removed, added
 *  d/x (261)      e/x (261)     renamed
 *  d/y (262)      d2/y (262)    renamed
 */
static void test_an_equal_name_in_another_directory(void **state)
{
	struct world *w = *state;

	add_dir(&w->old, 260, TOP, "d");
	add_file(&w->old, 261, 260, "x");
	add_file(&w->old, 262, 260, "y");
	add_dir(&w->new, 260, TOP, "e")->generation = le64_of(2);
	add_file(&w->new, 261, 260, "x");
	add_dir(&w->new, 270, TOP, "d2");
	add_file(&w->new, 262, 270, "y");
	assert_changes(w, "removed d\nadded d2\nrenamed d2/y from d/y\nadded e\nrenamed e/x from d/x\n");
}

/* As before, but all paths are the old ones: the file did not change. */
static void test_back_on_its_path_by_another_directory(void **state)
{
	struct world *w = *state;

	add_dir(&w->old, 260, TOP, "d");
	add_file(&w->old, 261, 260, "x");
	add_far_name(&w->old, 261, 260, "far");
	add_dir(&w->new, 260, TOP, "d")->generation = le64_of(2);
	add_file(&w->new, 261, 260, "x");
	add_far_name(&w->new, 261, 260, "far");
	assert_changes(w, "removed d\nadded d\n");
}

static void test_without_links_it_is_not_there(void **state)
{
	struct world *w = *state;

	add_inode(&w->old, 257, 0100644)->nlink = le32_of(0);
	add_inode(&w->new, 258, 0100644)->nlink = le32_of(0);
	add_file(&w->old, 259, TOP, "deleted");
	add_inode(&w->new, 259, 0100644)->nlink = le32_of(0);
	add_inode(&w->old, 260, 0100644)->nlink = le32_of(0);
	add_file(&w->new, 260, TOP, "linked");
	add_inode(&w->old, 261, 0100644)->nlink = le32_of(0);
	add_inode(&w->new, 261, 0100600)->nlink = le32_of(0);
	assert_changes(w, "removed deleted\nadded linked\n");
}

/* 257 loses "a" and "b" and gains "n"; 258 gains two; "stays" and "too" only show what else changed. */
static void test_hard_links(void **state)
{
	struct world *w = *state;

	add_file(&w->old, 257, TOP, "b");
	add_far_name(&w->old, 257, TOP, "a");
	add_far_name(&w->old, 257, TOP, "stays");
	add_inode(&w->new, 257, 0100600);
	add_far_name(&w->new, 257, TOP, "n");
	add_far_name(&w->new, 257, TOP, "stays");
	add_file(&w->old, 258, TOP, "too");
	add_file(&w->new, 258, TOP, "too");
	add_far_name(&w->new, 258, TOP, "x");
	add_far_name(&w->new, 258, TOP, "y");
	assert_changes(w, "removed b\nrenamed n from a 1\nmodified stays 1\nadded x\nadded y\n");
}

/* One line for the place that 258 takes, and one for what was there. */
static void test_renamed_over_another_and_modified(void **state)
{
	struct world *w = *state;

	add_file(&w->old, 257, TOP, "x");
	add_file(&w->old, 258, TOP, "y");
	add_file(&w->new, 258, TOP, "x")->uid = le32_of(5);
	assert_changes(w, "removed x\nrenamed x from y 2\n");
}

static void test_the_time_of_a_directory(void **state)
{
	struct world *w = *state;

	/* Its entries say it. */
	add_dir(&w->old, 260, TOP, "loses");
	add_file(&w->old, 270, 260, "x");
	add_dir(&w->new, 260, TOP, "loses")->mtime.sec = le64_of(1);
	add_dir(&w->old, 261, TOP, "gains");
	add_dir(&w->new, 261, TOP, "gains")->mtime.sec = le64_of(1);
	add_file(&w->new, 271, 261, "x");
	/* Nothing else does. */
	add_dir(&w->old, 262, TOP, "touched");
	add_dir(&w->new, 262, TOP, "touched")->mtime.sec = le64_of(1);
	/* Something else changed, too. */
	add_dir(&w->old, 263, TOP, "both");
	add_dir(&w->new, 263, TOP, "both2")->mtime.sec = le64_of(1);
	((struct inode_item *)w->new.bytes[w->new.count - 2])->uid = le32_of(5);
	add_file(&w->new, 272, 263, "x");
	assert_changes(w, "renamed both2 from both 2\nadded both2/x\nadded gains/x\nremoved loses/x\n"
			  "modified touched 20\n");
}

static void test_the_top(void **state)
{
	struct world *w = *state;

	/* Another inode, as in subvolumes that have nothing to do with each other; still the top. */
	((struct inode_item *)w->new.bytes[0])->generation = le64_of(9);
	((struct inode_item *)w->new.bytes[0])->mode = le32_of(040700);
	assert_changes(w, "modified . 1\n");
}

static void test_subvolumes(void **state)
{
	struct world *w = *state;

	add_dir(&w->old, 260, TOP, "d");
	add_dir(&w->new, 260, TOP, "d");
	add_subvolume(&w->old, TOP, 10, "gone", 400);
	add_subvolume(&w->old, TOP, 11, "moved", 401);
	add_subvolume(&w->new, 260, 5, "here", 401);
	add_subvolume(&w->old, TOP, 12, "stays", 402);
	add_subvolume(&w->new, TOP, 12, "stays", 402);
	/* Away and back again: other index, same name. */
	add_subvolume(&w->old, TOP, 13, "back", 403);
	add_subvolume(&w->new, TOP, 14, "back", 403);
	add_subvolume(&w->new, TOP, 15, "gone", 404);
	assert_changes(w, "renamed d/here from moved subvolume\nremoved gone subvolume\nadded gone subvolume\n");
}

/* Attributes that were set again, in another transaction, to what they were. */
static void test_xattrs(void **state)
{
	struct world *w = *state;
	struct {
		struct dir_item head;
		char bytes[8];
	} x = {{.transid = le64_of(5), .name_len = le16_of(6), .data_len = le16_of(2), .type = FT_XATTR},
	       {'u', 's', 'e', 'r', '.', 'a', 'o', 'k'}};

	for (u64 ino = 257; ino < 260; ino++) {
		char name[2] = {(char)('a' + ino - 257)};

		x.head.transid = le64_of(5);
		x.bytes[7] = 'k';
		add_file(&w->old, ino, TOP, name);
		if (ino < 259)
			add(&w->old, key_of(ino, KEY_XATTR_ITEM, 1), &x, sizeof(x));
		x.head.transid = le64_of(6);
		x.bytes[7] = ino == 258 ? 'h' : 'k';
		add_file(&w->new, ino, TOP, name);
		add(&w->new, key_of(ino, KEY_XATTR_ITEM, 1), &x, sizeof(x));
	}
	assert_changes(w, "modified b 10\nmodified c 10\n");
}

/* The second leaf is shared, and is not even there. */
static void test_shared_blocks_are_not_read(void **state)
{
	struct world *w = *state;
	struct image_pointer old[] = {{key_of(TOP, KEY_INODE_ITEM, 0), forest_logical(3), IMAGE_GENERATION},
				      {key_of(500, KEY_INODE_ITEM, 0), forest_logical(9), 3}};
	struct image_pointer new[] = {old[0], old[1]};

	add_file(&w->old, 257, TOP, "a");
	add_file(&w->new, 257, TOP, "b");
	write_leaf(w, 3, &w->old);
	write_leaf(w, 4, &w->new);
	new[0].logical = forest_logical(4);
	forest_node(&w->f, 0, 300, 1, old, 2);
	forest_node(&w->f, 1, 301, 1, new, 2);
	w->old.subvolume.tree.level = w->new.subvolume.tree.level = 1;
	assert_ok(compare_trees(w));
	assert_string_equal(w->text, "renamed b from a\n");
}

static void test_items_without_an_inode(void **state)
{
	struct world *w = *state;

	add_name(&w->new, 257, TOP, "a");
	assert_error(compare(w), EIO, "a (inode 257): it has no inode item, but others");
}

static void test_a_directory_that_is_missing(void **state)
{
	struct world *w = *state;

	add_file(&w->new, 257, 280, "a");
	assert_error(compare(w), EIO, "inode 257: path of directory 280: inode 280 has no name");
}

static void test_directories_that_contain_each_other(void **state)
{
	struct world *w = *state;

	add_dir(&w->new, 260, 261, "a");
	add_dir(&w->new, 261, 260, "b");
	assert_error(compare(w), EIO, "inode 260: path of directory 261: directories contain each other, or a path "
				      "is longer than 65536 bytes");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_changed),
		TEST(test_what_is_in_a_renamed_directory),
		TEST(test_another_inode_of_the_same_number),
		TEST(test_an_equal_name_in_another_directory),
		TEST(test_back_on_its_path_by_another_directory),
		TEST(test_without_links_it_is_not_there),
		TEST(test_hard_links),
		TEST(test_renamed_over_another_and_modified),
		TEST(test_the_time_of_a_directory),
		TEST(test_the_top),
		TEST(test_subvolumes),
		TEST(test_xattrs),
		TEST(test_shared_blocks_are_not_read),
		TEST(test_items_without_an_inode),
		TEST(test_a_directory_that_is_missing),
		TEST(test_directories_that_contain_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
