/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What could not be kept, because the user may not or the filesystem cannot: counted by kind. */
#ifndef BTRFLY_RECEIVE_SKIPPED_H
#define BTRFLY_RECEIVE_SKIPPED_H

#include "base/types.h"

/* The numbers stand in journals and records: a new kind comes last. */
enum skipped_kind {
	SKIPPED_OWNER,
	SKIPPED_SETID,
	SKIPPED_DEVICE,
	SKIPPED_SPECIAL,
	SKIPPED_SYMLINK,
	SKIPPED_TRUSTED,
	SKIPPED_SECURITY,
	SKIPPED_ACL,
	SKIPPED_XATTR,
	SKIPPED_FLAGS,
	SKIPPED_PREALLOC,
	SKIPPED_VERITY,
	SKIPPED_DATA, /* the stream has none */
	SKIPPED_MODE,
	SKIPPED_TIMES,
	SKIPPED_LINK, /* it became a copy */
	SKIPPED_NAME, /* it is there under another one */
	SKIPPED_KINDS,
};

struct skipped {
	u64 count[SKIPPED_KINDS];
};

/*
 * Whether a call that failed with @err was refused: by a user's rights, or by a filesystem that has no place for it, so
 * that it is left out and counted.  All else is a failure: of the disk, of memory, of the path.
 */
bool skipped_because(int err);

/* "owner of a file", …, for the sentence of an error. */
const char *skipped_name(enum skipped_kind kind);

/* "owners, device nodes", of the kinds whose bits are in @kinds, into @out. */
void skipped_kinds_text(u32 kinds, char *out, size_t size);

/* "12 owners, 3 device nodes" into @out; its length, 0 if nothing was skipped. */
size_t skipped_text(const struct skipped *s, char *out, size_t size);

#endif
