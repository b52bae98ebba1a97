/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pool.h"

#include <stdlib.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, len) ((void)(p))
#define ASAN_UNPOISON_MEMORY_REGION(p, len) ((void)(p))
#endif

/* The first word of a slab, and of a piece that is not in use. */
struct link {
	struct link *next;
};

void pool_init(struct pool *p, size_t size)
{
	*p = (struct pool){.size = align_up(size, POOL_ALIGN), .cut = POOL_SLAB};
}

static bool add_slab(struct pool *p)
{
	struct link *slab = aligned_alloc(POOL_SLAB, POOL_SLAB);

	if (!slab)
		return false;
	/* A hint: where it is refused, pages of the usual size do. */
	madvise(slab, POOL_SLAB, MADV_HUGEPAGE);
	slab->next = p->slabs;
	p->slabs = slab;
	p->cut = POOL_ALIGN;
	return true;
}

void *pool_get(struct pool *p)
{
	struct link *piece = p->unused;

	if (piece) {
		ASAN_UNPOISON_MEMORY_REGION(piece, p->size);
		p->unused = piece->next;
		return piece;
	}
	if (p->cut + p->size > POOL_SLAB && !add_slab(p))
		return NULL;
	piece = (struct link *)((u8 *)p->slabs + p->cut);
	p->cut += p->size;
	return piece;
}

void pool_put(struct pool *p, void *piece)
{
	struct link *l = piece;

	l->next = p->unused;
	p->unused = l;
	ASAN_POISON_MEMORY_REGION(piece, p->size);
}

void pool_release(struct pool *p)
{
	struct link *slab = p->slabs;

	while (slab) {
		struct link *next = slab->next;

		ASAN_UNPOISON_MEMORY_REGION(slab, POOL_SLAB);
		free(slab);
		slab = next;
	}
	*p = (struct pool){0};
}
