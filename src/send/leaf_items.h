/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file extents of leaves, ready to be asked for one data extent after the other. */
#ifndef BTRFLY_SEND_LEAF_ITEMS_H
#define BTRFLY_SEND_LEAF_ITEMS_H

#include "send/plan.h"

/* An item that refers to a data extent. */
struct place {
	u64 leaf;
	u64 ino;
	u64 file_offset;
	u64 data_offset; /* into the extent */
	u64 num_bytes;
	bool encoded; /* compressed: its offset plays no part */
};

/* Translate the item if it refers to the extent at @bytenr: 1, 0, or an error. */
int place_of(struct filesystem *fs, const struct key *k, const void *item, u32 size, u64 leaf, u64 bytenr,
	     struct place *out);

struct leaf_items;

/* @extents: a cursor over the extent tree, which is moved. */
int leaf_items_new(struct filesystem *fs, struct cursor *extents, struct leaf_items **out);
void leaf_items_free(struct leaf_items *l); /* NULL is fine */

/*
 * The items in the leaf at @leaf that refer to the extent at @bytenr, in the leaf's order: their number, or an
 * error.  *@out is good until the next call.
 */
int leaf_items_find(struct leaf_items *l, u64 leaf, u64 bytenr, const struct place **out);

#endif
