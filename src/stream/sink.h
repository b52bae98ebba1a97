/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the bytes of a stream go. */
#ifndef BTRFLY_STREAM_SINK_H
#define BTRFLY_STREAM_SINK_H

#include "base/types.h"

struct sink {
	/* Take all @len bytes: 0 or a negative errno with a sentence. */
	int (*write)(struct sink *s, const void *buf, size_t len);
};

/* A file descriptor; @name is for messages and must outlive it. */
struct fd_sink {
	struct sink sink;
	int fd;
	const char *name;
};

void fd_sink_init(struct fd_sink *s, int fd, const char *name);

#endif
