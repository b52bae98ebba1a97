/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DIR/.btrfly: what a directory that streams are received in cannot hold itself.  Journals of receives that are
 * under way (receive/journal.h), and, where the filesystem has no subvolumes, records of those that came to
 * their end (receive/record.h).
 *
 * DIR may belong to somebody else, so all of it is as hostile as a stream: the directory and every file must be
 * owned by who runs and have no other name, or are refused; no symlink is followed; the content is checked when it is
 * read.  Whoever owns DIR could also give a received tree, which who runs owns, this name.  So the directory bears a
 * mark, an extended attribute that no stream can set (state_dir_is_mark()), unless nobody else can rename what lies in
 * DIR, or the filesystem has no such attributes.
 */
#ifndef BTRFLY_RECEIVE_STATE_DIR_H
#define BTRFLY_RECEIVE_STATE_DIR_H

#include "base/buffer.h"
#include "receive/host.h"

#define STATE_DIRECTORY ".btrfly"
#define STATE_FILE_MAX 64 /* bytes of a file's name, NUL included */
#define STATE_FILE_MODE 0600 /* they name what lies in trees that others may not enter */

/* Open it, making it if @make is set.  A descriptor; -ENOENT, or another negative errno, with an error message. */
int state_dir_open(struct host *h, int dir, bool make);

/* Whether @key is the mark's: no file of a received tree gets it. */
bool state_dir_is_mark(const char *key);

/* The name of a file in it: the uuid with @suffix behind. */
void state_dir_name(char name[STATE_FILE_MAX], const u8 *uuid, const char *suffix);

/* Open a file in it, which is @at here; O_… as @flags.  A descriptor of a regular file that who runs owns. */
int state_dir_open_file(struct host *h, int at, const char *name, int flags);

/* Whether @st is of something that who runs owns, as far as the directory @at, which it lies in or is, has owners. */
bool state_dir_is_ours(struct host *h, int at, const struct stat *st);

/* Everything that an open file has, appended to @b. */
int state_dir_read(struct host *h, int fd, const char *name, struct buffer *b);

/* A file of this content, durably, in place of what was there.  It is written under another name first, so that no
 * reader and no crash meets half of it. */
int state_dir_replace(struct host *h, int at, const char *name, const struct buffer *b);

#endif
