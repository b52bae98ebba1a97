/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan says of snapshots that no kernel would make, and the commands that this machine's kernel cannot be
 * asked for: fs-verity.
 */
#include "support/test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "format/checksum.h"
#include "format/extent.h"
#include "send/plan.h"
#include "support/snapshot.h"
#include "support/stream_builder.h"

#define TOP 256u
#define SEND 260u
#define PARENT 261u
#define ROOT_TREE_BLOCK 1u
#define SEND_BLOCK 10u
#define PARENT_BLOCK 100u

struct world {
	struct forest f;
	struct filesystem fs;
	struct snapshot send, parent;
	struct batch batch;
};

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	w.fs = (struct filesystem){.volume = w.f.volume,
				   .facts = volume_facts(w.f.volume),
				   .cache = w.f.cache,
				   .memory = 1 << 20,
				   .root_tree = forest_tree(&w.f, ROOT_TREE_BLOCK, ROOT_TREE_OBJECTID, 0)};
	forest_leaf(&w.f, ROOT_TREE_BLOCK, ROOT_TREE_OBJECTID, NULL, 0);
	w.send.transid = 9;
	w.parent.transid = 8;
	snapshot_inode(&w.send, TOP, 5, S_IFDIR | 0755, 0);
	snapshot_inode(&w.parent, TOP, 5, S_IFDIR | 0755, 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	batch_release(&w->batch);
	forest_release(&w->f);
	return 0;
}

/* Plan the whole stream into w->batch: 0 or an error. */
static int plan(struct world *w, u32 proto, bool incremental)
{
	const struct subvolume send = {.id = SEND,
				       .tree = snapshot_write(&w->send, &w->f, SEND_BLOCK, SEND)};
	const struct subvolume parent = {
		.id = PARENT, .tree = snapshot_write(&w->parent, &w->f, PARENT_BLOCK, PARENT)};
	const struct plan_options options = {.proto = proto};
	struct send_plan *p;
	int ret;

	assert_ok(send_plan_new(&w->fs, &send, incremental ? &parent : NULL, NULL, 0, &options, &p));
	while ((ret = send_plan_step(p, &w->batch)) > 0)
		;
	send_plan_free(p);
	return ret;
}

static void dir(struct snapshot *s, u64 ino, u64 parent, const char *name)
{
	snapshot_inode(s, ino, 6, S_IFDIR | 0755, 0);
	snapshot_name(s, ino, parent, ino, name);
}

static void file(struct snapshot *s, u64 ino, u64 parent, const char *name)
{
	snapshot_inode(s, ino, 6, S_IFREG | 0644, 0);
	snapshot_name(s, ino, parent, ino, name);
}

static void test_name_in_a_directory_that_is_not_there(void **state)
{
	struct world *w = *state;

	file(&w->send, 257, 300, "a");
	assert_error(plan(w, 1, false), EIO, "inode 257: inode 300 is not in subvolume 260");
}

static void test_lost_name_in_a_directory_that_is_not_there(void **state)
{
	struct world *w = *state;

	file(&w->parent, 257, 300, "a");
	assert_error(plan(w, 1, true), EIO, "inode 257: inode 300 is not in subvolume 261");
}

/* A path that runs in a circle has no end. */
static void test_directories_inside_each_other(void **state)
{
	struct world *w = *state;

	dir(&w->send, 257, 258, "a");
	dir(&w->send, 258, 257, "b");
	assert_error(plan(w, 1, false), ENAMETOOLONG,
		     "inode 258: a path is longer than the 4095 bytes of a stream");
}

static void test_directory_inside_itself(void **state)
{
	struct world *w = *state;

	dir(&w->send, 257, 257, "a");
	file(&w->send, 258, 257, "f");
	assert_error(plan(w, 1, false), ENAMETOOLONG,
		     "inode 258: a path is longer than the 4095 bytes of a stream");
}

/* No path is made where a directory is asked whether it must wait. */
static void test_directories_that_move_into_each_other(void **state)
{
	struct world *w = *state;

	dir(&w->parent, 257, TOP, "a");
	dir(&w->parent, 258, TOP, "b");
	dir(&w->send, 257, 258, "a");
	dir(&w->send, 258, 257, "b");
	assert_error(plan(w, 1, true), ELOOP, "inode 258: directory 257 is its own ancestor");
}

/* A file whose path has @len bytes. */
static void deep_file(struct world *w, u32 len)
{
	char name[251];

	memset(name, 'n', 250);
	name[250] = '\0';
	/* 16 names and a slash behind each are 4016 bytes. */
	for (u64 i = 0; i < 16; i++)
		dir(&w->send, 257 + i, i ? 256 + i : TOP, name);
	name[len - 4016] = '\0';
	file(&w->send, 300, 272, name);
}

