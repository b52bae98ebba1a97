/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a command's stream goes: standard output, a device, pipe or descriptor that is written as it is, or a file,
 * of which a draft is written first.
 */
#ifndef BTRFLY_CLI_OUTPUT_H
#define BTRFLY_CLI_OUTPUT_H

#include "cli/draft.h"

struct output {
	int fd;
	const char *name; /* for messages */
	struct place place;
	struct draft draft;
	bool named;   /* a file was named: what was opened is closed again */
	bool drafted; /* it is written as a draft */
	bool begun;   /* there may be something of this stream in it */
};

/*
 * Open @file, or standard output if it is NULL, without writing to it: an earlier draft of it is removed, or with
 * @resume kept.  Refused: a terminal, and whatever would overwrite a device of @inputs.
 */
int output_open(struct output *o, const char *file, bool resume, const struct volume *inputs);

/* The stream is written from here on, behind the first @keep bytes of the draft. */
int output_begin(struct output *o, u64 keep);

/* All has been written: it gets its name, and reaches the disk. */
int output_finish(struct output *o);

/* Behind a failure @ret: say where what was written lies, and with @resumable how to go on.  Returns @ret. */
int output_fail(struct output *o, int ret, bool resumable);

void output_release(struct output *o);

#endif
