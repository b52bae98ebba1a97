/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two snapshots are measured, sent, held against a file and compared, and each allocation fails in turn: then that is
 * what is said, and no older failure, and nothing is leaked.  The linker puts the functions below in the place of the C library's.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/compare.h"
#include "send/prefix.h"
#include "send/send.h"
#include "stream/sink.h"
#include "support/snapshot.h"

#define TOP 256u
#define SEND 260u
#define PARENT 261u
#define ROOT_TREE_BLOCK 1u
#define SEND_BLOCK 10u
#define PARENT_BLOCK 100u

static size_t live;    /* allocations that are not freed */
static long countdown; /* to the one that fails; negative: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
char *__real_strdup(const char *text);
void *__real_aligned_alloc(size_t align, size_t size);
void *__real_reallocarray(void *p, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *text);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_reallocarray(void *p, size_t count, size_t size);

static bool refuse(void)
{
	return countdown >= 0 && !countdown--;
}

static void *count(void *p)
{
	live += !!p;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (refuse())
		return NULL;
	return p ? __real_realloc(p, size) : count(__real_realloc(p, size));
}

char *__wrap_strdup(const char *text)
{
	return refuse() ? NULL : count(__real_strdup(text));
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return refuse() ? NULL : count(__real_aligned_alloc(align, size));
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (refuse())
		return NULL;
	return p ? __real_reallocarray(p, n, size) : count(__real_reallocarray(p, n, size));
}

void __wrap_free(void *p)
{
	live -= !!p;
	__real_free(p);
}

struct world {
	struct forest f;
	struct filesystem fs;
	struct snapshot send, parent;
	struct subvolume sv, base;
};

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

/* Directories that change places, a file that takes another's name, and what is new and gone. */
static void make_world(struct world *w)
{
	*w = (struct world){0};
	forest_init(&w->f, 1 << 20);
	w->fs = (struct filesystem){.volume = w->f.volume,
				    .facts = volume_facts(w->f.volume),
				    .cache = w->f.cache,
				    .memory = 1 << 20,
				    .root_tree = forest_tree(&w->f, ROOT_TREE_BLOCK, ROOT_TREE_OBJECTID, 0)};
	forest_leaf(&w->f, ROOT_TREE_BLOCK, ROOT_TREE_OBJECTID, NULL, 0);
	w->send.transid = 9;
	w->parent.transid = 8;
	snapshot_inode(&w->send, TOP, 5, S_IFDIR | 0755, 0);
	snapshot_inode(&w->parent, TOP, 5, S_IFDIR | 0755, 0);
	dir(&w->parent, 257, TOP, "a");
	dir(&w->parent, 258, 257, "b");
	file(&w->parent, 259, 258, "f");
	file(&w->parent, 262, TOP, "g");
	dir(&w->parent, 263, TOP, "gone");
	file(&w->parent, 264, 263, "gone");
	dir(&w->send, 257, 258, "a");
	dir(&w->send, 258, TOP, "b");
	file(&w->send, 259, TOP, "g");
	file(&w->send, 262, 257, "f");
	dir(&w->send, 265, 257, "new");
	file(&w->send, 266, 265, "new");
	w->sv = (struct subvolume){.id = SEND, .root_dirid = TOP, .tree = snapshot_write(&w->send, &w->f, SEND_BLOCK, SEND)};
	w->base = (struct subvolume){.id = PARENT,
				     .root_dirid = TOP,
				     .tree = snapshot_write(&w->parent, &w->f, PARENT_BLOCK, PARENT)};
}

static struct send_request request_of(const struct world *w)
{
	return (struct send_request){.subvolume = &w->sv,
				     .parent = &w->base,
				     .clones = &w->base,
				     .clone_count = 1,
				     .options = {.proto = 2},
				     .threads = 1};
}

static FILE *stream;

static int measure(struct world *w)
{
	const struct send_request r = request_of(w);
	struct send_measures m;

	return send_measure(&w->fs, &r, &m);
}

static int write_it(struct world *w)
{
	const struct send_request r = request_of(w);
	struct fd_sink sink;

	assert_int_equal(ftruncate(fileno(stream), 0), 0);
	assert_int_equal(lseek(fileno(stream), 0, SEEK_SET), 0);
	fd_sink_init(&sink, fileno(stream), "the stream");
	return send_subvolume(&w->fs, &r, &sink.sink, NULL);
}

static int compare(struct world *w)
{
	const struct send_request r = request_of(w);
	struct prefix x;
	int ret = prefix_init(&x, fileno(stream), "the stream");

	if (!ret)
		ret = send_compare(&w->fs, &r, &x);
	if (!ret)
		ret = prefix_finish(&x);
	prefix_release(&x);
	return ret;
}

static int differences(struct world *w)
{
	const struct content_options options = {.ranges = true};
	const struct change *change;
	const char *path, *from;
	struct comparison *c;
	int ret = comparison_new(&w->fs, &w->base, &w->sv, &options, &c);

	if (ret)
		return ret;
	while ((ret = comparison_next(c, &change, &path, &from)) > 0)
		;
	comparison_free(c);
	return ret;
}

static void fail_each(int (*what)(struct world *w))
{
	static struct world w;
	bool reached = true;
	long n;

	for (n = 0; reached; n++) {
		const size_t before = live;
		int ret;

		make_world(&w);
		error_set(EIO, "an older failure");
		countdown = n;
		ret = what(&w);
		reached = countdown < 0;
		countdown = -1;
		/* Some can be done without: a table that does not grow, a cache. */
		if (ret) {
			assert_int_equal(ret, -ENOMEM);
			assert_non_null(strstr(error_message(), "out of memory asking for "));
			assert_null(strstr(error_message(), "an older failure"));
		}
		forest_release(&w.f);
		assert_int_equal(live, before);
	}
	assert_true(n > 10);
}

static void test_measure(void **state)
{
	fail_each(measure);
}

static void test_write(void **state)
{
	fail_each(write_it);
}

static void test_compare(void **state)
{
	static struct world w;

	make_world(&w);
	assert_ok(write_it(&w));
	forest_release(&w.f);
	fail_each(compare);
}

static void test_differences(void **state)
{
	fail_each(differences);
}

static int open_stream(void **state)
{
	countdown = -1;
	stream = tmpfile();
	return !stream;
}

static int close_stream(void **state)
{
	return fclose(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_differences),
	};

	return cmocka_run_group_tests(tests, open_stream, close_stream);
}
