/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "volume/output.h"

#include "base/error.h"
#include "device/storage.h"

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

int volume_check_output(const struct volume *v, const struct stat *st, const char *name)
{
	struct storage out;

	storage_find(st, &out);
	for (size_t i = 0; out.count && i < volume_device_count(v); i++) {
		const struct device *d = volume_device(v, i, NULL);

		if (d && shares(d, &out))
			return error_set(EINVAL, "%s is refused as output: it would overwrite %s, which is read",
					 name, d->name);
	}
	return 0;
}

int volume_check_output_fd(const struct volume *v, int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(errno, "%s", name);
	return volume_check_output(v, &st, name);
}
