/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/skipped.h"

#include <stdio.h>

static const struct {
	const char *one, *many;
} words[SKIPPED_KINDS] = {
	[SKIPPED_OWNER] = {"owner", "owners"},
	[SKIPPED_SETID] = {"setuid or setgid bit", "setuid or setgid bits"},
	[SKIPPED_DEVICE] = {"device node", "device nodes"},
	[SKIPPED_SPECIAL] = {"fifo or socket", "fifos or sockets"},
	[SKIPPED_SYMLINK] = {"symlink", "symlinks"},
	[SKIPPED_TRUSTED] = {"trusted attribute", "trusted attributes"},
	[SKIPPED_SECURITY] = {"security attribute", "security attributes"},
	[SKIPPED_ACL] = {"access control list", "access control lists"},
	[SKIPPED_XATTR] = {"other extended attribute", "other extended attributes"},
	[SKIPPED_FLAGS] = {"set of file flags", "sets of file flags"},
	[SKIPPED_PREALLOC] = {"preallocated range", "preallocated ranges"},
	[SKIPPED_VERITY] = {"fs-verity seal", "fs-verity seals"},
	[SKIPPED_DATA] = {"range of data that the stream does not have", "ranges of data that the stream does not have"},
};

const char *skipped_name(enum skipped_kind kind)
{
	return words[kind].one;
}

size_t skipped_text(const struct skipped *s, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < SKIPPED_KINDS && used < size; i++) {
		u64 n = s->count[i];

		if (n)
			used += snprintf(out + used, size - used, "%s%llu %s", used ? ", " : "",
					 (unsigned long long)n, n == 1 ? words[i].one : words[i].many);
	}
	return used;
}
