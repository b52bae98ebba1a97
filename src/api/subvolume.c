/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface: subvolumes. */
#include <string.h>

#include "api/handle.h"
#include "files/subvolume.h"
#include "format/inode.h"

struct visit {
	int (*each)(void *arg, const struct btrfly_subvolume *subvolume);
	void *arg;
};

static int visit(const struct subvolume *s, const char *path, void *arg)
{
	const struct visit *v = arg;
	struct btrfly_subvolume out = {
		.id = s->id,
		.parent_id = s->parent_id,
		.generation = s->generation,
		.created_generation = s->otransid,
		.path = path,
		.created = {.sec = s->otime.sec, .nsec = s->otime.nsec},
		.read_only = !!(s->flags & ROOT_SUBVOL_RDONLY),
	};

	memcpy(out.uuid, s->uuid, sizeof(out.uuid));
	memcpy(out.parent_uuid, s->parent_uuid, sizeof(out.parent_uuid));
	memcpy(out.received_uuid, s->received_uuid, sizeof(out.received_uuid));
	return v->each(v->arg, &out);
}

int btrfly_subvolume_each(struct btrfly_filesystem *fs,
			  int (*each)(void *arg, const struct btrfly_subvolume *subvolume), void *arg)
{
	struct visit v = {.each = each, .arg = arg};

	return subvolume_each(fs->fs, visit, &v);
}
