/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What commands that read a filesystem have in common: IMAGE and --device on the command line. */
#ifndef BTRFLY_CLI_IMAGE_H
#define BTRFLY_CLI_IMAGE_H

#include "files/filesystem.h"

/* The devices given by --device, beside IMAGE.  Zero-initialised is empty; the paths stay the caller's. */
struct image_devices {
	const char **path;
	size_t count;
};

int image_devices_add(struct image_devices *d, const char *path); /* 0, -ENOMEM, or -EINVAL: it is empty */
void image_devices_release(struct image_devices *d);

/* Wrong usage if IMAGE, the first of the @count operands @words, is empty, or one of the others, which are all
 * called @what.  0 or EXIT_USAGE, after having said it. */
int image_check_operands(const char *command, const char *usage, const char *what, char **words, size_t count);

/* 0, or -EINVAL with a sentence if standard output is one of the volume's devices, as in "ls IMAGE >>IMAGE". */
int image_check_stdout(const struct volume *v);

/*
 * Open the filesystem on @image and @more, refused where standard output is one of them.  Where the kernel has one of them mounted this is said once on
 * stderr, in the name of @command, and is no error; so is a log tree that waits to be replayed.  @options may be NULL.
 */
int image_open(const char *command, const char *image, const struct image_devices *more,
	       const struct filesystem_options *options, struct filesystem **out);

#endif
