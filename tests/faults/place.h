/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where streams are received: BASE/dir, and beside it BASE/beside, which nobody may touch, as well as BASE/dir/other.
 *
 *            place_make            (attempts)            place_check          place_clear
 *    NOTHING ──────────▶ PREPARED ───────────▶ anything ────────────▶ same ──────────────▶ PREPARED
 */
#ifndef BTRFLY_TESTS_PLACE_H
#define BTRFLY_TESTS_PLACE_H

#include "attempt.h"

#define PLACE_NAMES_MAX 1024

struct names {
	char *name[PLACE_NAMES_MAX];
	size_t count;
};

struct place {
	const char *base;
	char dir[4096], beside[4096];
	bool mounted;
	uid_t user;
	char *whole;	      /* how it has to look when all is received */
	struct names before;  /* what is in DIR before the stream comes */
	struct names records; /* and in DIR/.btrfly */
};

/* Made, with all of @parents received, and learnt how it looks when @stream was received by nobody's hindrance.  What it
 * cannot do ends the process. */
void place_make(struct place *p, char **parents, const char *stream, struct outcome *o);

/* What is not as it has to be when all is received: an empty text, or lines, the caller's to free. */
char *place_check(const struct place *p);

/* Take away what was received since. */
void place_clear(struct place *p);

/* All of it. */
void place_remove(struct place *p);

#endif
