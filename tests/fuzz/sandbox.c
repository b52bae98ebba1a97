/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receive/tree_remove.h"

#define NOBODY 65534
#define FILE_SIZE_MAX (16u << 20)

static char base[] = "/dev/shm/btrfly-fuzz-XXXXXX";
static int base_fd;
static struct stat outside_was, file_was;
static struct host host;

void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* Flags that forbid its removal do not come up: an ordinary user cannot have set any. */
static void remove_dir(void)
{
	must(!tree_remove(&host, base_fd, "dir"), "cannot remove the tree");
}

static void remove_base(void)
{
	if (chdir("/"))
		return;
	remove_dir();
	tree_remove(&host, base_fd, "outside");
	rmdir(base);
}

void sandbox_init(void)
{
	const struct rlimit file_size = {FILE_SIZE_MAX, FILE_SIZE_MAX};
	int fd;

	if (!geteuid())
		must(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
	host_init(&host);
	signal(SIGXFSZ, SIG_IGN);
	must(!setrlimit(RLIMIT_FSIZE, &file_size), "setrlimit");
	must(mkdtemp(base) && !chdir(base), "mkdtemp");
	base_fd = open(".", O_RDONLY | O_DIRECTORY);
	must(!mkdir("outside", 0755), "mkdir");
	fd = open("outside/file", O_WRONLY | O_CREAT, 0600);
	must(write(fd, "untouched", 9) == 9, "write");
	close(fd);
	must(!stat("outside", &outside_was) && !stat("outside/file", &file_was), "stat");
	atexit(remove_base);
}

void sandbox_begin(void)
{
	must(!mkdir("dir", 0755), "mkdir dir");
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* A file that was never read shows the first time in its access time. */
static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_nlink == b->st_nlink && a->st_size == b->st_size &&
	       a->st_uid == b->st_uid && same_time(a->st_ctim, b->st_ctim) && same_time(a->st_atim, b->st_atim);
}

static void look_outside(void)
{
	struct stat st;
	struct dirent *e;
	DIR *d = opendir(".");
	int names = 0;

	must(!stat("outside", &st) && same(&st, &outside_was), "the directory outside was changed or read");
	must(!stat("outside/file", &st) && same(&st, &file_was), "the file outside was changed or read");
	while ((e = readdir(d)))
		names++;
	closedir(d);
	must(names == 4, "something was made outside"); /* ".", "..", dir and outside */
}

void sandbox_end(void)
{
	look_outside();
	remove_dir();
}
