/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "volume/profile.h"

static const struct profile profiles[] = {
	{0, "single", 1, 1, 1, 0, false},
	{BLOCK_GROUP_DUP, "dup", 2, 2, 2, 0, false},
	{BLOCK_GROUP_RAID1, "raid1", 2, 2, 2, 0, false},
	{BLOCK_GROUP_RAID1C3, "raid1c3", 3, 3, 3, 0, false},
	{BLOCK_GROUP_RAID1C4, "raid1c4", 4, 4, 4, 0, false},
	{BLOCK_GROUP_RAID0, "raid0", 1, 0, 1, 0, true},
	{BLOCK_GROUP_RAID10, "raid10", 2, 0, 2, 0, true},
	{BLOCK_GROUP_RAID5, "raid5", 2, 0, 1, 1, true},
	{BLOCK_GROUP_RAID6, "raid6", 3, 0, 1, 2, true},
};

const struct profile *profile_of(u64 type)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if ((type & BLOCK_GROUP_PROFILE_MASK) == profiles[i].flag)
			return &profiles[i];
	return NULL;
}
