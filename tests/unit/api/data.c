/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and streams, as a program that embeds the library has them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <btrfly.h>

#define FILE_SIZE 100001u

static char dir[] = "/tmp/btrfly-api-XXXXXX";
static char image[64];
static unsigned char content[FILE_SIZE];
static struct btrfly_filesystem *fs;

static int __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command);
}

static int make_image(void **state)
{
	const char *const paths[] = {image};
	char path[64];
	FILE *f;

	if (!mkdtemp(dir) || shell("mkdir -p %s/root/some", dir))
		return -1;
	for (unsigned i = 0; i < FILE_SIZE; i++)
		content[i] = (unsigned char)(i * 2654435761u >> 13);
	snprintf(path, sizeof(path), "%s/root/some/file", dir);
	f = fopen(path, "w");
	if (fwrite(content, 1, FILE_SIZE, f) != FILE_SIZE || fclose(f))
		return -1;
	snprintf(image, sizeof(image), "%s/image", dir);
	if (shell("PATH=$PATH:/usr/sbin:/sbin; truncate -s 128M %s && mkfs.btrfs -q --rootdir %s/root %s "
		  ">/dev/null 2>&1", image, dir, image))
		return -1;
	return btrfly_open(paths, 1, NULL, &fs);
}

static int remove_image(void **state)
{
	btrfly_close(fs);
	return shell("rm -r %s", dir);
}

static void test_read_a_file(void **state)
{
	struct btrfly_file *file;
	unsigned char buf[5000];

	assert_int_equal(btrfly_file_open(fs, "some/file", &file), 0);
	assert_int_equal(btrfly_file_size(file), FILE_SIZE);
	assert_int_equal(btrfly_file_read(file, buf, sizeof(buf), 70001), sizeof(buf));
	assert_memory_equal(buf, content + 70001, sizeof(buf));
	assert_int_equal(btrfly_file_read(file, buf, sizeof(buf), 3), sizeof(buf));
	assert_memory_equal(buf, content + 3, sizeof(buf));
	btrfly_file_close(file);
}

static void test_read_at_the_end_of_a_file(void **state)
{
	struct btrfly_file *file;
	unsigned char buf[5000];

	assert_int_equal(btrfly_file_open(fs, "some/file", &file), 0);
	assert_int_equal(btrfly_file_read(file, buf, sizeof(buf), FILE_SIZE - 10), 10);
	assert_memory_equal(buf, content + FILE_SIZE - 10, 10);
	assert_int_equal(btrfly_file_read(file, buf, sizeof(buf), FILE_SIZE), 0);
	assert_int_equal(btrfly_file_read(file, buf, sizeof(buf), UINT64_MAX), 0);
	btrfly_file_close(file);
}

static void test_open_a_file_that_is_not_there(void **state)
{
	struct btrfly_file *file = NULL;

	assert_int_equal(btrfly_file_open(fs, "some/other", &file), -ENOENT);
	assert_null(file);
	assert_non_null(strstr(btrfly_error(), "some/other"));
	btrfly_file_close(NULL);
}

static void test_open_a_directory_as_a_file(void **state)
{
	struct btrfly_file *file = NULL;

	assert_int_equal(btrfly_file_open(fs, "some", &file), -EINVAL);
	assert_string_equal(btrfly_error(), "some: is no regular file");
}

/* The beginning of what has been written, how much it was, and when to stop. */
struct taken {
	unsigned char head[17];
	size_t bytes, limit;
};

static int take(void *arg, const void *data, size_t len)
{
	struct taken *t = arg;

	if (!t->bytes && len >= sizeof(t->head))
		memcpy(t->head, data, sizeof(t->head));
	t->bytes += len;
	return t->bytes > t->limit ? -ECANCELED : 0;
}

static void test_send_to_a_function_and_to_a_descriptor(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	struct taken taken = {.limit = SIZE_MAX};
	char path[64];

	args.subvolume = "/";
	args.write = take;
	args.arg = &taken;
	assert_int_equal(btrfly_send(fs, &args), 0);
	assert_memory_equal(taken.head, "btrfs-stream", 13);
	assert_true(taken.bytes > FILE_SIZE);

	snprintf(path, sizeof(path), "%s/stream", dir);
	args.write = NULL;
	args.fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(btrfly_send(fs, &args), 0);
	assert_int_equal(lseek(args.fd, 0, SEEK_CUR), taken.bytes);
	close(args.fd);
}

