/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksums of data, as they stand in the csum tree. */
#ifndef BTRFLY_FILES_CSUM_H
#define BTRFLY_FILES_CSUM_H

#include "files/filesystem.h"

/* A place in the csum tree; one thread's. */
struct csum_finder {
	struct filesystem *fs;
	struct cursor cursor;
	u64 logical; /* of the first sector of the item under the cursor */
	u64 count;   /* of its sums, 0: the cursor stands nowhere */
	const u8 *sums;
};

void csum_finder_init(struct csum_finder *f, struct filesystem *fs);
void csum_finder_release(struct csum_finder *f);

/*
 * The checksums of the sectors from @logical on: *@sums, and in *@count how many of them lie there, at least
 * one; valid until the finder is used again.  What follows on the last call's is found without a search.
 * -EIO with a sentence if the sector has no checksum.
 */
int csum_find(struct csum_finder *f, u64 logical, const u8 **sums, u64 *count);

#endif
