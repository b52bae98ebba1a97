/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic on numbers from outside: true when the result fits, else *out is not to be used. */
#ifndef BTRFLY_BASE_CHECKED_H
#define BTRFLY_BASE_CHECKED_H

#include "base/types.h"

static inline bool add_ok(u64 a, u64 b, u64 *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool mul_ok(u64 a, u64 b, u64 *out) { return !__builtin_mul_overflow(a, b, out); }

/* Whether [start, start + len) lies within [0, limit). */
static inline bool range_within(u64 start, u64 len, u64 limit)
{
	return start <= limit && len <= limit - start;
}

#endif