static void test_send_stops_when_the_writer_says_so(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	struct taken taken = {.limit = 100};

	args.subvolume = "/";
	args.write = take;
	args.arg = &taken;
	assert_int_equal(btrfly_send(fs, &args), -ECANCELED);
	assert_non_null(strstr(btrfly_error(), "the stream's writer returned"));
}

static void test_send_without_data_is_short(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	struct taken taken = {.limit = SIZE_MAX};

	args.subvolume = "/";
	args.flags = BTRFLY_SEND_NO_DATA;
	args.write = take;
	args.arg = &taken;
	assert_int_equal(btrfly_send(fs, &args), 0);
	assert_true(taken.bytes < 2000);
}

/* Version 1 has no commands for it; the kernel and the command refuse it, too. */
static void test_send_of_compressed_data_is_of_version_2(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	struct taken taken = {.limit = SIZE_MAX};

	args.subvolume = "/";
	args.flags = BTRFLY_SEND_COMPRESSED_DATA;
	args.write = take;
	args.arg = &taken;
	assert_int_equal(btrfly_send(fs, &args), 0);
	assert_memory_equal(taken.head + 13, "\2\0\0\0", 4);
	args.proto = 1;
	assert_int_equal(btrfly_send(fs, &args), -EINVAL);
	assert_string_equal(btrfly_error(), "compressed data needs protocol 2 or 3, not 1");
}

static void expect_refusal(const struct btrfly_send_args *args, int code, const char *sentence)
{
	assert_int_equal(btrfly_send(fs, args), code);
	assert_string_equal(btrfly_error(), sentence);
}

static void test_send_arguments_that_cannot_be(void **state)
{
	struct btrfly_send_args args = {.subvolume = "/", .fd = 1};

	expect_refusal(&args, -EINVAL,
		       "struct_size of struct btrfly_send_args is 0: start with its initializer");
	args = (struct btrfly_send_args)BTRFLY_SEND_ARGS;
	expect_refusal(&args, -EINVAL, "no subvolume is named");
	args.subvolume = "/";
	expect_refusal(&args, -EINVAL, "either fd or write takes the stream");
	args.fd = 1;
	args.write = take;
	expect_refusal(&args, -EINVAL, "either fd or write takes the stream");
	args.fd = -1;
	args.proto = 4;
	expect_refusal(&args, -EINVAL, "protocol 4 is not in [1, 3]");
	args.proto = 0;
	args.flags = 1u << 31;
	expect_refusal(&args, -EINVAL, "unknown flags 0x80000000");
	args.flags = 0;
	args.clone_source_count = 1;
	expect_refusal(&args, -EINVAL, "no clone source is named");
}

static void test_send_onto_the_image_itself(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	char sentence[256];

	args.subvolume = "/";
	args.fd = open(image, O_WRONLY | O_APPEND);
	snprintf(sentence, sizeof(sentence), "the descriptor is refused as output: it would overwrite %s, which is "
		 "read", image);
	expect_refusal(&args, -EINVAL, sentence);
	close(args.fd);
}

static void test_empty_words_are_refused(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	const char *clones[] = {"/", ""};
	const char *const no_path[] = {""};
	struct btrfly_filesystem *none;
	struct btrfly_file *file;

	args.write = take;
	args.subvolume = "";
	expect_refusal(&args, -EINVAL, "the subvolume is an empty word");
	args.subvolume = "/";
	args.parent = "";
	expect_refusal(&args, -EINVAL, "the parent is an empty word");
	args.parent = NULL;
	args.clone_sources = clones;
	args.clone_source_count = 2;
	expect_refusal(&args, -EINVAL, "the clone source is an empty word");
	clones[1] = NULL;
	expect_refusal(&args, -EINVAL, "no clone source is named");
	assert_int_equal(btrfly_file_open(fs, "", &file), -EINVAL);
	assert_string_equal(btrfly_error(), "an empty path, the top level is '/'");
	assert_int_equal(btrfly_open(no_path, 1, NULL, &none), -EINVAL);
	assert_string_equal(btrfly_error(), "an empty name where an image file or a block device is wanted");
}

static void test_send_a_subvolume_that_is_not_there(void **state)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;

	args.subvolume = "snaps/none";
	args.write = take;
	assert_int_equal(btrfly_send(fs, &args), -ENOENT);
	assert_non_null(strstr(btrfly_error(), "snaps/none"));
}

/* The stream of the top level, in a file. */
static int sent(void)
{
	struct btrfly_send_args args = BTRFLY_SEND_ARGS;
	char path[64];

	snprintf(path, sizeof(path), "%s/whole", dir);
	args.subvolume = "/";
	args.fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(btrfly_send(fs, &args), 0);
	assert_int_equal(lseek(args.fd, 0, SEEK_SET), 0);
	return args.fd;
}

