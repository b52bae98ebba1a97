/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A root tree and the trees of four subvolumes, one leaf each, made by hand:
 *
 *   5    the top level, with   snaps/deep, file, link
 *   256  vol                   in the top directory
 *   257  snaps/deep/today      a snapshot of 256 made in 12
 *   258  vol/nested            which 257 still has an entry for
 *   259  deleted
 */
#include "support/test.h"

#include <stdio.h>

#include "files/dir.h"
#include "files/location.h"
#include "format/checksum.h"
#include "support/forest.h"

#define ITEMS 24

struct world {
	struct forest f;
	struct filesystem fs;
	struct root_item root[5]; /* of 5 and 256 to 259 */
	u32 root_size[5];
	u8 bytes[ITEMS][64];
};

/* In front of its name. */
static struct image_item named(struct world *w, u32 slot, struct key key, const void *head, u32 head_size,
			       const char *name)
{
	memcpy(w->bytes[slot], head, head_size);
	memcpy(w->bytes[slot] + head_size, name, strlen(name));
	return (struct image_item){key, w->bytes[slot], head_size + (u32)strlen(name)};
}

static struct image_item backref(struct world *w, u32 slot, u64 id, u64 parent, u64 dirid, const char *name)
{
	struct root_ref ref = {.dirid = le64_of(dirid), .name_len = le16_of((u16)strlen(name))};

	return named(w, slot, key_of(id, KEY_ROOT_BACKREF, parent), &ref, sizeof(ref), name);
}

static struct image_item ref(struct world *w, u32 slot, u64 ino, u64 parent, const char *name)
{
	struct inode_ref r = {.name_len = le16_of((u16)strlen(name))};

	return named(w, slot, key_of(ino, KEY_INODE_REF, parent), &r, sizeof(r), name);
}

static struct image_item entry(struct world *w, u32 slot, u64 dir, const char *name, struct key to, u8 type)
{
	struct dir_item d = {
		.location = key_to_disk(&to), .name_len = le16_of((u16)strlen(name)), .type = type};

	return named(w, slot, key_of(dir, KEY_DIR_ITEM, name_hash(name, strlen(name))), &d, sizeof(d), name);
}

/* What was read before a block was rewritten is not to be met again. */
static void forget(struct world *w)
{
	extent_cache_free(w->f.cache);
	assert_ok(extent_cache_new(w->f.volume, 1 << 20, &w->f.cache));
	w->fs.cache = w->fs.root_tree.cache = w->f.cache;
}

static void write_roots(struct world *w, struct image_item *backrefs, u32 count)
{
	struct image_item items[ITEMS];
	u32 n = 0;

	for (u32 i = 0; i < 5; i++) {
		u64 id = i ? 255 + i : FS_TREE_OBJECTID;

		items[n++] = (struct image_item){key_of(id, KEY_ROOT_ITEM, id == 257 ? 12 : 0), &w->root[i],
						 w->root_size[i]};
		for (u32 b = 0; b < count; b++)
			if (backrefs[b].key.objectid == id)
				items[n++] = backrefs[b];
	}
	forest_leaf(&w->f, 0, ROOT_TREE_OBJECTID, items, n);
	forget(w);
}

/* Leaves want their keys in order, and names hash as they like. */
static void write_sorted(struct world *w, u32 block, u64 owner, struct image_item *items, u32 count)
{
	for (u32 i = 1; i < count; i++)
		for (u32 k = i; k && key_cmp(&items[k - 1].key, &items[k].key) > 0; k--) {
			struct image_item swap = items[k];

			items[k] = items[k - 1];
			items[k - 1] = swap;
		}
	forest_leaf(&w->f, block, owner, items, count);
}

