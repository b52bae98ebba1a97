/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subvolumes: their root items, their names, and how to find one. */
#ifndef BTRFLY_FILES_SUBVOLUME_H
#define BTRFLY_FILES_SUBVOLUME_H

#include "base/buffer.h"
#include "files/filesystem.h"
#include "files/inode.h"

struct subvolume {
	struct tree tree;
	u64 id;
	u64 root_offset; /* of the root item's key: the transaction that made a snapshot, 0 for others */
	u64 root_dirid;
	u64 generation;
	u64 ctransid, otransid, stransid, rtransid;
	u64 last_snapshot;
	u64 flags; /* ROOT_SUBVOL_… */
	u32 refs;
	u8 uuid[UUID_SIZE], parent_uuid[UUID_SIZE], received_uuid[UUID_SIZE];
	struct timestamp ctime, otime, stime, rtime;
	u64 parent_id; /* of the subvolume that holds its name; 0: the top level, or the name is lost */
	u64 dirid;     /* of the directory in the parent that holds its name */
	char name[NAME_LEN_MAX + 1]; /* "" for the top level */
};

/* Subvolume @id; -ENOENT with a sentence if there is none. */
int subvolume_get(struct filesystem *fs, u64 id, struct subvolume *out);

/* By a user's word: a path from the top level ("snaps/today", "/" the top level itself), else a number
 * (a path that is there wins over a number). */
int subvolume_find(struct filesystem *fs, const char *word, struct subvolume *out);

/* The path from the top level, without a leading slash and NUL-terminated ("" for the top level). */
int subvolume_path(struct filesystem *fs, const struct subvolume *s, struct buffer *out);

/* Call @each for every subvolume but the top level, by rising id; a nonzero return stops and is returned. */
int subvolume_each(struct filesystem *fs,
		   int (*each)(const struct subvolume *s, const char *path, void *arg), void *arg);

#endif
