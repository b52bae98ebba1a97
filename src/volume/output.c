/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "volume/output.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "device/storage.h"
#include "volume/superblock.h"

/* Whether @d lies on what @out does. */
static bool shares(const struct device *d, const struct storage *out)
{
	struct storage in;
	struct stat st;

	if (d->fd < 0 || fstat(d->fd, &st))
		return false;
	storage_find(&st, &in);
	return storage_shared(&in, out);
}

/* Whether the filesystem has a device at @path.  What cannot be read is none. */
static bool is_member(const struct volume *v, const char *path)
{
	struct super_block sb;
	struct device *d;
	bool same = false;

	if (device_open(path, false, &d))
		return false;
	if (!superblock_read(d, &sb))
		same = !memcmp(sb.fsid, volume_facts(v)->fsid, UUID_SIZE);
	device_close(d);
	return same;
}

int volume_check_output(const struct volume *v, const struct stat *st, const char *path, const char *name)
{
	struct storage out;

	storage_find(st, &out);
	if (!out.count)
		return 0;
	for (size_t i = 0; i < volume_device_count(v); i++) {
		const struct device *d = volume_device(v, i, NULL);

		if (d && shares(d, &out))
			return error_set(EINVAL, "%s is refused as output: it would overwrite %s, which is read",
					 name, d->name);
	}
	if (is_member(v, path))
		return error_set(EINVAL, "%s is refused as output: it holds the filesystem that is read, too", name);
	return 0;
}

int volume_check_output_fd(const struct volume *v, int fd, const char *name)
{
	char path[64];
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(errno, "%s", name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return volume_check_output(v, &st, path, name);
}
