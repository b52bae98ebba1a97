/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories whose move, or removal, must wait for another directory's move. */
#ifndef BTRFLY_SEND_MOVES_H
#define BTRFLY_SEND_MOVES_H

#include "send/plan.h"

/* A directory that waits for the move of another one. */
struct waiting_move {
	struct map_node node; /* by its inode number */
	u64 rmdir_ino, rmdir_gen; /* a directory that can go once this one has moved; 0: none */
	bool orphanized;
};

/* A deleted directory that is not empty yet; it goes by its orphan name. */
struct orphan_dir {
	struct map_node node; /* by its inode number */
	u64 gen;
	u64 last_index;  /* entries before this one are known to be gone */
	u64 highest_ino; /* no use looking before this inode is processed */
};

struct waiting_move *plan_waiting_move(const struct send_plan *p, u64 ino);
struct orphan_dir *plan_waiting_rmdir(const struct send_plan *p, u64 ino, u64 gen);

/* Whether directory @dir, gone from the send snapshot, can be removed now: 1, 0 (it is remembered, to be
 * asked for again), or an error. */
int plan_can_rmdir(struct send_plan *p, u64 dir, u64 gen);

/* Whether moving the current inode to @ref must wait, for the directory that still has the name there or
 * for one above.  1: it must, and has been put down as pending; 0; or an error. */
int plan_wait_for_name(struct send_plan *p, const struct ref *ref, bool is_orphan);
int plan_wait_for_parent(struct send_plan *p, const struct ref *ref, bool is_orphan);

/* Whether inode @ino1 is above @ino2 in a snapshot, by any of its names: 1, 0, or an error. */
int plan_is_ancestor(struct plan_root *r, u64 ino1, u64 gen1, u64 ino2);

/* The current inode is in its place: make the moves that waited for it, and those that waited for them. */
int plan_apply_moves(struct send_plan *p);

/* -EIO with a sentence if a move still waits at the end of the stream. */
int plan_moves_check_done(const struct send_plan *p);
void plan_moves_release(struct send_plan *p);

#endif
