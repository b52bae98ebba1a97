/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the bytes of a stream go. */
#ifndef BTRFLY_STREAM_SINK_H
#define BTRFLY_STREAM_SINK_H

#include "base/types.h"

struct sink {
	/* Take all @len bytes: 0 or a negative errno with a sentence. */
	int (*write)(struct sink *s, const void *buf, size_t len);
	/* The same without a copy: the pages of @buf are the sink's from now on.  The caller may unmap them
	 * and may never write to them again.  NULL: the sink wants a copy. */
	int (*give)(struct sink *s, const void *buf, size_t len);
};

/*
 * A file descriptor; @name is for messages and must outlive it.  A pipe is made longer where it may be: its
 * two ends then wait for each other a sixteenth of the times.
 */
struct fd_sink {
	struct sink sink;
	int fd;
	const char *name;
};

void fd_sink_init(struct fd_sink *s, int fd, const char *name);

#endif
