/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream received into the directory "dir" of the sandbox, in any of the ways that the command has. */
#ifndef BTRFLY_FUZZ_RECEPTION_H
#define BTRFLY_FUZZ_RECEPTION_H

#include "receive/target.h"

struct reception {
	struct receive_options options;
	bool from_pipe; /* else from a file, which is gone through before anything is written */
	u64 max_errors; /* of the pump: 0 passes over every command that fails */
	bool one_stream;
};

/* By the bits of two bytes of the input: how, and where it is cut. */
struct reception reception_of(u8 how, u8 cut);

/* Whatever comes of it: the sandbox is looked at by who made it. */
void reception_run(const struct reception *r, const u8 *stream, size_t size);

#endif
