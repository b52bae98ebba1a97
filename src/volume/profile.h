/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The RAID profiles: how many stripes a chunk has and what they hold. */
#ifndef BTRFLY_VOLUME_PROFILE_H
#define BTRFLY_VOLUME_PROFILE_H

#include "format/chunk.h"

struct profile {
	u64 flag; /* BLOCK_GROUP_…, 0 for single */
	const char *name;
	u16 stripes_min;
	u16 stripes_max; /* 0: no limit but the item's size */
	u8 copies;       /* of each byte; also the stripes that a column of RAID10 has */
	u8 parity;       /* stripes of a row that hold no data */
	bool striped;    /* consecutive STRIPE_LEN pieces lie on different columns */
};

/* The profile of a chunk's type; NULL if its profile bits are none that is known. */
const struct profile *profile_of(u64 type);

#endif
