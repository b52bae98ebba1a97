/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exchange A B: two names change places in one step, whatever they name. */
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: exchange A B\n", stderr);
		return 2;
	}
	if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE)) {
		perror("exchange");
		return 1;
	}
	return 0;
}
