/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream applied to a plain directory on tmpfs, as an ordinary user.  Beside that directory lies another
 * one, to which nothing may happen: it is looked at behind every stream.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/applier.h"
#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "repair.h"
#include "stream/decode.h"

#define NOBODY 65534
#define FILE_SIZE_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char base[] = "/dev/shm/btrfly-fuzz-XXXXXX";
static int base_fd;
static struct host host;
static struct stat outside_was, file_was;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz-receive: %s\n", what);
	abort();
}

static void remove_base(void)
{
	if (chdir("/"))
		return;
	tree_remove(&host, base_fd, "dir");
	tree_remove(&host, base_fd, "outside");
	rmdir(base);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct rlimit file_size = {FILE_SIZE_MAX, FILE_SIZE_MAX};
	int fd;

	if (!geteuid())
		must(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
	signal(SIGXFSZ, SIG_IGN);
	must(!setrlimit(RLIMIT_FSIZE, &file_size), "setrlimit");
	must(mkdtemp(base) && !chdir(base), "mkdtemp");
	host_init(&host);
	base_fd = open(".", O_RDONLY | O_DIRECTORY);
	must(!mkdir("outside", 0755), "mkdir");
	fd = open("outside/file", O_WRONLY | O_CREAT, 0600);
	must(write(fd, "untouched", 9) == 9, "write");
	close(fd);
	must(!stat("outside", &outside_was) && !stat("outside/file", &file_was), "stat");
	atexit(remove_base);
	return 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_nlink == b->st_nlink && a->st_size == b->st_size &&
	       a->st_uid == b->st_uid && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look_outside(void)
{
	struct stat st;
	struct dirent *e;
	DIR *d = opendir(".");
	int names = 0;

	must(!stat("outside", &st) && same(&st, &outside_was), "the directory outside was changed");
	must(!stat("outside/file", &st) && same(&st, &file_was), "the file outside was changed");
	while ((e = readdir(d)))
		names++;
	closedir(d);
	must(names == 4, "something was made outside"); /* ".", "..", dir and outside */
}

/* Flags that forbid its removal come back off: an ordinary user cannot have set any. */
static void apply(struct target *t, u8 *data, size_t size)
{
	static struct applier a;
	struct stream_decoder d;

	applier_init(&a, t);
	stream_decoder_init(&d);
	for (size_t at = 0, used; at < size && !d.lost; at += used) {
		int ret = stream_decoder_feed(&d, data + at, size - at, &used);

		if (ret == STREAM_COMMAND)
			ret = applier_command(&a, &d.command);
		if (ret < 0)
			applier_passed_over(&a);
	}
	stream_decoder_release(&d);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct receive_options options = {0};
	struct target *t;

	if (!size)
		return 0;
	options.sparse = data[0] & 1;
	options.strict = data[0] & 2;
	options.resume = data[0] & 4;

	u8 *copy = malloc(size);

	memcpy(copy, data + 1, size - 1);
	repair_stream(copy, size - 1);
	must(!mkdir("dir", 0755), "mkdir dir");
	must(!directory_target_new(&t, open("dir", O_RDONLY | O_DIRECTORY), &options), "target");
	apply(t, copy, size - 1);
	t->ops->free(t);
	free(copy);
	look_outside();
	must(!tree_remove(&host, base_fd, "dir"), "cannot remove the tree");
	return 0;
}
