/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a received tree is, whatever it is called: whoever owns DIR can rename what lies there. */
#ifndef BTRFLY_RECEIVE_TREE_IDENTITY_H
#define BTRFLY_RECEIVE_TREE_IDENTITY_H

#include "receive/host.h"

/* All zero is none. */
struct tree_identity {
	u64 inode;
	u64 subvolume;	/* 0: it is no subvolume's root */
	u32 generation; /* of the inode, whose number may be used again; 0: not known */
};

/* Of the directory that is open as @root.  0 or a negative errno with an error message. */
int tree_identify(struct tree_identity *id, struct host *h, int root);

bool tree_identity_same(const struct tree_identity *a, const struct tree_identity *b);

/*
 * Whether it will be the same after the filesystem was mounted anew, 1 or 0: not every filesystem has numbers of its own.
 * Or a negative errno with an error message.
 */
int tree_identity_lasts(const struct tree_identity *id, struct host *h, int root);

#endif
