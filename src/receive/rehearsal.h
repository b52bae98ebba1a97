/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream gone through without writing: every command's values and paths, that every parent and clone
 * source is here or was made before in the same input, that the new names are free.
 */
#ifndef BTRFLY_RECEIVE_REHEARSAL_H
#define BTRFLY_RECEIVE_REHEARSAL_H

#include "base/map.h"
#include "receive/applier.h"
#include "stream/pump.h"

struct rehearsal {
	struct stream_sink sink;
	struct target *target; /* NULL: what it holds is not asked for */
	struct map known;      /* uuids that were found, or made by the input */
	bool within;
	u64 count[STREAM_C_MAX + 1], bytes[STREAM_C_MAX + 1]; /* by command */
	u64 data;                                             /* bytes of files, as written */
	u64 subvolumes;
	struct tree_path path, other;
};

int rehearsal_init(struct rehearsal *r, struct target *t); /* 0 or -ENOMEM */
void rehearsal_release(struct rehearsal *r);

#endif
