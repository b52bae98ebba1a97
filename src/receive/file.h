/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Content of one open file: written, made sparse, copied.  Each returns 0, or a negative errno with a
 * sentence.  A call that a signal interrupts is made again. */
#ifndef BTRFLY_RECEIVE_FILE_H
#define BTRFLY_RECEIVE_FILE_H

#include "receive/host.h"

int file_size(struct host *host, int fd, u64 *size);
int file_write(struct host *host, int fd, const void *data, u64 len, u64 offset);

int file_truncate(struct host *host, int fd, u64 size);

/* At least @size bytes long; what is new is a hole. */
int file_extend(struct host *host, int fd, u64 size);

/* fallocate(); its errno has no sentence, for it may only mean that the filesystem cannot. */
int file_allocate(struct host *host, int fd, int mode, u64 offset, u64 len);

/* What is known of a filesystem, and kept, from one file to the next. */
struct file_copier {
	struct host *host;
	bool no_holes; /* it was found to have none */
	char *room;    /* for what the kernel cannot copy; made when it is needed first */
};

static inline void file_copier_init(struct file_copier *c, struct host *host)
{
	*c = (struct file_copier){.host = host};
}

void file_copier_release(struct file_copier *c);

/* Zeros in [@offset, @offset + @len) as far as the file goes: a hole, or written where there are none. */
int file_make_hole(struct file_copier *c, int fd, u64 offset, u64 len);

/* [@from, @from + @len) of @source, which is that long, to @to.  Holes stay holes. */
int file_copy(struct file_copier *c, int source, u64 from, u64 len, int fd, u64 to);

#endif
