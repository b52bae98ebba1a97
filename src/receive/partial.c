/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/partial.h"

#include <errno.h>
#include <stdio.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "receive/names.h"

void partial_name(const char *name, const u8 *uuid, unsigned number, char out[NAME_MAX + 1])
{
	char text[UUID_STR_LEN], behind[16] = "";

	if (number)
		snprintf(behind, sizeof(behind), "-%u", number);
	if (snprintf(out, NAME_MAX + 1, ".%s.btrfly-partial%s", name, behind) <= NAME_MAX)
		return;
	uuid_unparse_lower(uuid, text);
	snprintf(out, NAME_MAX + 1, ".%s.btrfly-partial%s", text, behind);
}

int partial_rename(struct host *h, int dir, const char *partial, const char *name)
{
	bool no_flag = false;
	int ret = names_rename(h, dir, partial, dir, name, &no_flag);

	if (ret)
		return error_errno(-ret, "rename '%s' to '%s'", partial, name);
	return host_sync_directory(h, dir) ? error_errno(errno, "flush the directory") : 0;
}