static void test_longest_path(void **state)
{
	struct world *w = *state;

	deep_file(w, 4095);
	assert_ok(plan(w, 1, false));
}

static void test_path_too_long(void **state)
{
	struct world *w = *state;

	deep_file(w, 4096);
	assert_error(plan(w, 1, false), ENAMETOOLONG,
		     "inode 300: a path of 4096 bytes is longer than the 4095 of a stream");
}

static void test_file_of_an_unknown_type(void **state)
{
	struct world *w = *state;

	snapshot_inode(&w->send, 257, 6, 0150644, 0);
	snapshot_name(&w->send, 257, TOP, 2, "a");
	assert_error(plan(w, 1, false), EOPNOTSUPP, "inode 257: inode 257: unknown file type in mode 150644");
}

static void test_inode_below_the_top_directory(void **state)
{
	struct world *w = *state;

	file(&w->send, 255, TOP, "a");
	assert_error(plan(w, 1, true), EIO, "inode 255: inode 255: the top directory has changed its name");
}

/* --- symlinks --- */

static void symlink_inode(struct world *w)
{
	snapshot_inode(&w->send, 257, 6, S_IFLNK | 0777, 6);
	snapshot_name(&w->send, 257, TOP, 2, "s");
}

static void test_symlink_without_a_target(void **state)
{
	struct world *w = *state;

	symlink_inode(w);
	assert_error(plan(w, 1, false), EIO, "inode 257: symlink inode 257 is empty");
}

static void target(struct world *w, u8 type, u8 compression)
{
	struct {
		struct file_extent e;
		char more[8];
	} item = {.e = {.ram_bytes = le64_of(type == FILE_EXTENT_INLINE ? 6 : 4096),
			.type = type,
			.compression = compression,
			.disk_bytenr = le64_of(1 << 20),
			.disk_num_bytes = le64_of(4096),
			.num_bytes = le64_of(4096)}};

	symlink_inode(w);
	snapshot_item(&w->send, key_of(257, KEY_EXTENT_DATA, 0), &item,
		      type == FILE_EXTENT_INLINE ? FILE_EXTENT_INLINE_OFFSET + 6 : sizeof(item.e));
}

static void test_symlink_with_an_extent_elsewhere(void **state)
{
	struct world *w = *state;

	target(w, FILE_EXTENT_REG, COMPRESSION_NONE);
	assert_error(plan(w, 1, false), EIO,
		     "inode 257: symlink inode 257: its extent is not plain inline data");
}

static void test_symlink_with_a_compressed_target(void **state)
{
	struct world *w = *state;

	target(w, FILE_EXTENT_INLINE, COMPRESSION_ZLIB);
	assert_error(plan(w, 1, false), EIO,
		     "inode 257: symlink inode 257: its extent is not plain inline data");
}

/* --- items that do not go together --- */

static void test_name_changed_but_not_its_inode(void **state)
{
	struct world *w = *state;

	w->send.transid = w->parent.transid;
	file(&w->parent, 257, TOP, "a");
	file(&w->send, 257, TOP, "b");
	assert_error(plan(w, 1, true), EIO,
		     "inode 256: item (257 INODE_REF 256) has changed but its inode has not");
}

static void test_attribute_changed_but_not_its_inode(void **state)
{
	struct world *w = *state;
	const u8 item[] = "no matter what";

	w->send.transid = w->parent.transid;
	file(&w->parent, 257, TOP, "a");
	file(&w->send, 257, TOP, "a");
	snapshot_item(&w->send, key_of(257, KEY_XATTR_ITEM, 7), item, sizeof(item));
	assert_error(plan(w, 1, true), EIO,
		     "inode 256: item (257 XATTR_ITEM 7) has changed but its inode has not");
}

static void test_deleted_directory_with_an_empty_entry(void **state)
{
	struct world *w = *state;

	dir(&w->parent, 257, TOP, "d");
	snapshot_item(&w->parent, key_of(257, KEY_DIR_INDEX, 2), NULL, 0);
	assert_error(plan(w, 1, true), EIO, "inode 257: directory 257: index 2 is empty");
}

static void test_deleted_directory_with_a_damaged_entry(void **state)
{
	struct world *w = *state;

	dir(&w->parent, 257, TOP, "d");
	snapshot_item(&w->parent, key_of(257, KEY_DIR_INDEX, 2), "short", 5);
	assert_int_equal(plan(w, 1, true), -EIO);
	assert_non_null(strstr(error_message(), "inode 257: "));
}

/* --- fs-verity: struct fsverity_descriptor, in pieces --- */

