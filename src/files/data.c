/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. With verification wanted, no byte of a sector leaves before the sector's checksum has been found in
 *     the csum tree and matched; where a copy fails, the others are tried, sector by sector.
 *  2. All that changes is in the reader.  Readers share the filesystem and nothing else.
 *  3. plain[] holds the extent that `cached` describes whenever cached.disk_bytenr is not 0.
 */
#include "files/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "files/csum.h"
#include "format/checksum.h"
#include "format/compress.h"

/* One read of a device at most; and the bounce buffer for what is not aligned. */
#define READ_MAX (1u << 20)
#define BOUNCE_SIZE COMPRESSED_EXTENT_MAX

struct data_reader {
	struct filesystem *fs;
	struct decompressor *decompressor;
	u32 seed; /* what the disk's seed has become behind one sector */
	struct csum_finder csums;
	struct {
		u64 disk_bytenr, disk_num_bytes, ram_bytes;
		u8 compression;
		bool verified;
	} cached;
	u8 bounce[BOUNCE_SIZE];
	u8 plain[COMPRESSED_EXTENT_MAX];
};

int data_reader_new(struct filesystem *fs, struct data_reader **out)
{
	struct data_reader *d = malloc(sizeof(*d));
	int ret;

	if (!d)
		return error_nomem(sizeof(*d));
	d->fs = fs;
	d->cached.disk_bytenr = 0;
	d->seed = crc32c_zeros(~0u, fs->facts->sectorsize);
	ret = decompressor_new(&d->decompressor);
	if (ret) {
		free(d);
		return ret;
	}
	csum_finder_init(&d->csums, fs);
	*out = d;
	return 0;
}

void data_reader_free(struct data_reader *d)
{
	if (!d)
		return;
	csum_finder_release(&d->csums);
	decompressor_free(d->decompressor);
	free(d);
}

/* A place in the checksums. */
struct sums_at {
	const u8 *sums;
	u64 count; /* of those that follow in the same item */
};

/* The stream's crc of a sector, from the disk's: they differ by inversion and seed alone. */
static u32 raw_of(const struct data_reader *d, const u8 *sum)
{
	return ~get_le32(sum) ^ d->seed;
}

static bool sector_good(const struct data_reader *d, const u8 *sector, const u8 *want, u8 *found)
{
	const struct volume_facts *f = d->fs->facts;

	checksum_compute(f->csum_type, sector, f->sectorsize, found);
	return !memcmp(found, want, f->csum_size);
}

#define SUM_TEXT_MAX (2 * CHECKSUM_SIZE_MAX + 1)

static const char *sum_text(const struct data_reader *d, const u8 *sum, char buf[SUM_TEXT_MAX])
{
	for (size_t i = 0; i < d->fs->facts->csum_size; i++)
		snprintf(buf + 2 * i, SUM_TEXT_MAX - 2 * i, "%02x", sum[i]);
	return buf;
}

/*
 * The sector at @logical did not match @want: try all copies, the first as well (it may have come from
 * another one), and keep the sentence of the first that failed.
 */
static int recover_sector(struct data_reader *d, u64 logical, u8 *sector, const u8 *want)
{
	const struct volume_facts *f = d->fs->facts;
	char where[VOLUME_WHERE_MAX], found_text[SUM_TEXT_MAX], want_text[SUM_TEXT_MAX];
	u8 found[CHECKSUM_SIZE_MAX];
	struct error first = {0};
	int copies = volume_copies(d->fs->volume, logical);

	if (copies < 0)
		return copies;
	for (unsigned copy = 0; copy < (unsigned)copies; copy++) {
		int ret = volume_read(d->fs->volume, logical, sector, f->sectorsize, copy);

		if (!ret && sector_good(d, sector, want, found))
			return 0;
		if (!ret)
			ret = error_set(EIO, "data at %s: checksum mismatch (found %s, wanted %s)",
					volume_where(d->fs->volume, logical, copy, where),
					sum_text(d, found, found_text), sum_text(d, want, want_text));
		if (!first.code)
			error_save(&first, ret);
	}
	if (copies == 1)
		return error_set(EIO, "%s, no other copy", first.text);
	return error_set(EIO, "%s, nor is one of the other copies good (%d tried)", first.text, copies);
}

