/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. Outside the suspect parts both files have the same extents at the same places, so the same bytes.
 *  2. Ranges rise and do not touch one another.
 *  3. Once a difference is found where ranges are not wanted, nothing more is read of the file.
 */
#include "compare/content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define STEP (128u * 1024) /* what is read at a time: a compressed extent at most */

/* What a place in a file lies in, up to @end. */
struct piece {
	struct content_side *side;
	bool zero; /* a hole, or preallocated */
	struct file_range range;
	u64 end;
};

static int init_side(struct content_side *s, struct filesystem *fs, const struct tree *t, const char *called)
{
	int ret = data_reader_new(fs, &s->data);

	if (ret)
		return ret;
	s->called = called;
	cursor_init(&s->extents, t);
	csum_finder_init(&s->sums, fs);
	s->buf = malloc(STEP);
	return s->buf ? 0 : error_nomem(STEP);
}

static void release_side(struct content_side *s)
{
	if (!s->data)
		return;
	cursor_release(&s->extents);
	csum_finder_release(&s->sums);
	data_reader_free(s->data);
	free(s->buf);
}

int content_init(struct content *c, struct filesystem *fs, const struct tree *old, const struct tree *new,
		 const struct content_options *options)
{
	*c = (struct content){.fs = fs, .options = *options, .sectorsize = fs->facts->sectorsize};

	int ret = init_side(&c->old, fs, old, "old");

	if (!ret)
		ret = init_side(&c->new, fs, new, "new");
	if (!ret && c->sectorsize > STEP)
		ret = error_set(EOPNOTSUPP, "sectors of %u bytes", c->sectorsize);
	if (ret)
		return ret;
	memset(c->old.buf, 0, c->sectorsize);
	checksum_compute(fs->facts->csum_type, c->old.buf, c->sectorsize, c->zero_sum);
	return 0;
}

void content_release(struct content *c)
{
	release_side(&c->old);
	release_side(&c->new);
	free(c->ranges);
	*c = (struct content){0};
}

static void begin_side(struct content_side *s, const struct inode *i)
{
	s->ino = i->ino;
	s->size = i->size;
	s->verify = !(i->flags & INODE_NODATASUM);
}

void content_begin(struct content *c, const struct inode *old, const struct inode *new)
{
	begin_side(&c->old, old);
	begin_side(&c->new, new);
	c->common = min_u64(old->size, new->size);
	c->suspect = (struct byte_range){0};
	c->changed = false;
	c->count = 0;
}

static bool decided(const struct content *c)
{
	return c->changed && !c->options.ranges;
}

static int add_range(struct content *c, u64 start, u64 end)
{
	c->changed = true;
	if (!c->options.ranges)
		return 0;
	if (c->count && c->ranges[c->count - 1].end >= start) {
		c->ranges[c->count - 1].end = max_u64(c->ranges[c->count - 1].end, end);
		return 0;
	}
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 64;
		struct byte_range *grown = reallocarray(c->ranges, capacity, sizeof(*grown));

		if (!grown)
			return error_nomem(capacity * sizeof(*grown));
		c->ranges = grown;
		c->capacity = capacity;
	}
	c->ranges[c->count++] = (struct byte_range){start, end};
	return 0;
}

/* The sector that holds @at differs. */
static int mark_sector(struct content *c, u64 at)
{
	u64 start = align_down(at, c->sectorsize);

	return add_range(c, start, start + min_u64(c->sectorsize, c->common - start));
}

static int find_piece(struct content *c, struct content_side *s, u64 pos, struct piece *p)
{
	int ret = file_range_at(&s->extents, s->ino, pos, c->sectorsize, &p->range, &p->end);

	if (ret < 0)
		return ret;
	p->side = s;
	p->zero = ret || p->range.type == FILE_EXTENT_PREALLOC ||
		  (p->range.type == FILE_EXTENT_REG && !p->range.disk_bytenr);
	return 0;
}

static bool is_regular(const struct piece *p)
{
	return !p->zero && p->range.type == FILE_EXTENT_REG;
}

/* How far into its uncompressed extent file position @pos of a regular piece is. */
static u64 extent_offset(const struct piece *p, u64 pos)
{
	return p->range.offset + (pos - p->range.file_offset);
}

/* Where @pos of a regular and uncompressed piece lies. */
static u64 address(const struct piece *p, u64 pos)
{
	return p->range.disk_bytenr + extent_offset(p, pos);
}

/* Two parts of compressed extents that are equal if the extents are equal on disk. */
static bool packed_alike(const struct piece *a, const struct piece *b, u64 pos)
{
	const struct file_range *x = &a->range, *y = &b->range;

	return is_regular(a) && is_regular(b) && x->compression && x->compression == y->compression &&
	       x->disk_num_bytes == y->disk_num_bytes && x->ram_bytes == y->ram_bytes &&
	       extent_offset(a, pos) == extent_offset(b, pos);
}

static bool same_extent(const struct piece *a, const struct piece *b, u64 pos)
{
	if (a->zero || b->zero)
		return a->zero && b->zero;
	if (packed_alike(a, b, pos))
		return a->range.disk_bytenr == b->range.disk_bytenr;
	return is_regular(a) && is_regular(b) && !a->range.compression && !b->range.compression &&
	       address(a, pos) == address(b, pos);
}

