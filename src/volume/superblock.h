/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The superblock of one device: which of its copies to believe, and whether it can be worked with. */
#ifndef BTRFLY_VOLUME_SUPERBLOCK_H
#define BTRFLY_VOLUME_SUPERBLOCK_H

#include "device/device.h"
#include "format/super.h"

/*
 * Read the intact copy with the highest generation, and check every field that is relied upon.
 * -EINVAL "no btrfs superblock on X"; -EIO for a damaged one; -EOPNOTSUPP for a feature that is not
 * supported, by name.
 */
int superblock_read(struct device *d, struct super_block *out);

/* What tree blocks and dev_item carry as their fsid. */
static inline const u8 *superblock_metadata_uuid(const struct super_block *sb)
{
	return le64_get(sb->incompat_flags) & INCOMPAT_METADATA_UUID ? sb->metadata_uuid : sb->fsid;
}

#endif
