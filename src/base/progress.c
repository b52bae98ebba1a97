/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define INTERVAL (SECOND / 5)

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * SECOND + (u64)t.tv_nsec;
}

void progress_init(struct progress *p, bool quiet)
{
	*p = (struct progress){0};
	if (!quiet && isatty(STDERR_FILENO))
		progress_force(p);
}

void progress_force(struct progress *p)
{
	p->on = true;
	p->started = p->drawn = now();
}

/* "1.23 GiB": three digits and the unit that they fit. */
static void format_size(char *out, size_t size, double bytes)
{
	static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t i = 0;

	while (bytes >= 1000 && i + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		i++;
	}
	snprintf(out, size, "%.*f %s", !i || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2, bytes, units[i]);
}

static void draw(struct progress *p, u64 time)
{
	double seconds = (double)(time - p->started) / SECOND;
	char done[32], rate[32], share[64] = "";

	format_size(done, sizeof(done), (double)p->bytes);
	format_size(rate, sizeof(rate), (double)p->bytes / seconds);
	if (p->total_bytes && p->bytes) {
		double left = seconds * ((double)p->total_bytes / (double)p->bytes - 1);
		u64 eta = left > 0 ? (u64)left : 0;

		snprintf(share, sizeof(share), ", %.0f %%, %llu:%02llu left",
			 100.0 * (double)p->bytes / (double)p->total_bytes,
			 (unsigned long long)eta / 60, (unsigned long long)eta % 60);
	}
	fprintf(stderr, "\r%s, %s/s, %llu files%s\033[K", done, rate, (unsigned long long)p->files,
		share);
	fflush(stderr);
	p->shown = true;
	p->drawn = time;
}

void progress_add(struct progress *p, u64 bytes)
{
	p->bytes += bytes;
	if (!p->on)
		return;

	u64 time = now();

	if (time - p->drawn >= INTERVAL)
		draw(p, time);
}

void progress_hide(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = false;
}