#define SALT 5u
#define SIGNATURE 300u
#define PIECE 200u

struct verity {
	u8 descriptor[256 + SIGNATURE];
	u64 size; /* as item 0 tells it */
};

static void verity_init(struct verity *v)
{
	*v = (struct verity){.size = sizeof(v->descriptor)};
	v->descriptor[0] = 1;  /* version */
	v->descriptor[1] = 2;  /* sha512 */
	v->descriptor[2] = 12; /* blocks of 4 KiB */
	v->descriptor[3] = SALT;
	put_le32(v->descriptor + 4, SIGNATURE);
	memcpy(v->descriptor + 80, "salty", SALT);
	memset(v->descriptor + 256, 's', SIGNATURE);
}

static int plan_with_verity(struct world *w, const struct verity *v, u32 proto)
{
	u8 head[25] = {0};

	put_le64(head, v->size);
	snapshot_inode(&w->send, 257, 6, S_IFREG | 0644, 0);
	snapshot_name(&w->send, 257, TOP, 2, "f");
	snapshot_item(&w->send, key_of(257, KEY_VERITY_DESC_ITEM, 0), head, sizeof(head));
	for (u32 at = 0; at < sizeof(v->descriptor); at += PIECE)
		snapshot_item(&w->send, key_of(257, KEY_VERITY_DESC_ITEM, 1 + at), v->descriptor + at,
			      at + PIECE < sizeof(v->descriptor) ? PIECE : sizeof(v->descriptor) - at);
	return plan(w, proto, false);
}

static const struct op *find_op(const struct world *w, u16 cmd)
{
	for (size_t i = 0; i < w->batch.op_count; i++)
		if (w->batch.ops[i].cmd == cmd)
			return &w->batch.ops[i];
	return NULL;
}

static void test_verity(void **state)
{
	static struct builder want;
	struct world *w = *state;
	struct verity v;

	verity_init(&v);
	assert_ok(plan_with_verity(w, &v, 3));

	const struct op *op = find_op(w, STREAM_C_ENABLE_VERITY);

	assert_non_null(op);
	want.len = 0;
	begin(&want, STREAM_C_ENABLE_VERITY);
	attr_text(&want, STREAM_A_PATH, "f");
	attr_u8(&want, STREAM_A_VERITY_ALGORITHM, 2);
	attr_u32(&want, STREAM_A_VERITY_BLOCK_SIZE, 4096);
	attr(&want, STREAM_A_VERITY_SALT_DATA, "salty", SALT);
	attr(&want, STREAM_A_VERITY_SIG_DATA, v.descriptor + 256, SIGNATURE);
	assert_int_equal(op->len, want.len);
	put_le32(want.bytes, (u32)want.len - 10);
	assert_memory_equal(w->batch.bytes.data + op->at, want.bytes, want.len);
}

static void test_no_verity_before_version_3(void **state)
{
	struct world *w = *state;
	struct verity v;

	verity_init(&v);
	assert_ok(plan_with_verity(w, &v, 2));
	assert_null(find_op(w, STREAM_C_ENABLE_VERITY));
}

static void test_verity_of_another_size(void **state)
{
	struct world *w = *state;
	struct verity v;

	verity_init(&v);
	v.size++;
	assert_error(plan_with_verity(w, &v, 3), EIO,
		     "inode 257: inode 257: verity descriptor of 556 bytes, 557 expected");
}

static void test_damaged_verity(void **state)
{
	static const struct {
		u32 at;
		u8 value;
	} damage[] = {{2, 32}, {3, 33}, {5, 2}};

	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		struct verity v;

		teardown(state);
		setup(state);
		verity_init(&v);
		v.descriptor[damage[i].at] = damage[i].value;
		assert_error(plan_with_verity(*state, &v, 3), EIO,
			     "inode 257: inode 257: damaged verity descriptor");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(name_in_a_directory_that_is_not_there),
		TEST(lost_name_in_a_directory_that_is_not_there),
		TEST(directories_inside_each_other),
		TEST(directory_inside_itself),
		TEST(directories_that_move_into_each_other),
		TEST(longest_path),
		TEST(path_too_long),
		TEST(file_of_an_unknown_type),
		TEST(inode_below_the_top_directory),
		TEST(symlink_without_a_target),
		TEST(symlink_with_an_extent_elsewhere),
		TEST(symlink_with_a_compressed_target),
		TEST(name_changed_but_not_its_inode),
		TEST(attribute_changed_but_not_its_inode),
		TEST(deleted_directory_with_an_empty_entry),
		TEST(deleted_directory_with_a_damaged_entry),
		TEST(verity),
		TEST(no_verity_before_version_3),
		TEST(verity_of_another_size),
		TEST(damaged_verity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
