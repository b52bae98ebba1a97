/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user receives trees whose modes keep himself out: directories he may not write, files he may not
 * read.  What he owns is opened up for one call and closed again; root never needs it.  Every such mode is noted
 * (host.opened), so that what a killed run leaves open is closed by the next.
 */
#ifndef BTRFLY_RECEIVE_GRANT_H
#define BTRFLY_RECEIVE_GRANT_H

#include "receive/host.h"

/* One mode that was changed for a moment. */
struct opening {
	bool changed;
	mode_t mode; /* what it was */
	u64 note;    /* 0: it is not noted */
};

/* Add @bits to the mode of @name in @dir, which is as @st says and the user's.  0 or a negative errno, and then nothing was
 * changed. */
int opening_begin(struct opening *o, struct host *host, int dir, const char *name, const struct stat *st, mode_t bits);

/* Put it back, if it was changed.  0 or a negative errno. */
int opening_end(struct opening *o, struct host *host, int dir, const char *name);

/* It has another mode by now, which stays. */
void opening_forget(struct opening *o, struct host *host);

struct grant {
	struct host *host;
	int dir, name_dir;
	const char *name; /* in @name_dir, NULL: the directory alone */
	struct opening dir_mode, name_mode;
	u64 new_note; /* of @name where it is about to be */
	int error;    /* what kept it from being opened up */
};

/* Open up @dir, and @name in it unless that is NULL.  Whether anything was changed: if not, trying
 * again is of no use, unless to have grant_end() say what went wrong.  @name must stay valid. */
bool grant_begin(struct grant *g, struct host *host, int dir, const char *name);

/* Close again.  Returns @ret, or the negative errno of a mode that could not be put back, or where @ret is -EACCES that of what
 * kept it from being opened up.  The second is for a call that returns a descriptor, which is closed then. */
int grant_end(struct grant *g, int ret);
int grant_end_open(struct grant *g, int fd);

/* @name is about to be renamed to @to in @dir, and then that it was. */
void grant_will_move(struct grant *g, int dir, const char *to);
void grant_moved(struct grant *g, int dir, const char *to);

/* The directory has another mode by now, which stays. */
static inline void grant_keep_directory(struct grant *g) { opening_forget(&g->dir_mode, g->host); }

/* Open a directory that its owner may have closed to himself, for reading.  -1 and errno. */
int grant_open_directory(struct host *host, int dir, const char *name);

#endif
