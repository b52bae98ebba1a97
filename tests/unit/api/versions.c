/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that were built with an older or a newer btrfly.h than the library: every struct that says its
 * size, as its first version had it, and with a tail that this library does not know.
 */
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

static char image[] = "/tmp/btrfly-versions-XXXXXX";
static char directory[] = "/tmp/btrfly-versions-dir-XXXXXX";
static struct btrfly_filesystem *fs;

static int make_image(void **state)
{
	const char *const paths[] = {image};
	char command[256];
	int fd = mkstemp(image);

	if (fd < 0 || ftruncate(fd, 128 << 20) || !mkdtemp(directory))
		return -1;
	close(fd);
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin:/sbin mkfs.btrfs -q %s >/dev/null 2>&1", image);
	return system(command) || btrfly_open(paths, 1, NULL, &fs);
}

static int remove_image(void **state)
{
	btrfly_close(fs);
	return unlink(image) | rmdir(directory);
}

static int nowhere(void *arg, const void *data, size_t len)
{
	return 0;
}

static int call_open(void *args)
{
	const char *const paths[] = {image};
	struct btrfly_filesystem *other = NULL;
	int ret = btrfly_open(paths, 1, args, &other);

	btrfly_close(other);
	return ret;
}

static int call_info(void *info)
{
	return btrfly_filesystem_info(fs, info);
}

static int call_send(void *args)
{
	return btrfly_send(fs, args);
}

/* Of an empty input: what follows the check of the arguments. */
static int call_receive(void *args)
{
	return btrfly_receive(args);
}

/*
 * A struct as its first version was: @first bytes.  @good is what the call returns when the struct is taken.
 * The numbers are those of the structs' first versions on machines with pointers of 64 bits, and never change.
 */
struct version {
	const char *name;
	int (*call)(void *args);
	size_t first, known;
	int good;
	const char *sentence; /* of a @good that is no success */
};

static const struct version versions[] = {
	{"struct btrfly_open_args", call_open, 16, sizeof(struct btrfly_open_args), 0, NULL},
	{"struct btrfly_filesystem_info", call_info, 72, sizeof(struct btrfly_filesystem_info), 0, NULL},
	{"struct btrfly_send_args", call_send, 72, sizeof(struct btrfly_send_args), 0, NULL},
	{"struct btrfly_receive_args", call_receive, 40, sizeof(struct btrfly_receive_args), -EINVAL,
	 "empty stream is not considered valid"},
};

union any {
	size_t struct_size;
	struct btrfly_open_args open;
	struct btrfly_filesystem_info info;
	struct btrfly_send_args send;
	struct btrfly_receive_args receive;
	unsigned char bytes[8192];
};

static void fill(union any *u, const struct version *v)
{
	memset(u, 0, sizeof(*u));
	u->struct_size = v->known;
	if (v->call == call_send) {
		u->send.subvolume = "/";
		u->send.fd = -1;
		u->send.write = nowhere;
	} else if (v->call == call_receive) {
		u->receive.directory = directory;
		u->receive.fd = open("/dev/null", O_RDONLY);
	}
}

static void empty(union any *u, const struct version *v)
{
	if (v->call == call_receive)
		close(u->receive.fd);
}

static void expect(const struct version *v, union any *u, int want, const char *sentence)
{
	int ret = v->call(u);

	if (ret != want)
		fail_msg("%s of %zu bytes: %d instead of %d: %s", v->name, u->struct_size, ret, want,
			 btrfly_error());
	if (sentence)
		assert_string_equal(btrfly_error(), sentence);
}

static void test_the_first_version_is_taken(void **state)
{
	if (sizeof(void *) != 8)
		skip();
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version *v = &versions[i];
		union any u;

		fill(&u, v);
		/* What lies behind is none of the struct's, and stays as it is. */
		memset(u.bytes + v->first, 0xee, 64);
		u.struct_size = v->first;
		expect(v, &u, v->good, v->sentence);
		for (size_t k = 0; k < 64; k++)
			assert_int_equal(u.bytes[v->first + k], 0xee);
		empty(&u, v);
	}
}

static void test_less_than_the_first_version_is_refused(void **state)
{
	if (sizeof(void *) != 8)
		skip();
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version *v = &versions[i];
		const size_t sizes[] = {0, sizeof(size_t), v->first - 1};
		char sentence[200];
		union any u;

		fill(&u, v);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			u.struct_size = sizes[k];
			snprintf(sentence, sizeof(sentence), "struct_size of %s is %zu: start with its initializer",
				 v->name, sizes[k]);
			expect(v, &u, -EINVAL, sentence);
		}
		empty(&u, v);
	}
}

static void test_a_tail_of_zeros_is_taken(void **state)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version *v = &versions[i];
		union any u;

		for (size_t more = 1; more < 300; more += 149) {
			fill(&u, v);
			u.struct_size = v->known + more;
			u.bytes[v->known + more] = 1; /* behind it */
			expect(v, &u, v->good, v->sentence);
			for (size_t k = 0; k < more; k++)
				assert_int_equal(u.bytes[v->known + k], 0);
			empty(&u, v);
		}
	}
}

static void test_a_tail_that_asks_for_something_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version *v = &versions[i];
		char sentence[200];
		union any u;

		for (size_t at = 0; at < 64; at += 63) {
			fill(&u, v);
			u.struct_size = v->known + 64;
			u.bytes[v->known + at] = 1;
			snprintf(sentence, sizeof(sentence),
				 "byte %zu of %s is set, and this version of the library knows %zu",
				 v->known + at, v->name, v->known);
			expect(v, &u, -E2BIG, sentence);
			empty(&u, v);
		}
	}
}

static void test_a_size_that_was_never_set(void **state)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		const struct version *v = &versions[i];
		union any u;

		fill(&u, v);
		u.struct_size = SIZE_MAX;
		expect(v, &u, -E2BIG, NULL);
		empty(&u, v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_version_is_taken),
		cmocka_unit_test(test_less_than_the_first_version_is_refused),
		cmocka_unit_test(test_a_tail_of_zeros_is_taken),
		cmocka_unit_test(test_a_tail_that_asks_for_something_is_refused),
		cmocka_unit_test(test_a_size_that_was_never_set),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
