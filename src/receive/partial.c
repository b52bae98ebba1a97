/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/partial.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/error.h"

static bool there(struct host *host, int dir, const char *name)
{
	struct stat st;

	return !host->ops->stat(host, dir, name, &st);
}

int partial_name(struct host *host, int dir, const char *name, const u8 *uuid, char out[NAME_MAX + 1])
{
	char text[UUID_STR_LEN];

	if (strlen(name) > NAME_MAX)
		return error_set(ENAMETOOLONG, "a subvolume's name of %zu bytes", strlen(name));
	if (there(host, dir, name))
		return error_set(EEXIST, "'%s' is there already", name);
	if (snprintf(out, NAME_MAX + 1, ".%s.btrfly-partial", name) > NAME_MAX) {
		uuid_unparse_lower(uuid, text);
		snprintf(out, NAME_MAX + 1, ".%s.btrfly-partial", text);
	}
	if (there(host, dir, out))
		return error_set(EEXIST, "'%s' is there, from a receive that did not come to its end",
				 out);
	return 0;
}

int partial_rename(struct host *host, int dir, const char *partial, const char *name)
{
	int ret = host->ops->rename(host, dir, partial, dir, name, RENAME_NOREPLACE);

	/* EINVAL: a filesystem without the flag. */
	if (ret && errno == EINVAL && !there(host, dir, name))
		ret = host->ops->rename(host, dir, partial, dir, name, 0);
	if (ret)
		return error_errno(errno, "rename '%s' to '%s'", partial, name);
	return host->ops->sync(host, dir) ? error_errno(errno, "flush the directory") : 0;
}
