/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int buffer_reserve(struct buffer *b, size_t more)
{
	if (more <= b->capacity - b->len)
		return 0;
	if (more > SIZE_MAX / 2 - b->len)
		return error_nomem(more);

	size_t want = b->len + more;
	size_t capacity = b->capacity ? b->capacity : 256;

	while (capacity < want)
		capacity *= 2;

	u8 *data = realloc(b->data, capacity);

	if (!data)
		return error_nomem(capacity);
	b->data = data;
	b->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *b, const void *data, size_t len)
{
	int ret = buffer_reserve(b, len);

	if (ret)
		return ret;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

void buffer_release(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){0};
}
