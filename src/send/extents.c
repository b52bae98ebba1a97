/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File data: which ranges go out, as writes, clones or holes.
 *
 * Rules
 *  1. An extent goes out unless the parent snapshot has the same bytes of the same extent, of the same
 *     generation, all along its range.
 *  2. Preallocated ranges and holes of a new file go out as nothing.  In a changed file a hole that the
 *     parent has not is punched (protocol 2) or written as zeros (protocol 1), and a preallocated range
 *     is written like data.
 *  3. Nothing is written past the file's size.
 *  4. An encoded write is made only where it is not longer than the bytes it stands for.
 */
#include "send/extents.h"

#include <linux/falloc.h>
#include <sys/stat.h>

#include "base/error.h"
#include "send/attributes.h"
#include "send/clone.h"
#include "send/names.h"

/* The kernel rounds inline data up to its own page here, not to the sector. */
#define KERNEL_PAGE 4096

u64 file_range_end(const struct file_range *r, u32 sectorsize)
{
	if (r->type == FILE_EXTENT_INLINE)
		return align_up(r->file_offset + r->ram_bytes, sectorsize);
	return r->file_offset + r->num_bytes;
}

static u32 sectorsize_of(const struct send_plan *p)
{
	return p->fs->facts->sectorsize;
}

int plan_decode_range(struct send_plan *p, const struct cursor *c, struct file_range *out)
{
	struct key k = cursor_key(c);

	return file_range_decode(&k, cursor_data(c), cursor_size(c), sectorsize_of(p), out);
}

static int decode(struct send_plan *p, struct extent_at *at)
{
	return file_range_decode(&at->key, leaf_data(at->leaf, at->slot),
				 leaf_size(at->leaf, at->slot), sectorsize_of(p), &at->range);
}