static void world_init(struct world *w)
{
	*w = (struct world){0};
	forest_init(&w->f, 1 << 20);
	w->fs = (struct filesystem){.volume = w->f.volume,
				    .facts = volume_facts(w->f.volume),
				    .cache = w->f.cache,
				    .root_tree = forest_tree(&w->f, 0, ROOT_TREE_OBJECTID, 0)};
	for (u32 i = 0; i < 5; i++) {
		w->root[i].generation = w->root[i].generation_v2 = le64_of(IMAGE_GENERATION);
		w->root[i].bytenr = le64_of(forest_logical(i + 1));
		w->root[i].root_dirid = le64_of(256);
		w->root[i].refs = le32_of(i < 4);
		/* They would not all fit into one leaf in their new size. */
		w->root_size[i] = i == 1 ? sizeof(struct root_item) : ROOT_ITEM_SIZE_V0;
	}

	struct image_item backrefs[] = {
		backref(w, 0, 256, 5, 256, "vol"),
		backref(w, 1, 257, 5, 260, "today"),
		backref(w, 2, 258, 256, 256, "nested"),
	};
	struct image_item top[] = {
		entry(w, 3, 256, "vol", key_of(256, KEY_ROOT_ITEM, (u64)-1), FT_DIR),
		entry(w, 4, 256, "snaps", key_of(257, KEY_INODE_ITEM, 0), FT_DIR),
		entry(w, 5, 256, "file", key_of(261, KEY_INODE_ITEM, 0), FT_REG_FILE),
		entry(w, 6, 256, "link", key_of(262, KEY_INODE_ITEM, 0), FT_SYMLINK),
		entry(w, 7, 256, "gone", key_of(259, KEY_ROOT_ITEM, (u64)-1), FT_DIR),
		entry(w, 8, 256, "strange", key_of(261, KEY_EXTENT_DATA, 0), FT_REG_FILE),
		entry(w, 9, 256, "256", key_of(261, KEY_INODE_ITEM, 0), FT_REG_FILE),
		entry(w, 16, 256, "today", key_of(257, KEY_ROOT_ITEM, (u64)-1), FT_DIR),
		ref(w, 10, 257, 256, "snaps"),
		entry(w, 11, 257, "deep", key_of(260, KEY_INODE_ITEM, 0), FT_DIR),
		ref(w, 12, 260, 257, "deep"),
		entry(w, 13, 260, "today", key_of(257, KEY_ROOT_ITEM, (u64)-1), FT_DIR),
		entry(w, 14, 260, "tomorrow", key_of(257, KEY_ROOT_ITEM, (u64)-1), FT_DIR),
	};
	struct image_item vol[] = {entry(w, 15, 256, "nested", key_of(258, KEY_ROOT_ITEM, (u64)-1), FT_DIR)};

	write_roots(w, backrefs, ARRAY_SIZE(backrefs));
	write_sorted(w, 1, FS_TREE_OBJECTID, top, ARRAY_SIZE(top));
	forest_leaf(&w->f, 2, 256, vol, 1);
	/* The snapshot has the very same entry. */
	forest_leaf(&w->f, 3, 257, vol, 1);
}

static void world_release(struct world *w)
{
	forest_release(&w->f);
}

