/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for many small things that are given back all at once.  Zero-initialised is empty and valid. */
#ifndef BTRFLY_BASE_ARENA_H
#define BTRFLY_BASE_ARENA_H

#include "base/types.h"

struct arena {
	struct arena_block *blocks; /* newest first */
	u8 *at;                     /* free bytes of the newest, or of the last that was not made to measure */
	size_t left;
};

/* @size bytes of zeros, aligned for any type, until the arena is released.  NULL, with a sentence, if
 * there is no memory. */
void *arena_alloc(struct arena *a, size_t size);
void arena_release(struct arena *a);

#endif
