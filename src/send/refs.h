/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the inode at hand: made, moved, linked, unlinked. */
#ifndef BTRFLY_SEND_REFS_H
#define BTRFLY_SEND_REFS_H

#include "send/plan.h"

/* Create the current inode, under its orphan name, unless it is a directory that has been made already. */
int plan_create_inode(struct send_plan *p);

/* An INODE_REF or INODE_EXTREF item of the current inode that is new, gone, or changed. */
int plan_ref_item(struct send_plan *p, enum diff_kind kind);

/* All names of the current inode, in the send snapshot as new (DIFF_NEW) or in the parent as
 * gone (DIFF_DELETED); they go out at once. */
int plan_all_refs(struct send_plan *p, enum diff_kind kind);

/* Whether names have been noted that have not gone out. */
static inline bool plan_has_refs(const struct send_plan *p)
{
	return !list_empty(&p->new_refs) || !list_empty(&p->deleted_refs);
}

/* Send what the noted names ask for.  *@pending is set if the inode is a directory whose move must wait. */
int plan_process_refs(struct send_plan *p, bool *pending);

/* For a names item that is equal in both snapshots: whether a directory that it names was deleted and made
 * anew, so that the name has changed after all.  1, 0, or an error. */
int plan_ref_dir_changed(struct send_plan *p);

int plan_refs_init(struct send_plan *p);
void plan_refs_release(struct send_plan *p);

#endif
