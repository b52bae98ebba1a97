/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One tree block: whether its bytes may be believed, and where in it a key lies. */
#ifndef BTRFLY_TREE_BLOCK_H
#define BTRFLY_TREE_BLOCK_H

#include "tree/extent_buffer.h"

/* Check all of @eb->data that does not depend on who asks, and fill in the other fields of @eb.
 * -EIO with a sentence. */
int block_check(const struct volume_facts *f, u64 logical, struct extent_buffer *eb);

/* Check a block that has passed block_check() against what its parent says of it. */
int block_check_expected(const struct extent_buffer *eb, const struct block_expect *want);

/* The first slot whose key is not less than @k (nritems if there is none), and whether it is equal. */
u32 block_search(const struct extent_buffer *eb, const struct key *k, bool *equal);

#endif
