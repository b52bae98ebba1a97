/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* List the subvolumes of an image:  cc example.c $(pkg-config --cflags --libs libbtrfly) */
#include <btrfly.h>
#include <inttypes.h>
#include <stdio.h>

static int print(void *arg, const struct btrfly_subvolume *s)
{
	printf("%" PRIu64 " %s%s\n", s->id, s->path, s->read_only ? " (read-only)" : "");
	return 0;
}

int main(int argc, char **argv)
{
	struct btrfly_filesystem *fs;

	if (argc < 2)
		return 2;
	if (btrfly_open((const char *const *)argv + 1, argc - 1, NULL, &fs) < 0) {
		fprintf(stderr, "example: %s\n", btrfly_error());
		return 1;
	}
	int ret = btrfly_subvolume_each(fs, print, NULL);

	if (ret < 0)
		fprintf(stderr, "example: %s\n", btrfly_error());
	btrfly_close(fs);
	return ret < 0;
}
