/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decompression.  What is accepted and what is refused follows the kernel: data that fills the
 * output is good whatever comes behind it, data that breaks off in the midst of a stream is not.
 *
 * Each codec writes straight into the output and says how much of it it has filled.
 */
#include "format/compress.h"

#include <stdlib.h>
#include <string.h>

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif

#include "base/error.h"

/* The kernel gives a zstd frame no more room than this to look back into. */
#define ZSTD_WINDOW_LOG_MAX 17

#define LZO_LENGTH_SIZE 4
#define LZO_SECTOR_MAX 65536u
/* What n bytes may grow to when they do not compress. */
#define LZO_WORST(n) ((n) + (n) / 16 + 64 + 3)

struct decompressor {
	struct inflate_state inflate;
	ZSTD_DCtx *zstd;
#ifdef HAVE_LZO
	u8 segment[LZO_WORST(LZO_SECTOR_MAX)]; /* one that the output may be too small for */
#endif
};

const char *compression_name(u8 type)
{
	static const char *const names[] = {
		[COMPRESSION_NONE] = "none",
		[COMPRESSION_ZLIB] = "zlib",
		[COMPRESSION_LZO] = "lzo",
		[COMPRESSION_ZSTD] = "zstd",
	};

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}

int decompressor_new(struct decompressor **out)
{
	struct decompressor *d = malloc(sizeof(*d));

	if (!d)
		return error_nomem(sizeof(*d));
	d->zstd = ZSTD_createDCtx();
	if (!d->zstd) {
		free(d);
		return error_set(ENOMEM, "out of memory for a zstd decompressor");
	}
	ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	*out = d;
	return 0;
}

void decompressor_free(struct decompressor *d)
{
	if (!d)
		return;
	ZSTD_freeDCtx(d->zstd);
	free(d);
}

static const char *inflate_error(int ret)
{
	switch (ret) {
	case ISAL_END_INPUT: return "the stream breaks off";
	case ISAL_INVALID_BLOCK: return "invalid block";
	case ISAL_INVALID_SYMBOL: return "invalid symbol";
	case ISAL_INVALID_LOOKBACK: return "reference to before the start";
	default: return "invalid stream";
	}
}

/* The checksum at the end of the stream is not looked at, nor does the kernel: the data is
 * covered by the filesystem's own. */
static int decompress_zlib(struct decompressor *d, const u8 *in, size_t in_len, u8 *out,
			   size_t out_len, size_t *filled)
{
	const u8 deflate = 8, preset_dictionary = 0x20;

	if (in_len < 2 || (in[0] & 15) != deflate || in[0] >> 4 > 7 || in[1] & preset_dictionary ||
	    (in[0] << 8 | in[1]) % 31)
		return error_set(EIO, "zlib: not a zlib stream without dictionary");

	struct inflate_state *s = &d->inflate;

	isal_inflate_init(s);
	s->next_in = (u8 *)in + 2;
	s->avail_in = (u32)in_len - 2;
	s->next_out = out;
	s->avail_out = (u32)out_len;

	int ret = isal_inflate_stateless(s);

	/* On some damage ISA-L counts on past the end (though it writes nothing there). */
	if (s->avail_out > out_len)
		return error_set(EIO, "zlib: %s", inflate_error(ret));
	*filled = out_len - s->avail_out;
	if (ret != ISAL_DECOMP_OK && *filled < out_len)
		return error_set(EIO, "zlib: %s behind [0, %zu) of %zu bytes", inflate_error(ret),
				 *filled, out_len);
	return 0;
}

static int decompress_zstd(struct decompressor *d, const u8 *in, size_t in_len, u8 *out,
			   size_t out_len, size_t *filled)
{
	ZSTD_inBuffer from = {in, in_len, 0};
	ZSTD_outBuffer to = {out, out_len, 0};
	size_t ret, before;

	ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
	do {
		before = from.pos + to.pos;
		ret = ZSTD_decompressStream(d->zstd, &to, &from);
		if (ZSTD_isError(ret))
			return error_set(EIO, "zstd: %s behind [0, %zu) of %zu bytes",
					 ZSTD_getErrorName(ret), to.pos, out_len);
	} while (ret && to.pos < out_len && from.pos + to.pos > before);
	if (ret && to.pos < out_len)
		return error_set(EIO, "zstd: the frame breaks off behind [0, %zu) of %zu bytes",
				 to.pos, out_len);
	*filled = to.pos;
	return 0;
}

