/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory for tests that make very many calls: in memory where there is a place for that. */
#ifndef BTRFLY_TESTS_SCRATCH_H
#define BTRFLY_TESTS_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCRATCH_MAX 64

/* @name is short. */
static inline bool scratch_make(char path[SCRATCH_MAX], const char *name)
{
	snprintf(path, SCRATCH_MAX, "%s/btrfly-%s-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", name);
	return mkdtemp(path);
}

#endif
