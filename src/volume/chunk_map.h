/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chunks of a filesystem, by logical address. */
#ifndef BTRFLY_VOLUME_CHUNK_MAP_H
#define BTRFLY_VOLUME_CHUNK_MAP_H

#include "format/chunk.h"
#include "volume/profile.h"

struct chunk_stripe {
	u64 devid;
	u64 physical;
	u8 dev_uuid[UUID_SIZE];
};

struct chunk {
	u64 logical;
	u64 length;
	u64 type;
	const struct profile *profile;
	u32 columns; /* that hold data, in one row */
	u32 stripe_count;
	u64 stripe_length; /* bytes of each stripe on its device */
	struct chunk_stripe stripes[];
};

/* Sorted by logical, without overlap. */
struct chunk_map {
	struct chunk **chunks;
	size_t count, capacity;
};

/* Check a chunk item whole and translate it; the caller frees *@out. */
int chunk_decode(u64 logical, const void *item, size_t size, u32 sectorsize, bool mixed_groups,
		 struct chunk **out);

/* Takes @chunk over, also on failure.  One that is there already must be equal. */
int chunk_map_add(struct chunk_map *m, struct chunk *chunk);
void chunk_map_release(struct chunk_map *m);

/* The chunk that holds @logical, or NULL. */
const struct chunk *chunk_map_find(const struct chunk_map *m, u64 logical);

/* Where @offset, counted from the start of the chunk, lies: its first copy is stripe @stripe and the others
 * follow it, each at @physical bytes into its stripe, and @length bytes are contiguous. */
struct chunk_place {
	u32 stripe;
	u64 physical;
	u64 length;
};

struct chunk_place chunk_locate(const struct chunk *c, u64 offset);

#endif