static int setup(void **state)
{
	static struct world w;

	world_init(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_release(*state);
	return 0;
}

static void assert_path(struct world *w, u64 id, const char *path)
{
	struct buffer b = {0};
	struct subvolume s;

	assert_ok(subvolume_get(&w->fs, id, &s));
	assert_ok(subvolume_path(&w->fs, &s, &b));
	assert_string_equal(b.data, path);
	assert_int_equal(b.len, strlen(path));
	buffer_release(&b);
}

static void assert_no_path(struct world *w, u64 id, const char *sentence)
{
	struct buffer b = {0};
	struct subvolume s;

	assert_ok(subvolume_get(&w->fs, id, &s));
	assert_error(subvolume_path(&w->fs, &s, &b), EIO, sentence);
	buffer_release(&b);
}

static void test_every_field(void **state)
{
	struct world *w = *state;
	struct root_item *r = &w->root[1];
	struct image_item name = backref(w, 0, 256, 5, 256, "vol");
	struct subvolume s;

	r->last_snapshot = le64_of(1);
	r->flags = le64_of(ROOT_SUBVOL_RDONLY);
	memset(r->uuid, 2, UUID_SIZE);
	memset(r->parent_uuid, 3, UUID_SIZE);
	memset(r->received_uuid, 4, UUID_SIZE);
	r->ctransid = le64_of(5);
	r->otransid = le64_of(6);
	r->stransid = le64_of(7);
	r->rtransid = le64_of(8);
	r->ctime = (struct disk_timespec){le64_of(9), le32_of(10)};
	r->otime = (struct disk_timespec){le64_of(11), le32_of(12)};
	r->stime = (struct disk_timespec){le64_of(13), le32_of(14)};
	r->rtime = (struct disk_timespec){le64_of(15), le32_of(16)};
	write_roots(w, &name, 1);
	assert_ok(subvolume_get(&w->fs, 256, &s));
	assert_int_equal(s.tree.logical, forest_logical(2));
	assert_int_equal(s.tree.objectid, 256);
	assert_int_equal(s.id, 256);
	assert_int_equal(s.root_offset, 0);
	assert_int_equal(s.root_dirid, 256);
	assert_int_equal(s.generation, IMAGE_GENERATION);
	assert_int_equal(s.last_snapshot, 1);
	assert_int_equal(s.flags, ROOT_SUBVOL_RDONLY);
	assert_int_equal(s.refs, 1);
	assert_int_equal(s.uuid[15], 2);
	assert_int_equal(s.parent_uuid[15], 3);
	assert_int_equal(s.received_uuid[15], 4);
	assert_int_equal(s.ctransid, 5);
	assert_int_equal(s.otransid, 6);
	assert_int_equal(s.stransid, 7);
	assert_int_equal(s.rtransid, 8);
	assert_int_equal(s.ctime.sec, 9);
	assert_int_equal(s.otime.sec, 11);
	assert_int_equal(s.stime.sec, 13);
	assert_int_equal(s.rtime.sec, 15);
	assert_int_equal(s.rtime.nsec, 16);
	assert_int_equal(s.parent_id, 5);
	assert_int_equal(s.dirid, 256);
	assert_string_equal(s.name, "vol");
}

/* The uuids of a subvolume that an old kernel has changed since are not its own. */
static void test_fields_that_an_old_kernel_left_behind(void **state)
{
	struct world *w = *state;
	struct subvolume s;

	memset(w->root[1].uuid, 2, UUID_SIZE);
	w->root[1].otransid = le64_of(6);
	w->root[1].generation_v2 = le64_of(IMAGE_GENERATION - 1);
	write_roots(w, NULL, 0);
	assert_ok(subvolume_get(&w->fs, 256, &s));
	assert_int_equal(s.uuid[0], 0);
	assert_int_equal(s.otransid, 0);
	w->root_size[1] = ROOT_ITEM_SIZE_V0;
	write_roots(w, NULL, 0);
	assert_ok(subvolume_get(&w->fs, 256, &s));
	assert_int_equal(s.uuid[0], 0);
	assert_int_equal(s.generation, IMAGE_GENERATION);
}

static void test_top_level_and_snapshot(void **state)
{
	struct world *w = *state;
	struct subvolume s;

	assert_ok(subvolume_get(&w->fs, FS_TREE_OBJECTID, &s));
	assert_int_equal(s.parent_id, 0);
	assert_string_equal(s.name, "");
	assert_ok(subvolume_get(&w->fs, 257, &s));
	assert_int_equal(s.root_offset, 12);
}

static void test_what_is_no_subvolume(void **state)
{
	struct world *w = *state;
	struct subvolume s;

	assert_error(subvolume_get(&w->fs, 300, &s), ENOENT, "no subvolume has the id 300");
	assert_error(subvolume_get(&w->fs, 1, &s), ENOENT, "1 is not the id of a subvolume");
	assert_error(subvolume_get(&w->fs, DATA_RELOC_TREE_OBJECTID, &s), ENOENT,
		     "18446744073709551607 is not the id of a subvolume");
	assert_error(subvolume_get(&w->fs, 259, &s), ENOENT,
		     "subvolume 259 is deleted and waits to be cleaned up");
}

static void test_paths(void **state)
{
	assert_path(*state, FS_TREE_OBJECTID, "");
	assert_path(*state, 256, "vol");
	assert_path(*state, 257, "snaps/deep/today");
	assert_path(*state, 258, "vol/nested");
}

static void test_name_is_lost(void **state)
{
	struct world *w = *state;
	struct image_item child = backref(w, 0, 258, 256, 256, "nested");

	write_roots(w, &child, 1);
	assert_no_path(w, 256, "path of subvolume 256: subvolume 256 has no name");
	assert_no_path(w, 258, "path of subvolume 258: subvolume 256 has no name");
}

static void test_damaged_names(void **state)
{
	static const char *const bad[] = {"", "a/b", ".."};
	struct world *w = *state;
	struct image_item name;
	struct subvolume s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		name = backref(w, 0, 256, 5, 256, bad[i]);
		write_roots(w, &name, 1);
		assert_error(subvolume_get(&w->fs, 256, &s), EIO,
			     "subvolume 256: (256 ROOT_BACKREF 5): damaged name of a subvolume");
	}
	name = backref(w, 0, 256, 5, 256, "vol");
	for (u32 size = 0; size < name.size; size++) {
		struct image_item cut = {name.key, name.data, size};

		write_roots(w, &cut, 1);
		assert_int_equal(subvolume_get(&w->fs, 256, &s), -EIO);
	}
}

