/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names in a directory, and, where a tree is walked through, what is left of those in the directories above
 * it: one level for each, on the heap.
 */
#ifndef BTRFLY_RECEIVE_ENTRIES_H
#define BTRFLY_RECEIVE_ENTRIES_H

#include "base/buffer.h"
#include "receive/host.h"

struct entries {
	struct host *host;
	u8 *block;            /* of directory entries */
	struct buffer text;   /* the names of all levels, each with its NUL */
	struct buffer levels; /* struct entries_level, the innermost last */
};

int entries_init(struct entries *e, struct host *host); /* 0 or -ENOMEM */
void entries_release(struct entries *e);

/*
 * One more level: the names in the open directory @fd without "." and "..", or the first ones of them, once they
 * take more than @max bytes; or the one name @name.  0, or a negative errno with a sentence.
 */
int entries_push(struct entries *e, int fd, size_t max);
int entries_push_one(struct entries *e, const char *name);
void entries_pop(struct entries *e);

/* The innermost level's next name; NULL at its end.  Valid until the next level comes or goes. */
const char *entries_next(struct entries *e);

/* The one that entries_next() returned last in the innermost level. */
const char *entries_current(const struct entries *e);

/* Whether the innermost level has no name at all. */
bool entries_none(const struct entries *e);

#endif