#ifdef HAVE_LZO
/* One segment to the place *@filled of @out; what does not fit there is dropped. */
static int lzo_segment(struct decompressor *d, const u8 *in, size_t in_len, u8 *out, size_t out_len,
		       size_t segment_max, size_t *filled)
{
	size_t room = out_len - *filled;
	lzo_uint got = segment_max;
	u8 *to = room < segment_max ? d->segment : out + *filled;
	int ret = lzo1x_decompress_safe(in, in_len, to, &got, NULL);

	if (ret != LZO_E_OK)
		return error_set(EIO, "lzo: damaged segment of %zu bytes (error %d)"
				 " behind [0, %zu) of %zu bytes", in_len, ret, *filled, out_len);
	if (to == d->segment) {
		got = min_u64(got, room);
		memcpy(out + *filled, d->segment, got);
	}
	*filled += got;
	return 0;
}

static int decompress_lzo(struct decompressor *d, const u8 *in, size_t in_len, u8 *out,
			  size_t out_len, u32 sectorsize, size_t *filled)
{
	size_t total = in_len < LZO_LENGTH_SIZE ? 0 : get_le32(in);

	if (total < LZO_LENGTH_SIZE || total > in_len || align_up(total, sectorsize) < in_len)
		return error_set(EIO, "lzo: total length %zu in an extent of %zu bytes", total, in_len);

	for (size_t pos = LZO_LENGTH_SIZE; pos < total && *filled < out_len;) {
		size_t left = sectorsize - pos % sectorsize;

		if (left < LZO_LENGTH_SIZE) {
			pos += left;
			continue;
		}
		if (in_len - pos < LZO_LENGTH_SIZE)
			return error_set(EIO, "lzo: no segment at %zu of %zu", pos, in_len);

		size_t len = get_le32(in + pos);

		pos += LZO_LENGTH_SIZE;
		if (len > LZO_WORST(sectorsize) || len > in_len - pos)
			return error_set(EIO, "lzo: segment of %zu bytes at %zu of %zu", len, pos,
					 in_len);

		int ret = lzo_segment(d, in + pos, len, out, out_len, LZO_WORST(sectorsize), filled);

		if (ret)
			return ret;
		pos += len;
	}
	return 0;
}

static int decompress_lzo_inline(struct decompressor *d, const u8 *in, size_t in_len, u8 *out,
				 size_t out_len, u32 sectorsize, size_t *filled)
{
	const size_t lengths = 2 * LZO_LENGTH_SIZE;

	if (in_len <= lengths || get_le32(in) != in_len ||
	    get_le32(in + LZO_LENGTH_SIZE) != in_len - lengths)
		return error_set(EIO, "lzo: wrong lengths in an inline extent of %zu bytes", in_len);
	return lzo_segment(d, in + lengths, in_len - lengths, out, out_len, sectorsize, filled);
}
#endif

static int decompress(struct decompressor *d, u8 type, bool is_inline, const void *in, size_t in_len,
		      void *out, size_t out_len, u32 sectorsize, size_t *filled)
{
	*filled = 0;
	if (in_len > COMPRESSED_EXTENT_MAX || out_len > COMPRESSED_EXTENT_MAX)
		return error_set(EIO, "compressed extent of %zu bytes, %zu uncompressed: more than %u",
				 in_len, out_len, COMPRESSED_EXTENT_MAX);
	switch (type) {
	case COMPRESSION_ZLIB:
		return decompress_zlib(d, in, in_len, out, out_len, filled);
	case COMPRESSION_ZSTD:
		return decompress_zstd(d, in, in_len, out, out_len, filled);
	case COMPRESSION_LZO:
#ifdef HAVE_LZO
		return is_inline ? decompress_lzo_inline(d, in, in_len, out, out_len, sectorsize, filled)
				 : decompress_lzo(d, in, in_len, out, out_len, sectorsize, filled);
#else
		return error_set(EOPNOTSUPP, "lzo: not in this build");
#endif
	default:
		return error_set(EOPNOTSUPP, "unknown compression type %u", type);
	}
}

int decompress_extent(struct decompressor *d, u8 type, const void *in, size_t in_len, void *out,
		      size_t out_len, u32 sectorsize)
{
	size_t filled;
	int ret = decompress(d, type, false, in, in_len, out, out_len, sectorsize, &filled);

	if (!ret)
		memset((u8 *)out + filled, 0, out_len - filled);
	return ret;
}

int decompress_inline(struct decompressor *d, u8 type, const void *in, size_t in_len, void *out,
		      size_t out_len, u32 sectorsize)
{
	size_t filled;
	int ret = decompress(d, type, true, in, in_len, out, out_len, sectorsize, &filled);

	if (!ret && filled < out_len)
		return error_set(EIO, "%s: inline data ends after %zu of %zu bytes",
				 compression_name(type), filled, out_len);
	return ret;
}