/* Commands of the current inode's path and a range without data. */
static int send_range(struct send_plan *p, u16 cmd, u64 offset, u64 len)
{
	struct encoder c;
	int ret = plan_begin_here(p, &c, cmd);

	if (ret)
		return ret;
	if (cmd == STREAM_C_FALLOCATE)
		encoder_put_u32(&c, STREAM_A_FALLOCATE_MODE,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	encoder_put_u64(&c, STREAM_A_FILE_OFFSET, offset);
	encoder_put_u64(&c, STREAM_A_SIZE, len);
	return plan_end(p, &c);
}

/* WRITE commands for [offset, offset + len), each as long as the protocol lets it be. */
static int send_writes(struct send_plan *p, struct slice *s, u64 offset, u64 len)
{
	const u64 max = stream_write_max(p->options.proto);
	int ret = 0;

	while (!ret && len) {
		u32 size = (u32)min_u64(len, max);
		struct encoder c;

		s->start = offset - s->range.file_offset;
		ret = plan_begin_here(p, &c, STREAM_C_WRITE);
		if (ret)
			return ret;
		encoder_put_u64(&c, STREAM_A_FILE_OFFSET, offset);
		encoder_put_data_header(&c, size);
		ret = plan_end_data(p, &c, s, size);
		offset += size;
		len -= size;
	}
	return ret;
}

static u32 encoded_compression(const struct send_plan *p, u8 compression)
{
	switch (compression) {
	case COMPRESSION_ZLIB:
		return STREAM_COMPRESSION_ZLIB;
	case COMPRESSION_ZSTD:
		return STREAM_COMPRESSION_ZSTD;
	default:
		return STREAM_COMPRESSION_LZO_4K +
		       (u32)__builtin_ctz(sectorsize_of(p) / 4096);
	}
}

static int send_encoded(struct send_plan *p, struct slice *s, u64 offset, u64 len)
{
	const struct file_range *r = &s->range;
	const bool is_inline = r->type == FILE_EXTENT_INLINE;
	const u64 in_file = is_inline ? r->ram_bytes : r->num_bytes;
	const u32 size = is_inline ? r->inline_len : (u32)r->disk_num_bytes;
	struct encoder c;
	int ret = plan_begin_here(p, &c, STREAM_C_ENCODED_WRITE);

	if (ret)
		return ret;
	encoder_put_u64(&c, STREAM_A_FILE_OFFSET, offset);
	encoder_put_u64(&c, STREAM_A_UNENCODED_FILE_LEN,
			min_u64(r->file_offset + in_file - offset, len));
	encoder_put_u64(&c, STREAM_A_UNENCODED_LEN, r->ram_bytes);
	encoder_put_u64(&c, STREAM_A_UNENCODED_OFFSET,
			offset - r->file_offset + (is_inline ? 0 : r->offset));
	encoder_put_u32(&c, STREAM_A_COMPRESSION, encoded_compression(p, r->compression));
	if (!is_inline)
		encoder_put_u32(&c, STREAM_A_ENCRYPTION, 0);
	encoder_put_data_header(&c, size);
	s->kind = SLICE_RAW;
	return plan_end_data(p, &c, s, size);
}

int plan_write(struct send_plan *p, const struct file_range *r, u64 offset, u64 len)
{
	if (p->options.no_data)
		return send_range(p, STREAM_C_UPDATE_EXTENT, offset, len);

	struct slice s = {.kind = SLICE_RANGE,
			  .verify = !(p->cur_flags & INODE_NODATASUM),
			  .ino = p->cur_ino,
			  .range = *r};

	if (r->type == FILE_EXTENT_INLINE) {
		s.inline_at = p->batch->bytes.len;

		int ret = buffer_append(&p->batch->bytes, r->inline_data, r->inline_len);

		if (ret)
			return ret;
	}
	if (p->options.compressed_data && r->compression != COMPRESSION_NONE &&
	    (r->type == FILE_EXTENT_INLINE ? r->inline_len : r->disk_num_bytes) <= len)
		return send_encoded(p, &s, offset, len);
	return send_writes(p, &s, offset, len);
}

static int send_hole(struct send_plan *p, u64 end)
{
	u64 offset = p->last_extent;

	if (p->options.proto >= 2)
		return send_range(p, STREAM_C_FALLOCATE, offset, end - offset);
	/* Zeros past the end would only be cut off again. */
	if (offset >= p->cur_size)
		return 0;
	end = min_u64(end, p->cur_size);
	if (p->options.no_data)
		return send_range(p, STREAM_C_UPDATE_EXTENT, offset, end - offset);

	struct slice s = {.kind = SLICE_ZERO, .ino = p->cur_ino};
	int ret = send_writes(p, &s, offset, end - offset);

	if (!ret)
		p->next_write_offset = end;
	return ret;
}

/* Holes matter where the receiver has the old file. */
static bool has_old_file(const struct send_plan *p)
{
	return p->parent && !p->cur_new && !p->cur_new_gen && !p->cur_deleted &&
	       S_ISREG(p->cur_mode);
}

/* Set last_extent from the last item of the current inode that does not lie behind @offset. */
static int find_last_extent(struct send_plan *p, u64 offset)
{
	struct cursor *c = &p->send.extents;
	struct key k = key_of(p->cur_ino, KEY_EXTENT_DATA, offset);
	struct file_range r;
	int ret = cursor_seek_before(c, &k);

	p->last_extent = 0;
	if (ret < 0 || cursor_at_end(c))
		return ret < 0 ? ret : 0;
	k = cursor_key(c);
	if (k.objectid != p->cur_ino || k.type != KEY_EXTENT_DATA)
		return 0;
	ret = plan_decode_range(p, c, &r);
	if (!ret)
		p->last_extent = file_range_end(&r, sectorsize_of(p));
	return ret;
}

/* Stand on the parent's first item that may reach to @offset: 0, or an error. */
static int seek_parent_extent(struct send_plan *p, u64 offset)
{
	struct cursor *c = &p->parent->extents;
	struct key k = key_of(p->cur_ino, KEY_EXTENT_DATA, offset);
	int ret = cursor_seek_before(c, &k);

	if (ret >= 0 && cursor_at_end(c))
		ret = cursor_seek(c, &k);
	return ret < 0 ? ret : 0;
}

static int is_hole_in_parent(struct send_plan *p, u64 start, u64 end)
{
	struct cursor *c = &p->parent->extents;
	u64 at = start;
	int ret = seek_parent_extent(p, start);

	for (; !ret && at < end && !cursor_at_end(c); ret = cursor_next(c)) {
		struct key k = cursor_key(c);
		struct file_range r;

		if (k.objectid > p->cur_ino)
			break;
		if (k.objectid < p->cur_ino || k.type < KEY_EXTENT_DATA)
			continue;
		if (k.type > KEY_EXTENT_DATA || k.offset >= end)
			break;
		ret = plan_decode_range(p, c, &r);
		if (ret)
			return ret;

		u64 range_end = file_range_end(&r, sectorsize_of(p));

		if (range_end <= start)
			continue;
		if (r.type == FILE_EXTENT_INLINE || r.disk_bytenr)
			return 0;
		at = range_end;
	}
	return ret < 0 ? ret : 1;
}

static int hole_unless_in_parent(struct send_plan *p, u64 end)
{
	int ret = is_hole_in_parent(p, p->last_extent, end);

	if (ret)
		return ret < 0 ? ret : 0;
	return send_hole(p, end);
}

int plan_hole_before(struct send_plan *p, struct extent_at *at)
{
	int ret = 0;

	if (p->cur_ino != at->key.objectid || !has_old_file(p))
		return 0;
	/* At a leaf's first slot leaves may have been passed over that the snapshots share, with
	 * extents of this file in them. */
	if (p->last_extent == UINT64_MAX || (!at->slot && p->last_extent < at->key.offset))
		ret = find_last_extent(p, at->key.offset - 1);
	if (!ret)
		ret = decode(p, at);
	if (!ret && p->last_extent < at->key.offset)
		ret = hole_unless_in_parent(p, at->key.offset);
	if (!ret)
		p->last_extent = file_range_end(&at->range, sectorsize_of(p));
	return ret;
}

int plan_last_hole(struct send_plan *p)
{
	int ret = 0;

	if (!has_old_file(p))
		return 0;
	if (p->last_extent == UINT64_MAX || p->last_extent < p->cur_size)
		ret = find_last_extent(p, UINT64_MAX);
	if (!ret && p->last_extent < p->cur_size)
		ret = hole_unless_in_parent(p, p->cur_size);
	return ret;
}

/*
 * Whether the parent has the same bytes of the same extent all along the range: 1, 0, or an error.
 * The parent's items may begin before it, be split otherwise, or end within it.
 */
static int is_unchanged(struct send_plan *p, const struct file_range *left)
{
	struct cursor *c = &p->parent->extents;
	const u64 start = left->file_offset, end = start + left->num_bytes;
	/* A hole counts as unchanged where the parent has nothing at all. */
	const int nothing = left->disk_bytenr ? 0 : 1;
	struct key k = key_of(p->cur_ino, KEY_EXTENT_DATA, start);
	struct file_range r;
	u64 at;
	int ret;

	if (left->type != FILE_EXTENT_REG)
		return 0;
	ret = cursor_seek_before(c, &k);
	if (ret < 0 || cursor_at_end(c))
		return ret < 0 ? ret : 0;
	k = cursor_key(c);
	if (k.objectid != p->cur_ino || k.type != KEY_EXTENT_DATA)
		return nothing;
	for (at = k.offset; at < end; at = k.offset) {
		ret = plan_decode_range(p, c, &r);
		if (ret)
			return ret;
		if (r.type == FILE_EXTENT_PREALLOC)
			return 0;

		u64 len = r.type == FILE_EXTENT_INLINE ? align_up(r.ram_bytes, KERNEL_PAGE)
						       : r.num_bytes;

		if (r.file_offset + len <= start)
			return nothing;
		if (r.type == FILE_EXTENT_INLINE)
			return 0;

		u64 left_offset = left->offset, right_offset = r.offset;

		if (r.file_offset < start)
			right_offset += start - r.file_offset;
		else
			left_offset += r.file_offset - start;
		if (left->disk_bytenr != r.disk_bytenr || left_offset != right_offset ||
		    left->generation != r.generation)
			return 0;
		ret = cursor_next(c);
		if (ret < 0)
			return ret;
		if (!ret)
			k = cursor_key(c);
		if (ret || k.objectid != p->cur_ino || k.type != KEY_EXTENT_DATA)
			return r.file_offset + len >= end;
		if (k.offset != r.file_offset + len)
			return 0;
	}
	return 1;
}

static int write_or_clone(struct send_plan *p, const struct file_range *r, struct clone_source *from)
{
	const u64 offset = r->file_offset;
	const u64 end = min_u64(file_range_end(r, sectorsize_of(p)), p->cur_size);
	int ret;

	if (offset >= end)
		return 0;
	ret = from ? plan_can_clone(p, from, offset, end) : 0;
	if (ret < 0)
		return ret;
	if (ret)
		ret = plan_clone_range(p, r, from, offset, end - offset);
	else
		ret = plan_write(p, r, offset, end - offset);
	p->next_write_offset = end;
	return ret;
}

int plan_extent(struct send_plan *p, struct extent_at *at)
{
	struct clone_source *from = NULL;
	int ret;

	if (S_ISLNK(p->cur_mode))
		return 0;
	ret = decode(p, at);
	if (ret)
		return ret;

	const struct file_range *r = &at->range;

	if (p->parent && !p->cur_new) {
		ret = is_unchanged(p, r);
		if (ret)
			return ret < 0 ? ret : plan_hole_before(p, at);
	} else if (r->type == FILE_EXTENT_PREALLOC ||
		   (r->type == FILE_EXTENT_REG && !r->disk_bytenr)) {
		return 0;
	}
	ret = plan_find_clone(p, at, &from);
	if (!ret)
		ret = write_or_clone(p, r, from);
	return ret ? ret : plan_hole_before(p, at);
}

int plan_all_extents(struct send_plan *p)
{
	struct cursor *c = &p->send.walk;
	int ret = plan_first(c, p->cur_ino, KEY_EXTENT_DATA, 0);

	for (; ret > 0; ret = plan_next(c, p->cur_ino, KEY_EXTENT_DATA)) {
		struct extent_at at = {.leaf = c->node[0], .slot = c->slot[0], .key = cursor_key(c)};
		int err = plan_extent(p, &at);

		if (err)
			return err;
	}
	return ret;
}
