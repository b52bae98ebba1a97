/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A comparison under way: what its rooms share. */
#ifndef BTRFLY_COMPARE_COMPARISON_H
#define BTRFLY_COMPARE_COMPARISON_H

#include "compare/compare.h"
#include "compare/names.h"

struct comparison {
	struct arena arena; /* of nodes, directories, changes and ranges */
	struct paths paths;
	struct side old, new;
	struct content content;

	/* The inode at hand. */
	u64 ino; /* 0: none yet */
	bool old_here, new_here;
	bool same; /* in both, and one and the same */
	struct inode old_inode, new_inode;
	u32 metadata;
	struct names lost, gained;

	struct names lost_subvolumes, gained_subvolumes;

	/* The last directory of which was asked whether it is the same in both. */
	u64 parent;
	bool parent_same;

	/* The changes as they are given out. */
	struct path_node *node; /* NULL: behind the last */
	struct change *next;
	struct buffer path, from;
};

/* One item of the difference; NULL on the side that has none. */
struct item_pair {
	struct key key;
	const void *old, *new;
	u32 old_size, new_size;
	bool equal;
};

/* --- inode.c: the inode at hand --- */

int comparison_begin_inode(struct comparison *c, const struct item_pair *p);
int comparison_inode_item(struct comparison *c, const struct item_pair *p);
int comparison_finish_inode(struct comparison *c);

/* Put what the inode at hand is before the sentence: its path, if that can be had. */
int comparison_inode_failed(struct comparison *c, int ret);

/* --- changes.c --- */

/*
 * Names lost become removals, names gained additions; if it is the @same thing that has them, what is @lost
 * and what is @gained is a rename first.
 */
int comparison_add_names(struct comparison *c, struct name *lost, size_t lost_count, struct name *gained,
			 size_t gained_count, bool same, const struct change *removed,
			 const struct change *now);

/* The inode at hand was modified: a change for each of its names that has none. */
int comparison_add_modified(struct comparison *c, const struct change *what);

#endif
