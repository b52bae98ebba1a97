/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From plan to bytes.
 *
 * Each byte is read to the place in the stream where it goes out, and passed over once: the checksum that
 * verifies a sector is carried on into the checksum of its command.
 */
#include "send/fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/checksum.h"
#include "format/stream.h"

struct fetcher {
	struct filesystem *fs;
	struct data_reader *reader;
	struct data_piece piece[DATA_PIECES_MAX];
};

int fetcher_new(struct filesystem *fs, struct fetcher **out)
{
	struct fetcher *f = malloc(sizeof(*f));
	int ret;

	if (!f)
		return error_nomem(sizeof(*f));
	f->fs = fs;
	ret = data_reader_new(fs, &f->reader);
	if (ret) {
		free(f);
		return ret;
	}
	*out = f;
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	data_reader_free(f->reader);
	free(f);
}

static const struct slice *slice_of(const struct batch *b, const struct op *op)
{
	return op->slice == NO_SLICE ? NULL : &b->slices[op->slice];
}

/* Where the bytes of a slice lie as they are, whole sectors of them; 0: they do not. */
static u64 plain_at(const struct filesystem *fs, const struct slice *s, u32 len)
{
	const u64 mask = fs->facts->sectorsize - 1;
	const struct file_range *r = &s->range;
	u64 at;

	if (s->kind == SLICE_RAW && r->type != FILE_EXTENT_INLINE)
		return r->disk_bytenr;
	if (s->kind != SLICE_RANGE || r->type != FILE_EXTENT_REG || !r->disk_bytenr ||
	    r->compression != COMPRESSION_NONE)
		return 0;
	at = r->disk_bytenr + r->offset + s->start;
	return (at & mask) || (len & mask) ? 0 : at;
}

static int failed(int ret, const struct slice *s)
{
	return error_wrap(ret, "inode %" PRIu64 ": file offset %" PRIu64, s->ino,
			  s->range.file_offset + s->start);
}

static int read_slice(struct fetcher *f, const struct batch *b, const struct slice *s, u8 *to, u32 len)
{
	struct file_range r = s->range;
	int ret;

	if (r.type == FILE_EXTENT_INLINE)
		r.inline_data = b->bytes.data + s->inline_at;
	switch (s->kind) {
	case SLICE_ZERO:
		memset(to, 0, len);
		return 0;
	case SLICE_RAW: /* inline: the rest is read by read_plain() */
		memcpy(to, r.inline_data, len);
		return 0;
	default:
		ret = data_read(f->reader, &r, s->start, to, len, s->verify);
		return ret ? failed(ret, s) : 0;
	}
}

/* Copy a command's head to its place and start its checksum. */
static u32 put_head(const struct batch *b, const struct op *op, u8 *at)
{
	memcpy(at, b->bytes.data + op->at, op->len);
	return op->cmd ? crc32c_raw(0, at, op->len) : 0;
}

static void put_crc(const struct op *op, u8 *at, u32 crc)
{
	if (op->cmd)
		((struct stream_command *)at)->crc = le32_of(crc);
}

/*
 * Commands whose data lies in one row on disk, from @first on: read at once.  Returns how many, or an
 * error.
 */
static int read_plain(struct fetcher *f, const struct batch *b, size_t first, size_t last, u8 *out)
{
	const struct slice *s = slice_of(b, &b->ops[first]);
	const u64 start = plain_at(f->fs, s, b->ops[first].data_len);
	u32 crc[DATA_PIECES_MAX];
	u64 end = start;
	u8 *at = out;
	size_t n = 0, bad;
	int ret;

	for (size_t i = first; i < last && n < DATA_PIECES_MAX; i++) {
		const struct op *op = &b->ops[i];
		const struct slice *next = slice_of(b, op);

		if (!next || next->verify != s->verify || plain_at(f->fs, next, op->data_len) != end)
			break;
		crc[n] = put_head(b, op, at);
		f->piece[n++] = (struct data_piece){.to = at + op->len, .len = op->data_len};
		at += op_bytes(op);
		end += op->data_len;
	}
	ret = data_read_pieces(f->reader, start, f->piece, n, s->verify, &bad);
	if (ret)
		return failed(ret, slice_of(b, &b->ops[first + bad]));
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &b->ops[first + i];

		put_crc(op, out, crc32c_combine(crc[i], f->piece[i].crc, op->data_len));
		out += op_bytes(op);
	}
	return (int)n;
}

int fetcher_render(struct fetcher *f, const struct batch *b, size_t first, size_t last, u8 *out)
{
	for (size_t i = first; i < last;) {
		const struct op *op = &b->ops[i];
		const struct slice *s = slice_of(b, op);
		int ret;

		if (s && plain_at(f->fs, s, op->data_len)) {
			ret = read_plain(f, b, i, last, out);
			if (ret < 0)
				return ret;
			for (; ret; ret--)
				out += op_bytes(&b->ops[i++]);
			continue;
		}

		u32 crc = put_head(b, op, out);

		if (s) {
			ret = read_slice(f, b, s, out + op->len, op->data_len);
			if (ret)
				return ret;
			crc = crc32c_raw(crc, out + op->len, op->data_len);
		}
		put_crc(op, out, crc);
		out += op_bytes(op);
		i++;
	}
	return 0;
}

/* What a slice takes from the disk: [*at, *at + *len). */
static bool on_disk(const struct filesystem *fs, const struct slice *s, u32 data_len, u64 *at, u64 *len)
{
	const struct file_range *r = &s->range;
	const u32 sectorsize = fs->facts->sectorsize;

	if (s->kind == SLICE_ZERO || r->type != FILE_EXTENT_REG || !r->disk_bytenr)
		return false;
	if (s->kind == SLICE_RAW || r->compression != COMPRESSION_NONE) {
		*at = r->disk_bytenr;
		*len = r->disk_num_bytes;
		return true;
	}
	*at = align_down(r->disk_bytenr + r->offset + s->start, sectorsize);
	*len = align_up(r->disk_bytenr + r->offset + s->start + data_len, sectorsize) - *at;
	return true;
}

void fetch_ahead(struct filesystem *fs, const struct batch *b, size_t first, size_t last)
{
	u64 start = 0, end = 0, at, len;

	for (size_t i = first; i < last; i++) {
		const struct slice *s = slice_of(b, &b->ops[i]);

		if (!s || !on_disk(fs, s, b->ops[i].data_len, &at, &len))
			continue;
		if (at >= start && at <= end) {
			end = max_u64(end, at + len);
			continue;
		}
		if (end > start)
			volume_prefetch(fs->volume, start, end - start);
		start = at;
		end = at + len;
	}
	if (end > start)
		volume_prefetch(fs->volume, start, end - start);
}