/* From the first copy that can be read. */
static int read_any_copy(struct data_reader *d, u64 logical, u8 *buf, size_t len)
{
	struct error first;
	int copies, ret = volume_read(d->fs->volume, logical, buf, len, 0);

	if (!ret)
		return 0;
	error_save(&first, ret);
	copies = volume_copies(d->fs->volume, logical);
	for (int copy = 1; copy < copies && ret; copy++)
		ret = volume_read(d->fs->volume, logical, buf, len, (unsigned)copy);
	return ret ? error_restore(&first) : 0;
}

/*
 * Verify the sectors at @logical, which have been read unless @unread, and replace those that do not match.
 * *@crc, where not NULL, is carried on over them.
 */
static int check_sectors(struct data_reader *d, u64 logical, u8 *buf, size_t len, bool unread,
			 struct sums_at *at, u32 *crc)
{
	const struct volume_facts *f = d->fs->facts;
	u8 found[CHECKSUM_SIZE_MAX];

	for (u8 *p = buf; p < buf + len; p += f->sectorsize) {
		int ret = at->count ? 0 : csum_find(&d->csums, logical, &at->sums, &at->count);

		if (!ret && (unread || !sector_good(d, p, at->sums, found)))
			ret = recover_sector(d, logical, p, at->sums);
		if (ret)
			return ret;
		if (crc)
			*crc = f->csum_type == CHECKSUM_CRC32C
				       ? crc32c_combine(*crc, raw_of(d, at->sums), f->sectorsize)
				       : crc32c_raw(*crc, p, f->sectorsize);
		logical += f->sectorsize;
		at->sums += f->csum_size;
		at->count--;
	}
	return 0;
}

/* [@logical, @logical + @len), both of them multiples of the sector size, at most READ_MAX. */
static int read_sectors(struct data_reader *d, u64 logical, u8 *buf, size_t len, bool verify)
{
	struct sums_at at = {0};
	int unread = read_any_copy(d, logical, buf, len);

	/* Where no copy could be read as a whole, the checksums tell their good parts. */
	if (!verify)
		return unread;
	return check_sectors(d, logical, buf, len, unread, &at, NULL);
}

int data_read_pieces(struct data_reader *d, u64 logical, struct data_piece *piece, size_t count,
		     bool verify, size_t *bad)
{
	struct iovec iov[DATA_PIECES_MAX];
	struct sums_at at = {0};
	int ret;

	for (size_t i = 0; i < count; i++)
		iov[i] = (struct iovec){piece[i].to, piece[i].len};
	ret = volume_readv(d->fs->volume, logical, iov, (int)count, 0);

	const bool unread = ret;

	for (size_t i = 0; i < count; i++) {
		struct data_piece *p = &piece[i];

		p->crc = 0;
		*bad = i;
		if (unread)
			ret = read_sectors(d, logical, p->to, p->len, verify);
		else if (verify)
			ret = check_sectors(d, logical, p->to, p->len, false, &at, &p->crc);
		if (ret)
			return ret;
		if (unread || !verify)
			p->crc = crc32c_raw(0, p->to, p->len);
		logical += p->len;
	}
	return 0;
}

int data_read_raw(struct data_reader *d, u64 logical, void *buf, size_t len, bool verify)
{
	u32 sectorsize = d->fs->facts->sectorsize;
	u8 *p = buf;
	u64 end;

	if (logical % sectorsize || len % sectorsize || !add_ok(logical, len, &end))
		return error_set(EINVAL, "data at logical %" PRIu64 ", %zu bytes: not whole sectors", logical,
				 len);
	for (size_t n; len; p += n, logical += n, len -= n) {
		n = min_u64(len, READ_MAX);

		int ret = read_sectors(d, logical, p, n, verify);

		if (ret)
			return ret;
	}
	return 0;
}

