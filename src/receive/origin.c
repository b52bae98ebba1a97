/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/origin.h"

#include <stdio.h>

#include "base/error.h"

/* The kernel writes back what is dirty within half a minute, and a slow disk takes its time. */
#define WRITEBACK_SECONDS 600u

/* What speaks against it, and whether that is for sure. */
static bool doubt(const struct origin *o, u64 ctransid, char *text, size_t size)
{
	if (o->other_tree) {
		snprintf(text, size, "what bears its name now is not the directory that was received");
		return true;
	}
	if (o->without_data) {
		snprintf(text, size, "it was received without data (its stream was sent with --no-data)");
		return true;
	}
	if (o->changed) {
		snprintf(text, size, "it was changed %llu seconds after it was received",
			 (unsigned long long)o->changed_seconds);
		return o->changed_seconds > WRITEBACK_SECONDS;
	}
	if (o->transid == ctransid || o->one_content)
		return false;
	snprintf(text, size, "it was sent as of transaction %llu, and the stream was made against transaction %llu: what "
			     "it holds may be something else",
		 (unsigned long long)o->transid, (unsigned long long)ctransid);
	return !o->relayed;
}

int origin_check(const struct origin *o, struct target *t, u64 ctransid)
{
	char text[256] = "";
	bool sure = doubt(o, ctransid, text, sizeof(text));

	if (!text[0])
		return 0;
	if (sure && !t->options.force_parent)
		return error_set(ESTALE, "%s (--force-parent builds on it all the same)", text);
	target_warn(t, "a parent or clone source may not be the right one: %s", text);
	return 0;
}
