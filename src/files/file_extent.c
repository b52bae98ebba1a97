/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/file_extent.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/error.h"
#include "format/compress.h"

static int damaged(const struct key *key, const char *what, u64 value)
{
	char text[KEY_TEXT_MAX];

	return error_set(EIO, "%s: damaged file extent: %s %" PRIu64, key_text(key, text), what, value);
}

static int decode_inline(const struct key *key, const struct file_extent *e, u32 size,
			 u32 sectorsize, struct file_range *out)
{
	if (key->offset)
		return damaged(key, "inline data at file offset", key->offset);
	out->inline_data = (const u8 *)e + FILE_EXTENT_INLINE_OFFSET;
	out->inline_len = size - (u32)FILE_EXTENT_INLINE_OFFSET;
	out->num_bytes = out->ram_bytes;
	if (!out->compression && out->ram_bytes != out->inline_len)
		return damaged(key, "inline length does not match ram_bytes", out->ram_bytes);
	/* The kernel makes no larger ones, and reads no more of them. */
	if (out->ram_bytes > sectorsize)
		return damaged(key, "inline ram_bytes", out->ram_bytes);
	return 0;
}

static int decode_regular(const struct key *key, const struct file_extent *e, u32 size,
			  u32 sectorsize, struct file_range *out)
{
	u64 end, used;

	if (size != sizeof(*e))
		return damaged(key, "item size", size);
	out->disk_bytenr = le64_get(e->disk_bytenr);
	out->disk_num_bytes = le64_get(e->disk_num_bytes);
	out->offset = le64_get(e->offset);
	out->num_bytes = le64_get(e->num_bytes);

	const struct {
		const char *name;
		u64 value;
	} aligned[] = {
		{"ram_bytes", out->ram_bytes},
		{"disk_bytenr", out->disk_bytenr},
		{"disk_num_bytes", out->disk_num_bytes},
		{"offset", out->offset},
		{"num_bytes", out->num_bytes},
	};

	for (size_t i = 0; i < ARRAY_SIZE(aligned); i++)
		if (aligned[i].value % sectorsize)
			return damaged(key, aligned[i].name, aligned[i].value);
	if (!out->num_bytes || !add_ok(key->offset, out->num_bytes, &end))
		return damaged(key, "num_bytes", out->num_bytes);
	if (!add_ok(out->offset, out->num_bytes, &used))
		return damaged(key, "offset", out->offset);
	if (!out->disk_bytenr)
		return 0;
	if (!out->disk_num_bytes || !add_ok(out->disk_bytenr, out->disk_num_bytes, &end))
		return damaged(key, "disk_num_bytes", out->disk_num_bytes);
	if (out->compression && out->disk_num_bytes > COMPRESSED_EXTENT_MAX)
		return damaged(key, "compressed disk_num_bytes", out->disk_num_bytes);
	if (out->compression && out->ram_bytes > COMPRESSED_EXTENT_MAX)
		return damaged(key, "compressed ram_bytes", out->ram_bytes);
	/* ram_bytes of an uncompressed extent is not to be relied on: old kernels got it wrong. */
	if (used > (out->compression ? out->ram_bytes : out->disk_num_bytes))
		return damaged(key, "end in the extent", used);
	return 0;
}

int file_range_decode(const struct key *key, const void *item, u32 size, u32 sectorsize,
		      struct file_range *out)
{
	const struct file_extent *e = item;
	char text[KEY_TEXT_MAX];

	if (size < FILE_EXTENT_INLINE_OFFSET)
		return damaged(key, "item size", size);
	*out = (struct file_range){
		.file_offset = key->offset,
		.generation = le64_get(e->generation),
		.ram_bytes = le64_get(e->ram_bytes),
		.type = e->type,
		.compression = e->compression,
	};
	if (!compression_name(e->compression))
		return error_set(EOPNOTSUPP, "%s: unknown compression type %u", key_text(key, text),
				 e->compression);
	if (e->encryption || le16_get(e->other_encoding))
		return error_set(EOPNOTSUPP, "%s: encrypted or encoded data (%u, %u)",
				 key_text(key, text), e->encryption, le16_get(e->other_encoding));
	if (key->offset % sectorsize)
		return damaged(key, "file offset", key->offset);
	switch (e->type) {
	case FILE_EXTENT_INLINE:
		return decode_inline(key, e, size, sectorsize, out);
	case FILE_EXTENT_REG:
	case FILE_EXTENT_PREALLOC:
		return decode_regular(key, e, size, sectorsize, out);
	default:
		return error_set(EOPNOTSUPP, "%s: unknown file extent type %u", key_text(key, text),
				 e->type);
	}
}

int file_range_at(struct cursor *c, u64 ino, u64 pos, u32 sectorsize, struct file_range *r, u64 *end)
{
	struct key key = key_of(ino, KEY_EXTENT_DATA, pos), at;
	int ret = cursor_seek_before(c, &key);

	*end = UINT64_MAX;
	if (ret < 0)
		return ret;
	if (!cursor_at_end(c)) {
		at = cursor_key(c);
		if (at.objectid == ino && at.type == KEY_EXTENT_DATA) {
			ret = file_range_decode(&at, cursor_data(c), cursor_size(c), sectorsize, r);
			if (ret)
				return ret;
			*end = r->file_offset + r->num_bytes;
			if (pos < *end)
				return 0;
		}
	}
	*end = UINT64_MAX; /* the extent found ends before @pos */
	ret = cursor_next(c);
	if (ret < 0)
		return ret;
	if (!cursor_at_end(c)) {
		at = cursor_key(c);
		if (at.objectid == ino && at.type == KEY_EXTENT_DATA)
			*end = at.offset;
	}
	return 1;
}
