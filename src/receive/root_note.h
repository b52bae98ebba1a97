/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the root of a tree is given when everything else is done: its owner, mode and access list.  Until then the
 * directory is closed to everybody but who receives, so that nobody else can put something into it that a later
 * command would change.
 */
#ifndef BTRFLY_RECEIVE_ROOT_NOTE_H
#define BTRFLY_RECEIVE_ROOT_NOTE_H

#include "base/buffer.h"

struct entry;

enum root_part { ROOT_OWNER, ROOT_MODE, ROOT_ACCESS };

/* Zero-initialised is empty and valid. */
struct root_note {
	u8 noted;	/* bit ROOT_… */
	u8 from_parent; /* the parent has it; no command has said so */
	u64 uid, gid;
	u32 mode;
	struct buffer access; /* the list as an attribute's value; empty: none */
	bool access_last;     /* it came behind the mode, of which a list changes bits */
};

static inline bool root_note_has(const struct root_note *n, enum root_part part)
{
	return n->noted >> part & 1;
}

static inline bool root_note_inherits(const struct root_note *n, enum root_part part)
{
	return n->from_parent >> part & 1;
}

void root_note_set_owner(struct root_note *n, u64 uid, u64 gid, bool from_parent);
void root_note_set_mode(struct root_note *n, u32 mode, bool from_parent);
/* 0 or -ENOMEM. */
int root_note_set_access(struct root_note *n, const void *list, size_t len, bool from_parent);

/* As an entry appended to @out: 0 or -ENOMEM; all parts that are noted; and one taken in, -EINVAL if it is damaged. */
int root_note_write_part(const struct root_note *n, enum root_part part, struct buffer *out);
int root_note_write(const struct root_note *n, struct buffer *out);
int root_note_read(struct root_note *n, enum root_part part, struct entry *e);

void root_note_release(struct root_note *n);

#endif
