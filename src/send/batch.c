/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/batch.h"

#include <stdlib.h>

#include "base/error.h"

void batch_clear(struct batch *b)
{
	buffer_clear(&b->bytes);
	b->op_count = 0;
	b->slice_count = 0;
	b->data_bytes = 0;
}

void batch_release(struct batch *b)
{
	buffer_release(&b->bytes);
	free(b->ops);
	free(b->slices);
	*b = (struct batch){0};
}

static int grow(void **array, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return 0;

	size_t bigger = *capacity ? *capacity * 2 : 256;
	void *p = realloc(*array, bigger * size);

	if (!p)
		return error_nomem(bigger * size);
	*array = p;
	*capacity = bigger;
	return 0;
}

int batch_add(struct batch *b, size_t start, u16 cmd, const struct slice *s, u32 data_len)
{
	int ret = grow((void **)&b->ops, &b->op_capacity, b->op_count, sizeof(*b->ops));

	if (!ret && s)
		ret = grow((void **)&b->slices, &b->slice_capacity, b->slice_count,
			   sizeof(*b->slices));
	if (ret)
		return ret;

	struct op *op = &b->ops[b->op_count++];

	*op = (struct op){.at = start,
			  .len = (u32)(b->bytes.len - start),
			  .data_len = data_len,
			  .slice = NO_SLICE,
			  .cmd = cmd};
	if (s) {
		op->slice = (u32)b->slice_count;
		b->slices[b->slice_count++] = *s;
	}
	b->data_bytes += data_len;
	return 0;
}
