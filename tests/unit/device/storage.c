/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device/storage.h"

static char directory[] = "/tmp/btrfly-storage-XXXXXX";

static int make_files(void **state)
{
	static const char *const names[] = {"one", "two"};
	FILE *f;

	if (!mkdtemp(directory) || chdir(directory))
		return -1;
	for (int i = 0; i < 2; i++) {
		f = fopen(names[i], "w");
		if (!f || fputs("the same content", f) < 0 || fclose(f))
			return -1;
	}
	return link("one", "hard") || symlink("one", "soft");
}

static int remove_files(void **state)
{
	return unlink("soft") || unlink("hard") || unlink("one") || unlink("two") || rmdir(directory);
}

static struct storage of(const char *path)
{
	struct storage s;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	storage_find(&st, &s);
	return s;
}

static void test_a_file_under_its_names(void **state)
{
	const struct storage one = of("one"), two = of("two"), hard = of("hard"), soft = of("soft");

	assert_true(storage_shared(&one, &one));
	assert_true(storage_shared(&one, &hard));
	assert_true(storage_shared(&soft, &hard));
	assert_false(storage_shared(&one, &two));
}

static void test_what_holds_no_bytes(void **state)
{
	const struct storage null = of("/dev/null"), dir = of(".");

	assert_int_equal(null.count, 0);
	assert_int_equal(dir.count, 0);
	assert_false(storage_shared(&null, &null));
}

/* A block device @minor, as if on the layers that are added to it. */
static struct storage block(unsigned minor)
{
	struct storage_layer l = {.is_block = true, .dev = makedev(8, minor), .to = UINT64_MAX};

	return (struct storage){.layer = {l}, .count = 1};
}

static void stand_on(struct storage *s, unsigned minor, bool mapped, u64 from, u64 to)
{
	s->layer[s->count++] = (struct storage_layer){
		.is_block = true, .mapped = mapped, .dev = makedev(8, minor), .from = from, .to = to};
}

static void test_parts_of_a_disk(void **state)
{
	const struct storage disk = block(0);
	struct storage first = block(1), second = block(2), across = block(3);

	stand_on(&first, 0, false, 4096, 8192);
	stand_on(&second, 0, false, 8192, 12288);
	stand_on(&across, 0, false, 8191, 8193);
	assert_true(storage_shared(&disk, &first));
	assert_true(storage_shared(&second, &disk));
	assert_false(storage_shared(&first, &second));
	assert_true(storage_shared(&first, &across));
	assert_true(storage_shared(&across, &second));
}

/* Which bytes of its disk a mapped volume has is not known: it shares them with the disk, not with its neighbours. */
static void test_mapped_volumes(void **state)
{
	const struct storage disk = block(0);
	struct storage one = block(16), other = block(17), upon = block(18);

	stand_on(&one, 0, true, 0, UINT64_MAX);
	stand_on(&other, 0, true, 0, UINT64_MAX);
	stand_on(&upon, 16, true, 0, UINT64_MAX);
	stand_on(&upon, 0, true, 0, UINT64_MAX);
	assert_true(storage_shared(&one, &disk));
	assert_true(storage_shared(&disk, &other));
	assert_false(storage_shared(&one, &other));
	assert_true(storage_shared(&upon, &one));
	assert_true(storage_shared(&upon, &disk));
}

/* Where in its filesystem a file lies is not known: it shares the device's bytes, not another file's. */
static void test_a_file_on_its_device(void **state)
{
	const struct storage one = of("one"), two = of("two");
	struct stat st;

	assert_int_equal(stat("one", &st), 0);
	if (!major(st.st_dev))
		skip();
	const struct storage device = {.layer = {{.is_block = true, .dev = st.st_dev, .to = UINT64_MAX}}, .count = 1};

	assert_true(storage_shared(&device, &one));
	assert_true(storage_shared(&two, &device));
	assert_false(storage_shared(&one, &two));
}

/* A file and a block device may have the same numbers. */
static void test_a_file_is_no_block_device(void **state)
{
	struct storage file = block(0);
	const struct storage disk = block(0);

	file.layer[0].is_block = false;
	assert_false(storage_shared(&file, &disk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_under_its_names),
		cmocka_unit_test(test_what_holds_no_bytes),
		cmocka_unit_test(test_parts_of_a_disk),
		cmocka_unit_test(test_mapped_volumes),
		cmocka_unit_test(test_a_file_on_its_device),
		cmocka_unit_test(test_a_file_is_no_block_device),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
