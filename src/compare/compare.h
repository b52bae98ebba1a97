/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changed between two subvolumes of one filesystem, path by path.
 *
 * A file, directory, … is the same in both if its inode number, generation, time of birth and type are; if not,
 * one was removed and another one added, even under the same path.  What is the same and has other names was
 * renamed, or linked or unlinked; what only lies in a directory that was renamed was not.  Subvolumes in
 * the two are names, and are not entered.
 *
 * The cost follows the size of the difference: tree blocks that both share are passed over whole.  What is
 * kept in memory is a line for each path that changed, with the names of the directories above.
 *
 * Rooms: compare.c (the walk through the difference), inode.c (the inode at hand), content.c (bytes of files),
 * metadata.c (what else of an inode), names.c (names lost and gained), changes.c (what becomes of them),
 * side.c (one of the subvolumes), paths.c (the tree of paths, and their order).
 */
#ifndef BTRFLY_COMPARE_COMPARE_H
#define BTRFLY_COMPARE_COMPARE_H

#include "compare/content.h"
#include "compare/metadata.h"
#include "files/subvolume.h"

enum change_kind {
	CHANGE_REMOVED,
	CHANGE_ADDED,    /* or a further link to what was there before */
	CHANGE_RENAMED,  /* content and metadata may be other ones, too */
	CHANGE_MODIFIED, /* content or metadata, or both */
};

struct change {
	struct change *next;    /* of the same path */
	struct path_node *from; /* of what was renamed */
	u64 ino;                /* or the subvolume's id */
	u32 mode;               /* 0 for a subvolume */
	u32 metadata;           /* METADATA_…; without the mtime where the content changed, too */
	u8 kind;
	bool content;
	size_t range_count;
	const struct byte_range *ranges;
};

struct comparison;

/* Compare all of @old and @new.  @fs must outlive the comparison. */
int comparison_new(struct filesystem *fs, const struct subvolume *old, const struct subvolume *new,
		   const struct content_options *options, struct comparison **out);
void comparison_free(struct comparison *c); /* NULL is fine */

/*
 * The changes, by path: a directory comes before what is in it, neighbours are ordered by the bytes of their
 * names, and what was removed comes before what was added in its place.  1 with *@change, its *@path and, if
 * it was renamed, *@from, good until the next call; 0 behind the last; or an error.
 */
int comparison_next(struct comparison *c, const struct change **change, const char **path, const char **from);

#endif
