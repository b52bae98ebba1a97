/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface: versions, errors, filesystems. */
#include <stdlib.h>
#include <string.h>

#include "api/growth.h"
#include "api/handle.h"
#include "base/error.h"
#include "volume/volume.h"

const char *btrfly_version(void)
{
	return VERSION;
}

const char *btrfly_error(void)
{
	return error_message();
}

int btrfly_open(const char *const *paths, size_t count, const struct btrfly_open_args *given,
		struct btrfly_filesystem **out)
{
	struct filesystem_options options = {0};
	struct btrfly_open_args args = {0};

	if (given) {
		int ret = GROWTH_TAKE(&args, given, struct btrfly_open_args, memory);

		if (ret)
			return ret;
	}
	options.memory = args.memory > SIZE_MAX ? SIZE_MAX : (size_t)args.memory;
	if (!count)
		return error_set(EINVAL, "no image or device is named");
	struct btrfly_filesystem *handle = malloc(sizeof(*handle));

	if (!handle)
		return error_nomem(sizeof(*handle));
	int ret = filesystem_open(paths, count, &options, &handle->fs);

	if (ret) {
		free(handle);
		return ret;
	}
	*out = handle;
	return 0;
}

void btrfly_close(struct btrfly_filesystem *fs)
{
	if (!fs)
		return;
	filesystem_free(fs->fs);
	free(fs);
}

int btrfly_filesystem_info(const struct btrfly_filesystem *fs, struct btrfly_filesystem_info *out)
{
	const struct volume_facts *facts = fs->fs->facts;
	struct btrfly_filesystem_info info = {
		.label = facts->label,
		.generation = facts->generation,
		.total_bytes = facts->total_bytes,
		.bytes_used = facts->bytes_used,
		.devices = facts->num_devices,
		.sectorsize = facts->sectorsize,
		.nodesize = facts->nodesize,
	};
	int ret = GROWTH_CHECK(out, struct btrfly_filesystem_info, nodesize);

	if (ret)
		return ret;
	memcpy(info.fsid, facts->fsid, sizeof(info.fsid));
	growth_give(out, &info, sizeof(info));
	return 0;
}
