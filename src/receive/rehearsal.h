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

/* A uuid that the input names or makes. */
struct known_uuid {
	struct map_node node; /* by the uuid's first eight bytes */
	u8 uuid[16];
	u64 ctransid;
	bool from_outside; /* it must be there already: a parent, or a source of clones */
};

struct rehearsal {
	struct stream_sink sink;
	struct target *target; /* NULL: what it holds is not asked for */
	struct map known;      /* struct known_uuid */
	bool within;
	u32 version;    /* of the last stream */
	u64 streams;
	u64 count[STREAM_C_MAX + 1], bytes[STREAM_C_MAX + 1]; /* by command */
	u64 data;                                             /* bytes of files, as written */
	u64 subvolumes;
	struct tree_path path, other;
};

/* What the input needs, in no order: start with NULL. */
const struct known_uuid *rehearsal_next_need(const struct rehearsal *r, const struct known_uuid *after);

int rehearsal_init(struct rehearsal *r, struct target *t); /* 0 or -ENOMEM */
void rehearsal_release(struct rehearsal *r);

#endif
