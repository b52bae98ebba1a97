/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/tree_identity.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>

#include "base/error.h"
#include "receive/skipped.h"

int tree_identify(struct tree_identity *id, struct host *h, int root)
{
	struct btrfs_ioctl_ino_lookup_args args = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
	long generation = 0; /* of which the call sets 32 bits */
	struct stat st;

	*id = (struct tree_identity){0};
	if (h->ops->stat(h, root, ".", &st))
		return error_errno(errno, "stat");
	id->inode = st.st_ino;
	if (!h->ops->ioctl(h, root, FS_IOC_GETVERSION, &generation))
		memcpy(&id->generation, &generation, sizeof(id->generation));
	else if (!skipped_because(errno))
		return error_errno(errno, "read the inode's generation");
	/* The roots of all subvolumes have this number. */
	if (st.st_ino != BTRFS_FIRST_FREE_OBJECTID)
		return 0;
	if (!h->ops->ioctl(h, root, BTRFS_IOC_INO_LOOKUP, &args))
		id->subvolume = args.treeid;
	else if (!skipped_because(errno))
		return error_errno(errno, "read the subvolume's id");
	return 0;
}

bool tree_identity_same(const struct tree_identity *a, const struct tree_identity *b)
{
	return a->inode == b->inode && a->subvolume == b->subvolume &&
	       (a->generation == b->generation || !a->generation || !b->generation);
}

int tree_identity_lasts(const struct tree_identity *id, struct host *h, int root)
{
	struct statfs fs;

	/* What has generations has numbers on disk, and what lies in memory is not mounted anew. */
	if (id->generation)
		return 1;
	if (!h->ops->statfs(h, root, &fs))
		return fs.f_type == TMPFS_MAGIC;
	return skipped_because(errno) ? 0 : error_errno(errno, "look at the filesystem");
}
