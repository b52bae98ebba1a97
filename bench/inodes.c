/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inodes: make COUNT empty files in DIRECTORY, 1,000 in each of as many subdirectories as that takes.
 *
 *   inodes DIRECTORY COUNT
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_ONE 1000

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: inodes DIRECTORY COUNT");
	if (chdir(argv[1]))
		err(1, "%s", argv[1]);
	long count = atol(argv[2]);
	int dir = -1;
	for (long i = 0; i < count; i++) {
		char name[64];
		if (i % IN_ONE == 0) {
			snprintf(name, sizeof(name), "directory-%05ld", i / IN_ONE);
			if (dir >= 0)
				close(dir);
			if (mkdir(name, 0755) || (dir = open(name, O_RDONLY | O_DIRECTORY)) < 0)
				err(1, "%s", name);
		}
		snprintf(name, sizeof(name), "file-%08ld.txt", i);
		if (mknodat(dir, name, S_IFREG | 0644, 0))
			err(1, "%s", name);
	}
	return 0;
}
