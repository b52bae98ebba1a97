/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many pieces of memory of one size, cut from slabs that may be huge pages: a tree block that is
 * read costs less than the page faults of its memory would.  Slabs are kept until the pool is
 * released.  Not thread-safe.
 */
#ifndef BTRFLY_BASE_POOL_H
#define BTRFLY_BASE_POOL_H

#include "base/types.h"

#define POOL_SLAB (2u << 20)
#define POOL_ALIGN 64u

struct pool {
	size_t size; /* of a piece, a multiple of POOL_ALIGN */
	void *unused;
	void *slabs;
	size_t cut; /* bytes of the newest slab that have been cut up */
};

/* @size: at most POOL_SLAB / 2. */
void pool_init(struct pool *p, size_t size);
void *pool_get(struct pool *p); /* NULL where there is no memory; not zeroed */
void pool_put(struct pool *p, void *piece);
void pool_release(struct pool *p); /* and every piece with it */

#endif
