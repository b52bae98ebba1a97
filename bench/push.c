/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * push: write MIB MiB to standard output as fast as it takes them, 1 MiB at a time, always the same
 * memory: what a pipe and its reader can do at best.
 *
 *   push [-p PIPESIZE] [-v] MIB
 *
 * -v gives the pipe the pages themselves (vmsplice) instead of a copy.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECE (1 << 20)

int main(int argc, char **argv)
{
	bool splice = false;
	int option, pipe_size = 0;

	while ((option = getopt(argc, argv, "p:v")) != -1) {
		if (option == 'p')
			pipe_size = atoi(optarg);
		else if (option == 'v')
			splice = true;
		else
			return 2;
	}
	if (optind + 1 != argc)
		errx(2, "usage: push [-p PIPESIZE] [-v] MIB");
	if (pipe_size && fcntl(STDOUT_FILENO, F_SETPIPE_SZ, pipe_size) < 0)
		err(1, "pipe size");

	char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (piece == MAP_FAILED)
		err(1, "memory");
	memset(piece, 0xa5, PIECE);
	for (long left = atol(argv[optind]); left > 0; left--) {
		for (size_t done = 0; done < PIECE;) {
			struct iovec rest = {piece + done, PIECE - done};
			ssize_t n = splice ? vmsplice(STDOUT_FILENO, &rest, 1, 0)
					   : write(STDOUT_FILENO, rest.iov_base, rest.iov_len);
			if (n < 0)
				err(1, "write");
			done += n;
		}
	}
	return 0;
}
