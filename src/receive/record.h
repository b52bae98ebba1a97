/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plain directory cannot hold itself: which received tree is which subvolume of the sender.
 * One small file DIR/.btrfly/UUID for each, written whole or not at all; the next incremental stream
 * finds its parent by it.  It consists of entries (receive/entry.h): what the tree is, what was noted of it, and
 * an ENTRY_RECEIVED.
 * Records that earlier versions wrote as text can be read, too.
 */
#ifndef BTRFLY_RECEIVE_RECORD_H
#define BTRFLY_RECEIVE_RECORD_H

#include <limits.h>

#include "receive/host.h"
#include "receive/notes.h"
#include "receive/tree_identity.h"

struct record {
	u8 uuid[16];
	u64 ctransid;
	bool without_data; /* its stream had none: nothing can build on it */
	bool trusted;	   /* its stream was: what --untrusted leaves out may be there */
	struct tree_identity tree; /* what the tree is; all zero where that does not last, or an earlier version wrote it */
	char name[NAME_MAX + 1]; /* of the tree in DIR: one name, never "." or ".." */
	struct tree_notes notes;
};

/* @dir is the open DIR.  0; -ENOENT if there is none, or another error, with an error message. */
int record_read(struct record *r, struct host *h, int dir, const u8 *uuid);

/* Write it, with @notes for its notes. */
int record_write(const struct record *r, const struct tree_notes *notes, struct host *h, int dir);
void record_release(struct record *r);

#endif
