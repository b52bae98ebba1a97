/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * List the subvolumes of an image, or write the send stream of one of them to standard output.
 *
 *   cc example.c $(pkg-config --cflags --libs libbtrfly)
 *   ./a.out IMAGE [SUBVOL [PARENT]]
 */
#include <btrfly.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static int print(void *arg, const struct btrfly_subvolume *s)
{
	printf("%" PRIu64 " %s%s\n", s->id, s->path, s->read_only ? " (read-only)" : "");
	return 0;
}

static int put(void *arg, const void *data, size_t len)
{
	return fwrite(data, 1, len, arg) == len ? 0 : -errno;
}

static int run(const char *image, const char *subvolume, const char *parent)
{
	struct btrfly_filesystem *fs;
	int ret = btrfly_open(&image, 1, NULL, &fs);

	if (ret)
		return ret;
	if (subvolume) {
		struct btrfly_send_args args = BTRFLY_SEND_ARGS;

		args.subvolume = subvolume;
		args.parent = parent;
		args.write = put;
		args.arg = stdout;
		ret = btrfly_send(fs, &args);
	} else {
		ret = btrfly_subvolume_each(fs, print, NULL);
	}
	btrfly_close(fs);
	return ret;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (run(argv[1], argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL)) {
		fprintf(stderr, "example: %s\n", btrfly_error());
		return 1;
	}
	return 0;
}
