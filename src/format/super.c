/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/super.h"

static const struct {
	u64 bit;
	const char *name;
} incompat[] = {
	{INCOMPAT_MIXED_BACKREF, "mixed-backref"},
	{INCOMPAT_DEFAULT_SUBVOL, "default-subvol"},
	{INCOMPAT_MIXED_GROUPS, "mixed-bg"},
	{INCOMPAT_COMPRESS_LZO, "compress-lzo"},
	{INCOMPAT_COMPRESS_ZSTD, "compress-zstd"},
	{INCOMPAT_BIG_METADATA, "big-metadata"},
	{INCOMPAT_EXTENDED_IREF, "extref"},
	{INCOMPAT_RAID56, "raid56"},
	{INCOMPAT_SKINNY_METADATA, "skinny-metadata"},
	{INCOMPAT_NO_HOLES, "no-holes"},
	{INCOMPAT_METADATA_UUID, "metadata-uuid"},
	{INCOMPAT_RAID1C34, "raid1c34"},
	{INCOMPAT_ZONED, "zoned"},
	{INCOMPAT_EXTENT_TREE_V2, "extent-tree-v2"},
	{INCOMPAT_RAID_STRIPE_TREE, "raid-stripe-tree"},
	{INCOMPAT_SIMPLE_QUOTA, "squota"},
	{INCOMPAT_REMAP_TREE, "remap-tree"},
};

const char *incompat_name(u64 bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(incompat); i++)
		if (incompat[i].bit == bit)
			return incompat[i].name;
	return NULL;
}
