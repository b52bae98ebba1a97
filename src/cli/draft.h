/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is written under a name beside its own, ".NAME.btrfly-partial", and gets its own when it is whole:
 * until then what was there stays what it was.  It is locked while it is written.
 */
#ifndef BTRFLY_CLI_DRAFT_H
#define BTRFLY_CLI_DRAFT_H

#include "cli/place.h"
#include "volume/volume.h"

struct draft {
	const struct place *place; /* of the file */
	char name[NAME_MAX + 1];
	char *path;  /* for messages */
	int fd;
	u64 kept; /* bytes of an earlier draft */
};

/*
 * Make the draft of the file @place, which must outlive it; with @keep go on with the one that is there, if any.
 * Refused: one that another process writes (-EBUSY), or that is a device of @inputs.  *@denied, on failure, says
 * that this directory lets nobody of this user's make a file.
 */
int draft_open(struct draft *d, const struct place *place, bool keep, const struct volume *inputs, bool *denied);

/* Its bytes reach the disk, and it gets its name, and mode and owner (where that may be) of the file that it replaces. */
int draft_publish(struct draft *d);

/* Whether its name leads to something that can be gone on with; an empty draft is of no use and taken away. */
bool draft_is_left(const struct draft *d);

void draft_release(struct draft *d); /* the file stays */

#endif
