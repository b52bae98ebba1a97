/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * slurp: read ranges of a file one after the other, at most 1 MiB at a time, and do nothing with them:
 * what reading the same bytes costs at least.  Lines "OFFSET LENGTH" come on standard input.
 *
 *   slurp [-d] FILE
 *
 * -d reads around the page cache (O_DIRECT); offsets and lengths must suit it.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (1 << 20)

int main(int argc, char **argv)
{
	int option, flags = O_RDONLY;
	uint64_t offset, length;
	void *piece;

	while ((option = getopt(argc, argv, "d")) != -1) {
		if (option != 'd')
			return 2;
		flags |= O_DIRECT;
	}
	if (optind + 1 != argc)
		errx(2, "usage: slurp [-d] FILE <RANGES");
	int fd = open(argv[optind], flags);
	if (fd < 0)
		err(1, "%s", argv[optind]);
	if (posix_memalign(&piece, 4096, PIECE))
		errx(1, "no memory");
	while (scanf("%" SCNu64 " %" SCNu64, &offset, &length) == 2) {
		while (length) {
			ssize_t n = pread(fd, piece, length < PIECE ? length : PIECE, offset);
			if (n < 0)
				err(1, "%s at %" PRIu64, argv[optind], offset);
			if (!n)
				errx(1, "%s ends before %" PRIu64, argv[optind], offset);
			offset += n;
			length -= n;
		}
	}
	return 0;
}
