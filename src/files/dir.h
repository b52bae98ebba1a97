/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories: their entries, and the extended attributes, which have the same form. */
#ifndef BTRFLY_FILES_DIR_H
#define BTRFLY_FILES_DIR_H

#include "format/inode.h"
#include "tree/cursor.h"

/* Whether a directory can have an entry of this name: 1 to NAME_LEN_MAX bytes, no slash, no NUL,
 * neither "." nor "..". */
bool name_is_valid(const char *name, size_t len);

/* One entry of a DIR_ITEM, DIR_INDEX or XATTR_ITEM item; pointers into the item. */
struct dir_entry {
	struct key location;
	u64 transid;
	const char *name;
	u16 name_len;
	const u8 *data;
	u16 data_len;
	u8 type; /* FT_… */
};

/* Step through the entries of one item (several where hashes collide).  Start with *@pos = 0.
 * 1: an entry; 0: no more; -EIO: damaged; -EOPNOTSUPP: of a type that is not known. */
int dir_entry_next(const struct key *key, const void *item, u32 size, u32 *pos,
		   struct dir_entry *out);

/* Find @name in directory @dir of @c's tree: 0 with *@out valid until @c moves; -ENOENT, for which
 * there is no sentence (too common an answer); or an error. */
int dir_lookup(struct cursor *c, u64 dir, const char *name, u16 name_len, struct dir_entry *out);

/* Step through directory @dir by rising index, *@index being the least that is wanted and afterwards the one
 * behind the entry's.  1: an entry, valid until @c moves; 0: no more; or an error. */
int dir_next(struct cursor *c, u64 dir, u64 *index, struct dir_entry *out);

#endif
