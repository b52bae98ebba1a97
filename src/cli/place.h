/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the name of an output leads, symbolic links followed. */
#ifndef BTRFLY_CLI_PLACE_H
#define BTRFLY_CLI_PLACE_H

#include <limits.h>
#include <sys/stat.h>

#include "base/types.h"

struct place {
	char *path;  /* of the file itself, for messages and look-ups */
	int dir;     /* the directory that has its name */
	char name[NAME_MAX + 1];
	bool exists;
	struct stat st; /* if it does */
	bool is_descriptor; /* a name of an open file: /dev/stdout, /dev/fd/3, /proc/PID/fd/3 */
	int descriptor;       /* of this process; -1: of another one, or no such name */
};

/* 0, with the place to be released, or a negative errno with a sentence; a directory is -EISDIR. */
int place_find(struct place *p, const char *path);
void place_release(struct place *p);

/* The path of another @name in the same directory; to be freed, NULL without memory. */
char *place_beside(const struct place *p, const char *name);

/*
 * Whether what @st describes in the directory @dir may be a trap: everybody may make files there (/tmp), and neither the
 * directory's owner nor this user has made this one.  The kernel can be told to think so, too (protected_regular,
 * protected_fifos, protected_symlinks), but asks itself only where it makes a file or follows a link.
 */
bool place_is_trap(int dir, const struct stat *st);

/* Whether a rename may put another file into the place of the one that is there: not over a mount point, nor over
 * a file of another user in a directory like /tmp. */
bool place_replaceable(const struct place *p);

#endif
