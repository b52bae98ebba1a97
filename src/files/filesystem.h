/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open filesystem: its volume, its cache of tree blocks, and the way to each of its trees. */
#ifndef BTRFLY_FILES_FILESYSTEM_H
#define BTRFLY_FILES_FILESYSTEM_H

#include "tree/cursor.h"

struct filesystem_options {
	size_t memory; /* bytes, for everything whose size could be another one; 0: 256 MiB */
};

struct filesystem {
	size_t memory; /* what was granted; half of it is the cache of tree blocks */
	struct volume *volume;
	const struct volume_facts *facts;
	struct extent_cache *cache;
	struct tree chunk_tree;
	struct tree root_tree;
	struct tree extent_tree; /* logical 0: not there (only what needs it complains) */
	struct tree csum_tree;   /* likewise */
};

/* Open the devices at @paths (one filesystem), read-only.  Superblock, chunk tree and root tree are read. */
int filesystem_open(const char *const *paths, size_t count, const struct filesystem_options *options,
		    struct filesystem **out);
void filesystem_free(struct filesystem *fs); /* NULL is fine */

/* The tree with root item (@objectid ROOT_ITEM); -ENOENT with a sentence if there is none. */
int filesystem_tree(struct filesystem *fs, u64 objectid, struct tree *out);

#endif