/* Any bytes: aligned runs go straight to their place, the rest by way of bounce[]. */
static int read_bytes(struct data_reader *d, u64 logical, u8 *buf, size_t len, bool verify)
{
	u32 sectorsize = d->fs->facts->sectorsize;
	int ret = 0;

	for (size_t n; len && !ret; buf += n, logical += n, len -= n) {
		size_t skip = logical % sectorsize;

		if (!skip && len >= sectorsize && (len % sectorsize == 0 || len > BOUNCE_SIZE)) {
			n = min_u64(align_down(len, sectorsize), READ_MAX);
			ret = read_sectors(d, logical, buf, n, verify);
			continue;
		}
		n = min_u64(len, BOUNCE_SIZE - skip);
		ret = read_sectors(d, logical - skip, d->bounce, align_up(skip + n, sectorsize), verify);
		if (!ret)
			memcpy(buf, d->bounce + skip, n);
	}
	return ret;
}

static int decompress_range(struct data_reader *d, const struct file_range *r, bool verify)
{
	int ret;

	if (d->cached.disk_bytenr && d->cached.disk_bytenr == r->disk_bytenr &&
	    d->cached.disk_num_bytes == r->disk_num_bytes && d->cached.ram_bytes == r->ram_bytes &&
	    d->cached.compression == r->compression && (d->cached.verified || !verify))
		return 0;
	d->cached.disk_bytenr = 0;
	ret = read_sectors(d, r->disk_bytenr, d->bounce, r->disk_num_bytes, verify);
	if (ret)
		return ret;
	ret = decompress_extent(d->decompressor, r->compression, d->bounce, r->disk_num_bytes, d->plain,
				r->ram_bytes, d->fs->facts->sectorsize);
	if (ret)
		return error_wrap(ret, "data at logical %" PRIu64, r->disk_bytenr);
	d->cached.disk_bytenr = r->disk_bytenr;
	d->cached.disk_num_bytes = r->disk_num_bytes;
	d->cached.ram_bytes = r->ram_bytes;
	d->cached.compression = r->compression;
	d->cached.verified = verify;
	return 0;
}

static int read_inline(struct data_reader *d, const struct file_range *r, u64 start, u8 *buf,
		       size_t len)
{
	const u8 *data = r->inline_data;
	size_t have = start < r->ram_bytes ? min_u64(len, r->ram_bytes - start) : 0;

	if (r->compression) {
		d->cached.disk_bytenr = 0;

		int ret = decompress_inline(d->decompressor, r->compression, r->inline_data, r->inline_len,
					    d->plain, r->ram_bytes, d->fs->facts->sectorsize);

		if (ret)
			return error_wrap(ret, "inline data");
		data = d->plain;
	}
	if (have)
		memcpy(buf, data + start, have);
	memset(buf + have, 0, len - have);
	return 0;
}

int data_read(struct data_reader *d, const struct file_range *r, u64 start, void *buf, size_t len,
	      bool verify)
{
	if (r->type == FILE_EXTENT_INLINE)
		return read_inline(d, r, start, buf, len);
	if (!range_within(start, len, r->num_bytes))
		return error_set(EINVAL, "read of [%" PRIu64 ", %" PRIu64 ") in a file extent of %" PRIu64
				 " bytes", start, start + len, r->num_bytes);
	if (r->type == FILE_EXTENT_PREALLOC || !r->disk_bytenr) {
		memset(buf, 0, len);
		return 0;
	}
	if (!r->compression)
		return read_bytes(d, r->disk_bytenr + r->offset + start, buf, len, verify);

	int ret = decompress_range(d, r, verify);

	if (!ret)
		memcpy(buf, d->plain + r->offset + start, len);
	return ret;
}
