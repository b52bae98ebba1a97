/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/arena.h"

#include <stdlib.h>

#include "base/error.h"

#define BLOCK_SIZE (1u << 16)

struct arena_block {
	struct arena_block *next;
	_Alignas(max_align_t) u8 bytes[];
};

static struct arena_block *add_block(struct arena *a, size_t size)
{
	struct arena_block *b = size <= SIZE_MAX - sizeof(*b) ? calloc(1, sizeof(*b) + size) : NULL;

	if (!b) {
		error_nomem(size);
		return NULL;
	}
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);

	/* What would waste much of a block gets one of its own. */
	if (size > BLOCK_SIZE / 4) {
		struct arena_block *b = add_block(a, size);

		return b ? b->bytes : NULL;
	}
	size = align_up(size, align);
	if (size > a->left) {
		struct arena_block *b = add_block(a, BLOCK_SIZE);

		if (!b)
			return NULL;
		a->at = b->bytes;
		a->left = BLOCK_SIZE;
	}

	void *p = a->at;

	a->at += size;
	a->left -= size;
	return p;
}

void arena_release(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}