static void test_receive(void **state)
{
	struct btrfly_receive_args args = BTRFLY_RECEIVE_ARGS;
	char skipped[64] = "x";

	assert_int_equal(shell("mkdir %s/received", dir), 0);
	char path[64];

	snprintf(path, sizeof(path), "%s/received", dir);
	args.directory = path;
	args.fd = sent();
	args.skipped = skipped;
	args.skipped_size = sizeof(skipped);
	assert_int_equal(btrfly_receive(&args), 0);
	close(args.fd);
	assert_int_equal(shell("cmp %s/root/some/file %s/received/toplevel/some/file", dir, dir), 0);
	/* mkfs.btrfs gives the top directory to root; others cannot. */
	assert_string_equal(skipped, geteuid() ? "1 owner" : "");
}

static void test_receive_a_stream_that_ends_early(void **state)
{
	struct btrfly_receive_args args = BTRFLY_RECEIVE_ARGS;
	int whole = sent(), ends[2];
	char head[3000], path[64];

	assert_int_equal(shell("mkdir %s/early", dir), 0);
	snprintf(path, sizeof(path), "%s/early", dir);
	assert_int_equal(read(whole, head, sizeof(head)), sizeof(head));
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], head, sizeof(head)), sizeof(head));
	close(ends[1]);
	args.directory = path;
	args.fd = ends[0];
	assert_true(btrfly_receive(&args) < 0);
	assert_non_null(strstr(btrfly_error(), "; what came so far is in "));
	assert_int_not_equal(shell("test -e %s/early/toplevel", dir), 0);
	close(ends[0]);
	/* Not without being told, and then to the end. */
	args.fd = whole;
	assert_int_equal(lseek(whole, 0, SEEK_SET), 0);
	assert_int_equal(btrfly_receive(&args), -EEXIST);
	args.flags = BTRFLY_RECEIVE_RESUME | BTRFLY_RECEIVE_UNTRUSTED | BTRFLY_RECEIVE_FORCE_PARENT;
	assert_int_equal(lseek(whole, 0, SEEK_SET), 0);
	assert_int_equal(btrfly_receive(&args), 0);
	assert_int_equal(shell("cmp %s/root/some/file %s/early/toplevel/some/file", dir, dir), 0);
	close(whole);
}

static void test_receive_arguments_that_cannot_be(void **state)
{
	struct btrfly_receive_args args = {.directory = "/"};

	assert_int_equal(btrfly_receive(&args), -EINVAL);
	args = (struct btrfly_receive_args)BTRFLY_RECEIVE_ARGS;
	assert_int_equal(btrfly_receive(&args), -EINVAL);
	assert_string_equal(btrfly_error(), "no directory is named");
	args.directory = "";
	assert_int_equal(btrfly_receive(&args), -EINVAL);
	assert_string_equal(btrfly_error(), "the directory is an empty word");
	args.directory = "/nonexistent/directory";
	assert_int_equal(btrfly_receive(&args), -EINVAL);
	assert_string_equal(btrfly_error(), "no descriptor to read the stream from");
	args.fd = 0;
	args.flags = 1u << 31;
	assert_int_equal(btrfly_receive(&args), -EINVAL);
	assert_string_equal(btrfly_error(), "unknown flags 0x80000000");
	args.flags = 0;
	assert_int_equal(btrfly_receive(&args), -ENOENT);
	assert_string_equal(btrfly_error(), "/nonexistent/directory: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_a_file),
		cmocka_unit_test(test_read_at_the_end_of_a_file),
		cmocka_unit_test(test_open_a_file_that_is_not_there),
		cmocka_unit_test(test_open_a_directory_as_a_file),
		cmocka_unit_test(test_send_to_a_function_and_to_a_descriptor),
		cmocka_unit_test(test_send_stops_when_the_writer_says_so),
		cmocka_unit_test(test_send_without_data_is_short),
		cmocka_unit_test(test_send_of_compressed_data_is_of_version_2),
		cmocka_unit_test(test_send_arguments_that_cannot_be),
		cmocka_unit_test(test_send_onto_the_image_itself),
		cmocka_unit_test(test_empty_words_are_refused),
		cmocka_unit_test(test_send_a_subvolume_that_is_not_there),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_a_stream_that_ends_early),
		cmocka_unit_test(test_receive_arguments_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
