/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A number that nobody outside can guess: the seed of hash tables whose keys come from outside. */
#ifndef BTRFLY_BASE_SEED_H
#define BTRFLY_BASE_SEED_H

#include "base/types.h"

u64 seed_new(void);

#endif
