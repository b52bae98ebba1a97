/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Content of one open file: written, made sparse, copied.  Each returns 0, or a negative errno with a
 * sentence. */
#ifndef BTRFLY_RECEIVE_FILE_H
#define BTRFLY_RECEIVE_FILE_H

#include "receive/host.h"

int file_size(struct host *host, int fd, u64 *size);
int file_write(struct host *host, int fd, const void *data, u64 len, u64 offset);

/* At least @size bytes long; what is new is a hole. */
int file_extend(struct host *host, int fd, u64 size);

/* Zeros in [@offset, @offset + @len) as far as the file goes: a hole, or written zeros once @no_holes
 * was found to be so. */
int file_make_hole(struct host *host, int fd, u64 offset, u64 len, bool *no_holes);

/* [@from, @from + @len) of @source, which is that long, to @to.  Holes stay holes. */
int file_copy(struct host *host, int source, u64 from, u64 len, int fd, u64 to, bool *no_holes);

#endif
