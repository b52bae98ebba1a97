/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clonerange SOURCE OFFSET LENGTH DEST OFFSET...: share a range of one file with places in another, which is made
 * if it is not there.  Length 0 is up to the source's end. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct file_clone_range range = {0};
	int dest;

	if (argc < 6) {
		fputs("usage: clonerange SOURCE OFFSET LENGTH DEST OFFSET...\n", stderr);
		return 2;
	}
	range.src_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	range.src_offset = strtoull(argv[2], NULL, 0);
	range.src_length = strtoull(argv[3], NULL, 0);
	dest = open(argv[4], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (range.src_fd < 0 || dest < 0) {
		perror(range.src_fd < 0 ? argv[1] : argv[4]);
		return 1;
	}
	for (int i = 5; i < argc; i++) {
		range.dest_offset = strtoull(argv[i], NULL, 0);
		if (ioctl(dest, FICLONERANGE, &range)) {
			perror("clonerange");
			return 1;
		}
	}
	return 0;
}
