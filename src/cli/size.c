/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/size.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const suffixes[][7] = {
	[SIZE_IEC] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"},
	[SIZE_SI] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"},
};

const char *size_text(u64 size, enum size_unit unit, char *buf)
{
	u64 base = unit == SIZE_IEC ? 1024 : 1000;
	unsigned power = 0;

	if (unit == SIZE_RAW) {
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64, size);
		return buf;
	}
	/* All divisions but the last one cut off, and the last is a float's: so round btrfs-progs. */
	for (; size >= base * base; power++)
		size /= base;

	float shown = (float)size;

	if (size >= base) {
		shown /= (float)base;
		power++;
	}
	snprintf(buf, SIZE_TEXT_MAX, "%.2f%s", shown, suffixes[unit][power]);
	return buf;
}
