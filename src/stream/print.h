/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream as text, one line a command: as `btrfs receive --dump` of btrfs-progs 6.2 prints it, or
 * as one JSON object.
 */
#ifndef BTRFLY_STREAM_PRINT_H
#define BTRFLY_STREAM_PRINT_H

#include <stdio.h>

#include "base/buffer.h"
#include "stream/command.h"

struct stream_printer {
	FILE *out;
	bool json;
	struct buffer root;   /* the subvolume's path, in front of every other path: "./snap" */
	struct buffer path;   /* working memory */
	struct buffer escape; /* working memory */
};

int stream_printer_init(struct stream_printer *p, FILE *out, bool json); /* 0 or -ENOMEM */
void stream_printer_release(struct stream_printer *p);

/* A header; says nothing as text. */
int stream_printer_header(struct stream_printer *p, u32 version);

/* 0, or -ENOMEM, or the error of writing to @out. */
int stream_printer_command(struct stream_printer *p, const struct decoded_command *c);

#endif
