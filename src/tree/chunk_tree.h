/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chunk tree: the whole map from logical addresses to devices. */
#ifndef BTRFLY_TREE_CHUNK_TREE_H
#define BTRFLY_TREE_CHUNK_TREE_H

#include "tree/cursor.h"

/* Give the volume under @t, which can find the chunk tree itself alone, every device and chunk. */
int chunk_tree_load(const struct tree *t);

#endif
