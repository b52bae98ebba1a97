/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an inode is called at this point of the stream. */
#ifndef BTRFLY_SEND_NAMES_H
#define BTRFLY_SEND_NAMES_H

#include "send/plan.h"

enum inode_state {
	INODE_NO_CHANGE,
	INODE_WILL_CREATE,
	INODE_DID_CREATE,
	INODE_WILL_DELETE,
	INODE_DID_DELETE,
};

/* The state (an enum inode_state) of inode @ino of generation @gen at the receiver, -ENOENT with a
 * sentence if neither snapshot has it, or an error.  @send_gen and @parent_gen, where not NULL,
 * get its generation in each snapshot, 0 if it is not there. */
int plan_inode_state(struct send_plan *p, u64 ino, u64 gen, u64 *send_gen, u64 *parent_gen);

/* "o<ino>-<gen>-<n>", a name that the top directory of neither snapshot has; added to @dest. */
int plan_orphan_name(struct send_plan *p, u64 ino, u64 gen, struct path *dest);

/* The first name of an inode: 0, -ENOENT without a sentence, or an error.  @dir_gen may be NULL. */
int plan_first_ref(struct plan_root *r, u64 ino, u64 *dir, u64 *dir_gen, struct path *name);

/* Whether @name in @dir is the inode's first name: 1, 0, or an error. */
int plan_is_first_ref(struct send_plan *p, struct plan_root *r, u64 ino, u64 dir, const char *name,
		      u32 len);

/* Whether a new name takes the place of one that an inode not yet processed still has at the receiver:
 * 1 with that inode, 0, or an error. */
int plan_will_overwrite(struct send_plan *p, u64 dir, u64 dir_gen, const char *name, u32 len,
			u64 *who, u64 *who_gen, u32 *who_mode);

/* Whether the name that inode @ino had has been taken by an inode processed before: 1, 0, or an error. */
int plan_did_overwrite(struct send_plan *p, u64 dir, u64 dir_gen, u64 ino, u64 gen, const char *name,
		       u32 len);

/* The same for the first name that the inode has in the parent snapshot. */
int plan_did_overwrite_first(struct send_plan *p, u64 ino, u64 gen);

/* Last part of an inode's current name and where it hangs.  0; 1 if it is an orphan name, which
 * hangs in the top directory and ends the path; or an error. */
int plan_name_and_parent(struct send_plan *p, u64 ino, u64 gen, u64 *dir, u64 *dir_gen,
			 struct path *name);

/* Forget the cached name of an inode that has just been given an orphan name. */
void plan_forget_name(struct send_plan *p, u64 ino, u64 gen);

/* The path of an inode as the receiver has it now. */
int plan_path(struct send_plan *p, u64 ino, u64 gen, struct path *dest);

/* The current inode's path, kept until it changes. */
int plan_current_path(struct send_plan *p, const struct path **out);

/* Begin a command whose first attribute is the current inode's path. */
int plan_begin_here(struct send_plan *p, struct encoder *c, u16 cmd);

/* The path of an inode in a snapshot, by first names; for clone sources. */
int plan_snapshot_path(struct plan_root *r, u64 ino, struct path *dest);

void plan_names_release(struct send_plan *p);

#endif
