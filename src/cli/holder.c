/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/holder.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/types.h"

/* The filesystem's number as /proc/locks has it.  On btrfs st_dev is another one: each subvolume's own. */
static bool filesystem_number(int fd, unsigned *major, unsigned *minor)
{
	char *line = NULL;
	bool found = false;
	size_t size = 0;
	struct statx st;
	FILE *mounts;
	u64 id;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) || !(st.stx_mask & STATX_MNT_ID))
		return false;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return false;
	while (!found && getline(&line, &size, mounts) > 0)
		found = sscanf(line, "%" SCNu64 " %*d %u:%u", &id, major, minor) == 3 && id == st.stx_mnt_id;
	free(line);
	fclose(mounts);
	return found;
}

pid_t lock_holder(int fd)
{
	unsigned want[2], has[2];
	char *line = NULL;
	size_t size = 0;
	int pid, holder = 0;
	struct stat st;
	FILE *locks;
	u64 ino;

	if (fstat(fd, &st) || !filesystem_number(fd, &want[0], &want[1]))
		return 0;
	locks = fopen("/proc/locks", "re");
	if (!locks)
		return 0;
	while (!holder && getline(&line, &size, locks) > 0)
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%" SCNu64, &pid, &has[0], &has[1], &ino) == 4 &&
		    has[0] == want[0] && has[1] == want[1] && ino == st.st_ino)
			holder = pid;
	free(line);
	fclose(locks);
	return holder;
}
