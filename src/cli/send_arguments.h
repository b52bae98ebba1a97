/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of btrfly send, taken apart. */
#ifndef BTRFLY_CLI_SEND_ARGUMENTS_H
#define BTRFLY_CLI_SEND_ARGUMENTS_H

#include "cli/image.h"
#include "send/plan.h"

#define SEND_NAME "btrfly send"

struct send_arguments {
	const char *file, *parent, *image;
	char **subvols;
	size_t subvol_count;
	const char **clones;
	size_t clone_count;
	struct image_devices devices;
	struct plan_options plan;
	u64 from_offset;
	size_t memory;    /* 0: as the library has it */
	unsigned threads; /* 0: one a core */
	bool one_stream;  /* -e */
	bool dry_run, json;
	bool resume;
	bool explain;
	bool progress; /* even where stderr is no terminal */
	bool quiet, verbose;
};

/* 0, or the exit status after having said what is wrong.  To be released in either case. */
int send_arguments_parse(struct send_arguments *a, int argc, char **argv);
void send_arguments_release(struct send_arguments *a);

#endif
