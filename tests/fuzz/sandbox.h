/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a fuzzer receives: the directory "dir" on tmpfs, as an ordinary user.  Beside it lies another one,
 * to which nothing may happen: it is looked at behind every input.  The working directory is the one that
 * both lie in.
 */
#ifndef BTRFLY_FUZZ_SANDBOX_H
#define BTRFLY_FUZZ_SANDBOX_H

#include "base/types.h"

/* Ends the program with a word, for what cannot be in a sound run. */
void must(bool good, const char *what);

void sandbox_init(void);
void sandbox_begin(void); /* an empty "dir" */
void sandbox_end(void);   /* looks outside, and takes "dir" away */

#endif
