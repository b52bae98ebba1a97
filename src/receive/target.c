/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/target.h"

#include "base/error.h"

int target_skip(struct target *t, enum skipped_kind kind, int err)
{
	if (t->options.strict)
		return error_errno(err, "cannot keep the %s", skipped_name(kind));
	t->skipped.count[kind]++;
	return 0;
}
