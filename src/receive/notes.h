/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a tree while it is received, and the tree itself does not hold: notes by path
 * (receive/path_table.h), and what holds for all of it.  Every change goes into the journal together with the command
 * that made it.
 */
#ifndef BTRFLY_RECEIVE_NOTES_H
#define BTRFLY_RECEIVE_NOTES_H

#include <time.h>

#include "receive/path_table.h"
#include "receive/root_note.h"
#include "receive/skipped.h"

struct journal;
struct entry;

struct tree_notes {
	struct journal *journal; /* NULL: none */
	struct path_table paths;
	u32 left_out;	/* bit SKIPPED_…: something of this kind was left out here, or in the parent */
	u32 left_here;	/* the same without the parent */
	u64 last_links; /* the number of note.links that was given out last */

	/* The root's access and change times: new inodes are made in it under their first names, so that
	 * its own times come last. */
	bool has_times;
	struct timespec times[2];
	struct root_note root;
};

/* Whether no path has a note. */
static inline bool tree_notes_empty(const struct tree_notes *n)
{
	return path_table_empty(&n->paths);
}

static inline bool tree_notes_left_out(const struct tree_notes *n, enum skipped_kind kind)
{
	return n->left_out >> kind & 1;
}

/* What is noted of @p; all zero if nothing is. */
struct note tree_notes_get(const struct tree_notes *n, const struct tree_path *p);

/* Each returns 0 or a negative errno with an error message. */
int tree_notes_put(struct tree_notes *n, const struct tree_path *p, const struct note *note);
/* Of a path that may be longer than a command's. */
int tree_notes_put_path(struct tree_notes *n, const char *path, size_t len, const struct note *note);
int tree_notes_remove(struct tree_notes *n, const struct tree_path *p); /* with all beneath it */
int tree_notes_rename(struct tree_notes *n, const struct tree_path *from, const struct tree_path *to);
int tree_notes_leave_out(struct tree_notes *n, enum skipped_kind kind);
int tree_notes_set_times(struct tree_notes *n, struct timespec atime, struct timespec mtime);
/* What the root is given at the end. */
int tree_notes_set_owner(struct tree_notes *n, u64 uid, u64 gid, bool from_parent);
int tree_notes_set_mode(struct tree_notes *n, u32 mode, bool from_parent);
int tree_notes_set_access(struct tree_notes *n, const void *list, size_t len, bool from_parent);

/* What was noted of the parent holds for its copy, too; of @n there are but flags yet. */
int tree_notes_inherit(struct tree_notes *n, const struct tree_notes *parent);

/* As entries: all of them appended to @out, with @for_record without times, flags and the root's; and one taken in, -EINVAL without a
 * message if it is damaged or no note. */
int tree_notes_write(const struct tree_notes *n, struct buffer *out, bool for_record);
int tree_notes_read(struct tree_notes *n, struct entry *e);

void tree_notes_release(struct tree_notes *n); /* and stay with the journal */

#endif
