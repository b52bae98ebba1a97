/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A byte buffer that grows.  Zero-initialised is empty and valid. */
#ifndef BTRFLY_BASE_BUFFER_H
#define BTRFLY_BASE_BUFFER_H

#include "base/types.h"

struct buffer {
	u8 *data;
	size_t len;
	size_t capacity;
};

/* Make room for @more bytes behind len; 0 or -ENOMEM.  Pointers into data become invalid. */
int buffer_reserve(struct buffer *b, size_t more);

/* Append; 0 or -ENOMEM, and then the buffer is as it was. */
int buffer_append(struct buffer *b, const void *data, size_t len);

static inline void buffer_clear(struct buffer *b) { b->len = 0; }
void buffer_release(struct buffer *b);

#endif
