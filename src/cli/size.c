/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

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

int size_parse(const char *text, u64 *out)
{
	static const char units[] = "KMGT";
	const char *unit;
	u64 scale = 1;
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return -EINVAL;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return -EINVAL;
		scale <<= 10 * (unit - units + 1);
	}
	return mul_ok(*out, scale, out) ? 0 : -EINVAL;
}
