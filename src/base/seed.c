/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/seed.h"

#include <sys/random.h>
#include <time.h>

u64 seed_new(void)
{
	struct timespec now;
	u64 seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	/* A kernel that has only just started: less to guess than nothing. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_nsec * 0x9e3779b97f4a7c15ull ^ (u64)(uintptr_t)&seed;
}
