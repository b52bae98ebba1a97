/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that makes a tree deeper than any path can be long, by renames, and a snapshot of it: received, and
 * taken away again, with little stack and few descriptors.
 */
#include "support/test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/scratch.h"
#include "support/small_thread.h"
#include "support/stream_builder.h"

/* CHAINS times LEVELS directories: each chain has a path that a command can name, all together have not. */
#define CHAINS 4
#define LEVELS 400
#define LEVEL "directory" /* with its slash ten bytes, so that a chain's path has 4000 */
#define PATH_SIZE (LEVELS * sizeof(LEVEL) + sizeof("/file"))

static char base[SCRATCH_MAX];
static int base_fd;
static struct host host;
static struct target *target;
static struct applier applier;

/* Every command is built, fed and forgotten. */
static struct stream_decoder decoder;
static struct builder b;

static int setup(void **state)
{
	const struct receive_options options = {0};

	host_init(&host);
	if (!scratch_make(base, "deep"))
		return 1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(base_fd, "dir", 0755), 0);
	assert_ok(directory_target_new(&target, openat(base_fd, "dir", O_RDONLY | O_DIRECTORY), &options));
	applier_init(&applier, target);
	stream_decoder_init(&decoder);
	b.len = 0;
	return 0;
}

static int remove_dir(void *arg)
{
	return tree_remove(&host, base_fd, "dir");
}

static int teardown(void **state)
{
	stream_decoder_release(&decoder);
	target->ops->free(target);
	assert_ok(in_small_thread(remove_dir, NULL));
	close(base_fd);
	return rmdir(base);
}

static int feed(void)
{
	size_t used;
	int ret = 0;

	for (size_t at = 0; at < b.len && ret >= 0; at += used) {
		ret = stream_decoder_feed(&decoder, b.bytes + at, b.len - at, &used);
		if (ret == STREAM_COMMAND)
			ret = applier_command(&applier, &decoder.command);
	}
	b.len = 0;
	return ret < 0 ? ret : 0;
}

/* The path of @levels directories of the chain that begins with a letter of its own, in @path. */
static const char *chain(char letter, int levels, char path[PATH_SIZE])
{
	size_t at = 0;

	for (int i = 0; i < levels; i++)
		at += (size_t)snprintf(path + at, PATH_SIZE - at, "%s" LEVEL, i ? "/" : "");
	*path = letter;
	return path;
}

static int make_chain(char letter)
{
	char path[PATH_SIZE];
	int ret = 0;

	for (int i = 1; !ret && i <= LEVELS; i++) {
		put_path(&b, STREAM_C_MKDIR, chain(letter, i, path));
		ret = feed();
	}
	snprintf(path + strlen(path), sizeof("/file"), "/file");
	put_path(&b, STREAM_C_MKFILE, path);
	return ret ? ret : feed();
}

/* The last chain goes to the end of the one before it, and so on. */
static int join_chains(void)
{
	char path[PATH_SIZE], to[PATH_SIZE + 2];
	int ret = 0;

	for (int i = CHAINS - 1; !ret && i; i--) {
		snprintf(to, sizeof(to), "%s/x", chain((char)('a' + i - 1), LEVELS, path));
		put_two_paths(&b, STREAM_C_RENAME, chain((char)('a' + i), 1, path), STREAM_A_PATH_TO, to);
		ret = feed();
	}
	return ret;
}

static int receive_first(void *arg)
{
	int ret = 0;

	put_header(&b, 1);
	put_subvol(&b, "first", 1);
	for (int i = 0; !ret && i < CHAINS; i++)
		ret = make_chain((char)('a' + i));
	if (!ret)
		ret = join_chains();
	put_end(&b);
	return ret ? ret : feed();
}

static int receive_snapshot(void *arg)
{
	put_header(&b, 1);
	put_snapshot(&b, "second", 2, 1);
	put_path(&b, STREAM_C_MKFILE, "new");
	put_end(&b);
	return feed();
}

/* The deepest directory of dir/@name. */
static int bottom(const char *name)
{
	int at = openat(base_fd, "dir", O_RDONLY | O_DIRECTORY);

	for (int i = -1; i < CHAINS * LEVELS; i++) {
		const char *level = i < 0 ? name : i % LEVELS ? LEVEL : i ? "x" : "airectory";
		int next = openat(at, level, O_RDONLY | O_DIRECTORY);

		close(at);
		if (next < 0)
			fail_msg("no %s at level %d", level, i);
		at = next;
	}
	return at;
}

static void test_a_received_tree_and_its_snapshot(void **state)
{
	struct stat st;
	int fd;

	assert_ok(in_small_thread(receive_first, NULL));
	assert_ok(in_small_thread(receive_snapshot, NULL));
	fd = bottom("second");
	assert_int_equal(fstatat(fd, "file", &st, 0), 0);
	close(fd);
	assert_int_equal(fstatat(base_fd, "dir/second/new", &st, 0), 0);
}

static int set_flags(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, O_RDONLY), ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);

	close(fd);
	return ret;
}

static int get_flags(int dir, const char *name)
{
	int flags = 0, fd = openat(dir, name, O_RDONLY);

	ioctl(fd, FS_IOC_GETFLAGS, &flags);
	close(fd);
	return flags;
}

/* They are set when the snapshot is whole, by a path that no command could name. */
static void test_flags_that_forbid_changes_at_the_bottom(void **state)
{
	int fd, copied, flags, ret;

	assert_ok(in_small_thread(receive_first, NULL));
	fd = bottom("first");
	if (set_flags(fd, "file", FS_IMMUTABLE_FL)) {
		close(fd);
		skip(); /* for root, and not on every filesystem */
	}
	ret = in_small_thread(receive_snapshot, NULL);
	set_flags(fd, "file", 0);
	close(fd);
	assert_ok(ret);
	copied = bottom("second");
	flags = get_flags(copied, "file");
	set_flags(copied, "file", 0);
	close(copied);
	assert_int_equal(flags & FS_IMMUTABLE_FL, FS_IMMUTABLE_FL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_received_tree_and_its_snapshot),
		TEST(test_flags_that_forbid_changes_at_the_bottom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