static void test_subvolumes_in_each_other(void **state)
{
	struct world *w = *state;
	struct image_item names[] = {backref(w, 0, 256, 258, 256, "a"), backref(w, 1, 258, 256, 256, "b")};

	write_roots(w, names, 2);
	assert_no_path(w, 256, "path of subvolume 256: directories contain each other, or a path is longer"
			       " than 65536 bytes");
}

static void test_directories_in_each_other(void **state)
{
	struct world *w = *state;
	struct image_item items[] = {ref(w, 20, 257, 260, "snaps"), ref(w, 21, 260, 257, "deep")};

	forest_leaf(&w->f, 1, FS_TREE_OBJECTID, items, 2);
	assert_no_path(w, 257, "path of subvolume 257: directories contain each other, or a path is longer"
			       " than 65536 bytes");
	forest_leaf(&w->f, 1, FS_TREE_OBJECTID, items, 1);
	forget(w);
	assert_no_path(w, 257, "path of subvolume 257: inode 260 has no name");
}

struct seen {
	char text[200];
	u64 stop_at;
};

static int see(const struct subvolume *s, const char *path, void *arg)
{
	struct seen *seen = arg;

	size_t len = strlen(seen->text), room = sizeof(seen->text) - len;

	assert_true(snprintf(seen->text + len, room, "%llu %s\n", (unsigned long long)s->id, path) <
		    (int)room);
	return s->id == seen->stop_at ? 7 : 0;
}

static void test_each(void **state)
{
	struct world *w = *state;
	struct seen seen = {0};

	assert_int_equal(subvolume_each(&w->fs, see, &seen), 0);
	assert_string_equal(seen.text, "256 vol\n257 snaps/deep/today\n258 vol/nested\n");
	seen = (struct seen){.stop_at = 257};
	assert_int_equal(subvolume_each(&w->fs, see, &seen), 7);
	assert_string_equal(seen.text, "256 vol\n257 snaps/deep/today\n");
}

