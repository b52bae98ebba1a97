/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/target.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

void target_warn(struct target *t, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list ap;

	if (!t->options.warn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->options.warn(t->options.warn_arg, text);
}

int target_skip(struct target *t, enum skipped_kind kind, int err)
{
	if (t->options.strict && kind == SKIPPED_DATA)
		return error_set(err, "the stream was sent without data (--no-data)");
	if (t->options.strict)
		return error_errno(err, "cannot keep the %s", skipped_name(kind));
	t->skipped.count[kind]++;
	return 0;
}

int target_skip_changed(struct target *t, enum skipped_kind kind, const char *asked, const char *there)
{
	if (t->options.strict)
		return error_set(EOPNOTSUPP, "cannot keep the %s: %s was asked for, and %s is there",
				 skipped_name(kind), asked, there);
	t->skipped.count[kind]++;
	return 0;
}
