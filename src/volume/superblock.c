/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "volume/superblock.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "format/checksum.h"

#define BLOCK_SIZE_MIN 4096u
#define BLOCK_SIZE_MAX 65536u

#define INCOMPAT_SUPPORTED                                                                         \
	(INCOMPAT_MIXED_BACKREF | INCOMPAT_DEFAULT_SUBVOL | INCOMPAT_MIXED_GROUPS |                \
	 INCOMPAT_COMPRESS_LZO | INCOMPAT_COMPRESS_ZSTD | INCOMPAT_BIG_METADATA |                  \
	 INCOMPAT_EXTENDED_IREF | INCOMPAT_RAID56 | INCOMPAT_SKINNY_METADATA | INCOMPAT_NO_HOLES | \
	 INCOMPAT_METADATA_UUID | INCOMPAT_RAID1C34 | INCOMPAT_SIMPLE_QUOTA)

/* An offline conversion rewrites blocks all over the filesystem; half done, it fits no rule. */
#define SUPER_FLAGS_CHANGING                                                                       \
	(SUPER_FLAG_CHANGING_FSID | SUPER_FLAG_CHANGING_FSID_V2 | SUPER_FLAG_CHANGING_BG_TREE |    \
	 SUPER_FLAG_CHANGING_DATA_CSUM | SUPER_FLAG_CHANGING_META_CSUM)

/* Whether the copy at @offset is whole.  0, 1 if nothing of btrfs lies there, or negative. */
static int read_copy(struct device *d, u64 offset, struct super_block *sb)
{
	u8 csum[CHECKSUM_SIZE_MAX];
	int ret = device_read(d, offset, sb, sizeof(*sb));

	if (ret)
		return error_wrap(ret, "superblock at %" PRIu64, offset);
	if (le64_get(sb->magic) != SUPER_MAGIC)
		return 1;

	u16 type = le16_get(sb->csum_type);

	if (!checksum_size(type))
		return error_set(EOPNOTSUPP, "%s: superblock at %" PRIu64 ": unknown checksum type %u",
				 d->name, offset, type);
	checksum_compute(type, sb->fsid, sizeof(*sb) - sizeof(sb->csum), csum);
	if (memcmp(csum, sb->csum, checksum_size(type)))
		return error_set(EIO, "%s: superblock at %" PRIu64 ": checksum mismatch", d->name,
				 offset);
	if (le64_get(sb->bytenr) != offset)
		return error_set(EIO, "%s: superblock at %" PRIu64 ": it was written for %" PRIu64,
				 d->name, offset, le64_get(sb->bytenr));
	return 0;
}

static int check_features(const struct super_block *sb)
{
	u64 unsupported = le64_get(sb->incompat_flags) & ~INCOMPAT_SUPPORTED;
	u64 changing = le64_get(sb->flags) & SUPER_FLAGS_CHANGING;

	if (unsupported) {
		int bit = __builtin_ctzll(unsupported);
		const char *name = incompat_name(1ull << bit);

		if (name)
			return error_set(EOPNOTSUPP, "unsupported incompat feature %s", name);
		return error_set(EOPNOTSUPP, "unsupported incompat feature bit %d", bit);
	}
	if (changing)
		return error_set(EOPNOTSUPP,
				 "an offline conversion by btrfstune is unfinished (flags 0x%" PRIx64
				 "), run it again to complete it",
				 changing);
	return 0;
}

static int check_sizes(const struct super_block *sb)
{
	u32 sectorsize = le32_get(sb->sectorsize), nodesize = le32_get(sb->nodesize);
	u32 array = le32_get(sb->sys_chunk_array_size);

	if (!is_power_of_two(sectorsize) || sectorsize < BLOCK_SIZE_MIN ||
	    sectorsize > BLOCK_SIZE_MAX)
		return error_set(EIO, "bad sectorsize %u", sectorsize);
	if (!is_power_of_two(nodesize) || nodesize < sectorsize || nodesize > BLOCK_SIZE_MAX)
		return error_set(EIO, "bad nodesize %u (sectorsize %u)", nodesize, sectorsize);
	if (array > SYS_CHUNK_ARRAY_SIZE)
		return error_set(EIO, "system chunk array has %u bytes, at most %u fit", array,
				 SYS_CHUNK_ARRAY_SIZE);
	if (array < sizeof(struct disk_key) + sizeof(struct chunk_item) + sizeof(struct disk_stripe))
		return error_set(EIO, "system chunk array has only %u bytes", array);
	if (!le64_get(sb->num_devices))
		return error_set(EIO, "number of devices is 0");
	return 0;
}

static int check_root(const char *name, u64 logical, u8 level, u32 sectorsize)
{
	if (level >= LEVEL_MAX)
		return error_set(EIO, "%s root has level %u", name, level);
	if (logical % sectorsize)
		return error_set(EIO, "%s root at logical %" PRIu64 " is not aligned", name, logical);
	return 0;
}

static int check_roots(const struct super_block *sb)
{
	u32 sectorsize = le32_get(sb->sectorsize);
	int ret = check_root("tree", le64_get(sb->root), sb->root_level, sectorsize);

	if (!ret)
		ret = check_root("chunk tree", le64_get(sb->chunk_root), sb->chunk_root_level,
				 sectorsize);
	if (!ret)
		ret = check_root("log tree", le64_get(sb->log_root), sb->log_root_level, sectorsize);
	return ret;
}

static int check_device(const struct super_block *sb, const struct device *d)
{
	u64 total = le64_get(sb->dev_item.total_bytes);

	if (memcmp(sb->dev_item.fsid, superblock_metadata_uuid(sb), UUID_SIZE))
		return error_set(EIO, "its device item belongs to another filesystem");
	if (total > d->size)
		return error_set(EIO,
				 "truncated: the filesystem uses %" PRIu64
				 " bytes of it, it has %" PRIu64,
				 total, d->size);
	return 0;
}

static int check(const struct super_block *sb, const struct device *d)
{
	int ret = check_features(sb);

	if (!ret)
		ret = check_sizes(sb);
	if (!ret)
		ret = check_roots(sb);
	if (ret)
		return error_wrap(ret, "%s: superblock at %" PRIu64, d->name, le64_get(sb->bytenr));
	ret = check_device(sb, d);
	return ret ? error_wrap(ret, "%s", d->name) : 0;
}

int superblock_read(struct device *d, struct super_block *out)
{
	struct error first = {0};
	bool found = false;

	for (int i = 0; i < SUPER_COPIES; i++) {
		struct super_block sb;

		if (!range_within(super_offset(i), sizeof(sb), d->size))
			break;

		int ret = read_copy(d, super_offset(i), &sb);

		if (ret < 0 && !first.code)
			error_save(&first, ret);
		if (ret)
			continue;
		/* A copy of another filesystem is what an earlier mkfs left behind. */
		if (found && (memcmp(sb.fsid, out->fsid, UUID_SIZE) ||
			      le64_get(sb.generation) <= le64_get(out->generation)))
			continue;
		*out = sb;
		found = true;
	}
	if (found)
		return check(out, d);
	if (first.code)
		return error_restore(&first);
	return error_set(EINVAL, "no btrfs superblock on %s", d->name);
}