static void test_find(void **state)
{
	struct world *w = *state;
	struct subvolume s;

	assert_ok(subvolume_find(&w->fs, "/", &s));
	assert_int_equal(s.id, 5);
	assert_ok(subvolume_find(&w->fs, "snaps/deep/today", &s));
	assert_int_equal(s.id, 257);
	assert_ok(subvolume_find(&w->fs, "//vol/./nested/", &s));
	assert_int_equal(s.id, 258);
	assert_ok(subvolume_find(&w->fs, "258", &s));
	assert_int_equal(s.id, 258);
	assert_error(subvolume_find(&w->fs, "256", &s), EINVAL, "256 is not a subvolume");
	assert_error(subvolume_find(&w->fs, "", &s), EINVAL, "an empty path, the top level is '/'");
	assert_error(subvolume_find(&w->fs, "snaps", &s), EINVAL, "snaps is not a subvolume");
	assert_error(subvolume_find(&w->fs, "snaps/deep/tomorrow", &s), EINVAL,
		     "snaps/deep/tomorrow is not a subvolume");
	assert_error(subvolume_find(&w->fs, "nope", &s), ENOENT, "nope: no such file or directory");
	assert_error(subvolume_find(&w->fs, "4242", &s), ENOENT, "no subvolume has the id 4242");
	assert_error(subvolume_find(&w->fs, "99999999999999999999", &s), ENOENT,
		     "99999999999999999999: no such file or directory");
}

static void assert_at(struct world *w, const char *path, u64 id, u64 ino, u8 type)
{
	struct location at;

	assert_ok(location_find(&w->fs, path, &at));
	assert_int_equal(at.subvolume.id, id);
	assert_int_equal(at.ino, ino);
	assert_int_equal(at.type, type);
}

static void test_locations(void **state)
{
	struct world *w = *state;

	assert_at(w, "/", 5, 256, FT_DIR);
	assert_at(w, "snaps/deep", 5, 260, FT_DIR);
	assert_at(w, "file", 5, 261, FT_REG_FILE);
	assert_at(w, "link", 5, 262, FT_SYMLINK);
	assert_at(w, "vol", 256, 256, FT_DIR);
	assert_at(w, "vol/nested", 258, 256, FT_DIR);
}

/* An entry that points to a subvolume which hangs elsewhere, under another name, or no more. */
static void test_subvolumes_that_are_not_there(void **state)
{
	struct world *w = *state;
	struct location at;

	assert_at(w, "snaps/deep/today/nested", 257, EMPTY_SUBVOL_DIR_OBJECTID, FT_DIR);
	assert_at(w, "snaps/deep/tomorrow", 5, EMPTY_SUBVOL_DIR_OBJECTID, FT_DIR);
	assert_at(w, "today", 5, EMPTY_SUBVOL_DIR_OBJECTID, FT_DIR);
	assert_at(w, "gone", 5, EMPTY_SUBVOL_DIR_OBJECTID, FT_DIR);
	assert_error(location_find(&w->fs, "gone/x", &at), ENOENT, "gone/x: no such file or directory");
}

static void test_paths_that_lead_nowhere(void **state)
{
	struct world *w = *state;
	struct location at;

	assert_error(location_find(&w->fs, "snaps/no/x", &at), ENOENT, "snaps/no/x: there is no snaps/no");
	assert_error(location_find(&w->fs, "file/x", &at), ENOTDIR, "file/x: not a directory on the way to x");
	assert_error(location_find(&w->fs, "link/x", &at), ENOTDIR,
		     "link/x: a symbolic link, which is not followed, on the way to x");
	assert_error(location_find(&w->fs, "vol/../vol", &at), EINVAL,
		     "vol/../vol: '..' is not followed in a path within an image");
	assert_error(location_find(&w->fs, "strange", &at), EIO,
		     "strange: entry strange of directory 256 points to (261 EXTENT_DATA 0)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_field, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fields_that_an_old_kernel_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_top_level_and_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_subvolume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subvolumes_in_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directories_in_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subvolumes_that_are_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths_that_lead_nowhere, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
