/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What btrfly send sends with what: subvolumes, each with its parent and its clone sources. */
#ifndef BTRFLY_CLI_SELECTION_H
#define BTRFLY_CLI_SELECTION_H

#include "cli/send_arguments.h"
#include "files/subvolume.h"

struct selected {
	const char *word; /* as it was given */
	struct subvolume subvolume;
	const struct subvolume *parent; /* NULL: a full send */
	size_t source_count; /* of the clone sources, from the first on */
};

struct selection {
	struct selected *items;
	size_t count;
	struct subvolume *sources; /* clone sources, the parent among them */
	size_t source_count;
};

/* Find everything that @a names, and choose the parents that are not named; with --explain say how.  To be released in
 * either case. */
int selection_find(struct selection *s, struct filesystem *fs, const struct send_arguments *a);
void selection_release(struct selection *s);

#endif