static int read_piece(struct piece *p, u64 pos, size_t len)
{
	struct content_side *s = p->side;
	int ret = 0;

	if (p->zero)
		memset(s->buf, 0, len);
	else
		ret = data_read(s->data, &p->range, pos - p->range.file_offset, s->buf, len, s->verify);
	return ret ? error_wrap(ret, "%s at %" PRIu64, s->called, pos) : 0;
}

/* [pos, pos + len) by the bytes themselves. */
static int compare_bytes(struct content *c, struct piece *old, struct piece *new, u64 pos, u64 len)
{
	for (size_t n; len && !decided(c); pos += n, len -= n) {
		n = min_u64(len, STEP);

		int ret = read_piece(old, pos, n);

		if (!ret)
			ret = read_piece(new, pos, n);
		if (ret)
			return ret;
		if (!memcmp(c->old.buf, c->new.buf, n))
			continue;
		for (size_t at = 0, m; at < n; at += m) {
			m = min_u64(n - at, c->sectorsize - (pos + at) % c->sectorsize);
			if (memcmp(c->old.buf + at, c->new.buf + at, m))
				ret = mark_sector(c, pos + at);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Whether there is a checksum for each sector of what the file shows. */
static bool has_sums(const struct content *c, const struct piece *p)
{
	if (c->options.data)
		return false;
	return p->zero || (p->side->verify && is_regular(p) && !p->range.compression);
}

/* The checksums from an address on, taken up anew where an item of the csum tree ends. */
struct sums {
	struct piece *piece;
	u64 logical;
	const u8 *at;
	u64 left;
};

static int next_sum(struct content *c, struct sums *s, const u8 **out)
{
	if (s->piece->zero) {
		*out = c->zero_sum;
		return 0;
	}
	if (!s->left) {
		int ret = csum_find(&s->piece->side->sums, s->logical, &s->at, &s->left);

		if (ret) {
			error_wrap(ret, "%s", s->piece->side->called);
			return ret;
		}
	}
	*out = s->at;
	s->at += c->fs->facts->csum_size;
	s->left--;
	s->logical += c->sectorsize;
	return 0;
}

/* 1: the next checksums are the same; 0: they are not; or an error. */
static int next_sums_equal(struct content *c, struct sums *a, struct sums *b)
{
	const u8 *x, *y;
	int ret = next_sum(c, a, &x);

	if (!ret)
		ret = next_sum(c, b, &y);
	return ret ? ret : !memcmp(x, y, c->fs->facts->csum_size);
}

/* [pos, pos + len), pos at a sector's start, by checksums.  Of a last sector that is not wanted whole they
 * cannot say that it differs. */
static int compare_sums(struct content *c, struct piece *old, struct piece *new, u64 pos, u64 len)
{
	struct sums a = {.piece = old, .logical = old->zero ? 0 : address(old, pos)};
	struct sums b = {.piece = new, .logical = new->zero ? 0 : address(new, pos)};

	for (u64 end = pos + len; pos < end && !decided(c); pos += c->sectorsize) {
		int ret = next_sums_equal(c, &a, &b);

		if (!ret)
			ret = end - pos < c->sectorsize ? compare_bytes(c, old, new, pos, end - pos)
							: mark_sector(c, pos);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* 1 if two compressed extents of the same size have the same checksums on disk; 0 if not. */
static int same_packed(struct content *c, struct piece *old, struct piece *new)
{
	struct sums a = {.piece = old, .logical = old->range.disk_bytenr};
	struct sums b = {.piece = new, .logical = new->range.disk_bytenr};
	int ret = 1;

	for (u64 at = 0; at < old->range.disk_num_bytes && ret > 0; at += c->sectorsize)
		ret = next_sums_equal(c, &a, &b);
	return ret;
}

static int compare_pieces(struct content *c, struct piece *old, struct piece *new, u64 pos, u64 len)
{
	int ret;

	if (same_extent(old, new, pos))
		return 0;
	if (has_sums(c, old) && has_sums(c, new) && pos % c->sectorsize == 0)
		return compare_sums(c, old, new, pos, len);
	if (!c->options.data && c->old.verify && c->new.verify && packed_alike(old, new, pos)) {
		ret = same_packed(c, old, new);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return compare_bytes(c, old, new, pos, len);
}

static int compare_suspect(struct content *c)
{
	u64 end = min_u64(c->suspect.end, c->common), n;
	struct piece old, new;
	int ret = 0;

	for (u64 pos = c->suspect.start; pos < end && !ret && !decided(c); pos += n) {
		ret = find_piece(c, &c->old, pos, &old);
		if (!ret)
			ret = find_piece(c, &c->new, pos, &new);
		if (ret)
			break;
		n = min_u64(end, min_u64(old.end, new.end)) - pos;
		ret = compare_pieces(c, &old, &new, pos, n);
	}
	c->suspect = (struct byte_range){0};
	return ret;
}

int content_suspect(struct content *c, const struct key *key, const void *item, u32 size)
{
	struct byte_range *s = &c->suspect;
	struct file_range r;
	int ret = file_range_decode(key, item, size, c->sectorsize, &r);

	if (ret)
		return ret;

	u64 end = r.file_offset + r.num_bytes;

	if (s->end && r.file_offset <= s->end) {
		s->end = max_u64(s->end, end);
		return 0;
	}
	ret = compare_suspect(c);
	*s = (struct byte_range){r.file_offset, end};
	return ret;
}

int content_finish(struct content *c)
{
	u64 longer = max_u64(c->old.size, c->new.size);
	int ret = compare_suspect(c);

	if (ret || c->common == longer)
		return ret;
	return add_range(c, c->common, longer);
}
