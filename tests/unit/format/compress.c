/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compressed data is made here, by the libraries; lzo's framing by hand, after the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif

#include "base/bytes.h"
#include "base/error.h"
#include "format/compress.h"

#define SECTOR 4096u
#define EXTENT COMPRESSED_EXTENT_MAX

/* Memory whose last byte is followed by a page that may not be touched: the libraries' inner loops
 * are assembly, which a sanitizer does not see. */
struct guarded {
	u8 *map, *end;
	size_t size;
};

static struct guarded guarded_new(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = {.size = align_up(size, page) + page};

	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(g.map != MAP_FAILED);
	g.end = g.map + g.size - page;
	assert_int_equal(mprotect(g.end, page, PROT_NONE), 0);
	return g;
}

struct fixture {
	struct decompressor *d;
	struct guarded in, out;
	u8 plain[EXTENT];
	u8 packed[2 * EXTENT];
	size_t packed_len;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(decompressor_new(&f->d), 0);
	f->in = guarded_new(EXTENT);
	f->out = guarded_new(EXTENT);
	srand(3);
	/* Words of a small vocabulary, with a stretch of noise every now and then. */
	for (size_t i = 0; i < EXTENT;) {
		size_t len = 1 + (size_t)rand() % 20;
		bool noise = rand() % 16 == 0;
		unsigned word = (unsigned)rand() % 50;

		for (size_t k = 0; k < len && i < EXTENT; k++, i++)
			f->plain[i] = noise ? (u8)rand() : (u8)(word * 5 + k);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	decompressor_free(f->d);
	munmap(f->in.map, f->in.size);
	munmap(f->out.map, f->out.size);
	free(f);
	return 0;
}

static void pack_zlib(struct fixture *f, size_t len, int level)
{
	uLongf got = sizeof(f->packed);

	assert_int_equal(compress2(f->packed, &got, f->plain, len, level), Z_OK);
	f->packed_len = got;
}

static void pack_zstd(struct fixture *f, size_t len, int level, int window_log)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	f->packed_len = ZSTD_compress2(c, f->packed, sizeof(f->packed), f->plain, len);
	assert_false(ZSTD_isError(f->packed_len));
	ZSTD_freeCCtx(c);
}

/* A frame that does not say how much it holds, as a stream is compressed. */
static void pack_zstd_stream(struct fixture *f, size_t len, int window_log)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_inBuffer in = {f->plain, len, 0};
	ZSTD_outBuffer out = {f->packed, sizeof(f->packed), 0};

	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	while (in.pos < in.size)
		assert_false(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)));
	assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
	f->packed_len = out.pos;
	ZSTD_freeCCtx(c);
}

#ifdef HAVE_LZO
/* Returns the fewest bytes that a sector had left at the end of a segment. */
static unsigned pack_lzo(struct fixture *f, size_t len, size_t piece)
{
	static u8 work[LZO1X_1_MEM_COMPRESS];
	size_t pos = 4;
	unsigned least = SECTOR;

	for (size_t i = 0; i < len; i += piece) {
		lzo_uint got;
		size_t left = SECTOR - pos % SECTOR;

		least = (unsigned)min_u64(least, left);
		if (left < 4) {
			memset(f->packed + pos, 0, left);
			pos += left;
		}
		lzo1x_1_compress(f->plain + i, min_u64(piece, len - i), f->packed + pos + 4, &got, work);
		put_le32(f->packed + pos, (u32)got);
		pos += 4 + got;
	}
	put_le32(f->packed, (u32)pos);
	f->packed_len = pos;
	return least;
}

static void pack_lzo_inline(struct fixture *f, size_t len)
{
	static u8 work[LZO1X_1_MEM_COMPRESS];
	lzo_uint got;

	lzo1x_1_compress(f->plain, len, f->packed + 8, &got, work);
	put_le32(f->packed, (u32)got + 8);
	put_le32(f->packed + 4, (u32)got);
	f->packed_len = got + 8;
}
#endif

/* Decompress @in_len bytes of f->packed into @out_len bytes, both of them right before a guard. */
static int unpack(struct fixture *f, u8 type, bool is_inline, size_t in_len, size_t out_len)
{
	u8 *in = f->in.end - in_len, *out = f->out.end - out_len;

	memcpy(in, f->packed, in_len);
	memset(out, 0xee, out_len);
	return is_inline ? decompress_inline(f->d, type, in, in_len, out, out_len, SECTOR)
			 : decompress_extent(f->d, type, in, in_len, out, out_len, SECTOR);
}

static void pad_to_sector(struct fixture *f)
{
	size_t len = align_up(f->packed_len, SECTOR);

	memset(f->packed + f->packed_len, 0, len - f->packed_len);
	f->packed_len = len;
}

/* The first @want bytes of @out_len are the plain text, the others zero. */
static void expect_extent(struct fixture *f, u8 type, size_t want, size_t out_len)
{
	if (unpack(f, type, false, f->packed_len, out_len))
		fail_msg("%s", error_message());
	assert_memory_equal(f->out.end - out_len, f->plain, want);
	for (size_t i = want; i < out_len; i++)
		assert_int_equal((f->out.end - out_len)[i], 0);
}

static void expect_failure(struct fixture *f, u8 type, bool is_inline, size_t in_len, size_t out_len,
			   const char *says)
{
	assert_int_equal(unpack(f, type, is_inline, in_len, out_len), -EIO);
	if (!strstr(error_message(), says))
		fail_msg("'%s' does not say '%s'", error_message(), says);
}

static void test_names(void **state)
{
	assert_string_equal(compression_name(COMPRESSION_NONE), "none");
	assert_string_equal(compression_name(COMPRESSION_ZLIB), "zlib");
	assert_string_equal(compression_name(COMPRESSION_LZO), "lzo");
	assert_string_equal(compression_name(COMPRESSION_ZSTD), "zstd");
	assert_null(compression_name(4));
}

static void test_unknown_type(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unpack(f, 4, false, 100, 100), -EOPNOTSUPP);
	assert_string_equal(error_message(), "unknown compression type 4");
	assert_int_equal(unpack(f, COMPRESSION_NONE, false, 100, 100), -EOPNOTSUPP);
}

static void test_zlib(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {1, 100, 4096, 8192, 100000, EXTENT};

	for (int level = 0; level <= 9; level += 3)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			/* Stored blocks need more room than the format has. */
			if (!level && sizes[i] > EXTENT / 2)
				continue;
			pack_zlib(f, sizes[i], level);
			pad_to_sector(f);
			expect_extent(f, COMPRESSION_ZLIB, sizes[i], sizes[i]);
			expect_extent(f, COMPRESSION_ZLIB, sizes[i], align_up(sizes[i], SECTOR));
		}
}

static void test_zstd(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {1, 100, 4096, 8192, 100000, EXTENT};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pack_zstd(f, sizes[i], 3, 17);
		pad_to_sector(f);
		expect_extent(f, COMPRESSION_ZSTD, sizes[i], sizes[i]);
		expect_extent(f, COMPRESSION_ZSTD, sizes[i], align_up(sizes[i], SECTOR));
		pack_zstd_stream(f, sizes[i], 17);
		pad_to_sector(f);
		expect_extent(f, COMPRESSION_ZSTD, sizes[i], align_up(sizes[i], SECTOR));
	}
}

static void test_zstd_window_too_large(void **state)
{
	struct fixture *f = *state;

	pack_zstd_stream(f, 100000, 18);
	expect_failure(f, COMPRESSION_ZSTD, false, f->packed_len, 100000, "zstd: ");
}

/* A second frame behind the first is not part of the extent. */
static void test_zstd_one_frame_only(void **state)
{
	struct fixture *f = *state;

	pack_zstd(f, 5000, 3, 17);
	memmove(f->packed + f->packed_len, f->packed, f->packed_len);
	f->packed_len *= 2;
	expect_extent(f, COMPRESSION_ZSTD, 5000, 8192);
}

static void test_lzo(void **state)
{
#ifndef HAVE_LZO
	skip();
#else
	struct fixture *f = *state;

	for (size_t len = 1; len <= EXTENT; len += len < 3 * SECTOR ? 777 : 4099) {
		pack_lzo(f, len, SECTOR);
		pad_to_sector(f);
		expect_extent(f, COMPRESSION_LZO, len, len);
		expect_extent(f, COMPRESSION_LZO, len, align_up(len, SECTOR));
	}
#endif
}

/* With one, two and three bytes left, and with exactly enough. */
static void test_lzo_length_at_sector_end(void **state)
{
#ifndef HAVE_LZO
	skip();
#else
	struct fixture *f = *state;
	unsigned seen = 0;

	/* Noise grows by so little that the pieces pass the sector's end one byte at a time. */
	for (size_t i = 0; i < 2 * SECTOR; i++)
		f->plain[i] = (u8)rand();
	for (size_t piece = SECTOR - 64; piece < SECTOR; piece++) {
		unsigned left = pack_lzo(f, 2 * piece, piece);

		if (left > 4)
			continue;
		seen |= 1u << left;
		pad_to_sector(f);
		expect_extent(f, COMPRESSION_LZO, 2 * piece, 2 * piece);
	}
	assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
#endif
}

/* The output may be shorter than the stream, as where the end of an extent was punched away. */
static void test_output_shorter_than_data(void **state)
{
	struct fixture *f = *state;

	for (size_t out = 0; out < 9000; out += out < 600 ? 1 : 97) {
		pack_zlib(f, 20000, 6);
		expect_extent(f, COMPRESSION_ZLIB, out, out);
		pack_zstd(f, 20000, 3, 17);
		expect_extent(f, COMPRESSION_ZSTD, out, out);
#ifdef HAVE_LZO
		pack_lzo(f, 20000, SECTOR);
		pad_to_sector(f);
		expect_extent(f, COMPRESSION_LZO, out, out);
#endif
	}
}

static void test_truncated_input(void **state)
{
	struct fixture *f = *state;

	pack_zlib(f, 20000, 6);
	/* The last four bytes are the stream's checksum, which nobody reads. */
	for (size_t len = 0; len < f->packed_len - 5; len += len < 50 ? 1 : 131)
		expect_failure(f, COMPRESSION_ZLIB, false, len, 20000, "zlib: ");
	pack_zstd(f, 20000, 3, 17);
	for (size_t len = 0; len < f->packed_len; len += len < 50 ? 1 : 131)
		expect_failure(f, COMPRESSION_ZSTD, false, len, 20000, "zstd: ");
#ifdef HAVE_LZO
	pack_lzo(f, 20000, SECTOR);
	for (size_t len = 0; len < f->packed_len; len += len < 50 ? 1 : 131)
		expect_failure(f, COMPRESSION_LZO, false, len, 20000, "lzo: ");
#endif
}

static void test_zlib_header(void **state)
{
	struct fixture *f = *state;
	static const u8 wrong[][2] = {
		{0x79, 0x9c}, /* method 9 */
		{0x78, 0x9d}, /* check bits */
		{0x88, 0x1c}, /* window of 64 KiB */
		{0x78, 0xbb}, /* a dictionary */
	};

	pack_zlib(f, 1000, 6);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memcpy(f->packed, wrong[i], 2);
		expect_failure(f, COMPRESSION_ZLIB, false, f->packed_len, 1000,
			       "zlib: not a zlib stream without dictionary");
	}
}

static void test_lzo_lengths(void **state)
{
#ifndef HAVE_LZO
	skip();
#else
	struct fixture *f = *state;

	pack_lzo(f, 20000, SECTOR);
	pad_to_sector(f);
	assert_true(f->packed_len >= 2 * SECTOR);

	u32 total = get_le32(f->packed), first = get_le32(f->packed + 4);

	put_le32(f->packed, (u32)f->packed_len + 1);
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: total length");
	put_le32(f->packed, (u32)f->packed_len - SECTOR); /* does not reach the last sector */
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: total length");
	put_le32(f->packed, 0);
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: total length 0");
	put_le32(f->packed, total);

	put_le32(f->packed + 4, SECTOR + SECTOR / 16 + 64 + 3 + 1);
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: segment of 4420 bytes at 8");
	put_le32(f->packed + 4, 0xffffffff);
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: segment of 4294967295");
	put_le32(f->packed + 4, first - 1);
	expect_failure(f, COMPRESSION_LZO, false, f->packed_len, 20000, "lzo: damaged segment");
#endif
}

static void test_inline(void **state)
{
	struct fixture *f = *state;
	const u8 types[] = {COMPRESSION_ZLIB, COMPRESSION_ZSTD,
#ifdef HAVE_LZO
			    COMPRESSION_LZO
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (size_t len = 1; len <= SECTOR; len += 63) {
			if (types[i] == COMPRESSION_ZLIB)
				pack_zlib(f, len, 6);
			else if (types[i] == COMPRESSION_ZSTD)
				pack_zstd(f, len, 3, 17);
#ifdef HAVE_LZO
			else
				pack_lzo_inline(f, len);
#endif
			assert_int_equal(unpack(f, types[i], true, f->packed_len, len), 0);
			assert_memory_equal(f->out.end - len, f->plain, len);
			if (len > 1) {
				assert_int_equal(unpack(f, types[i], true, f->packed_len, len - 1), 0);
				assert_memory_equal(f->out.end - len + 1, f->plain, len - 1);
			}
			if (len < SECTOR)
				expect_failure(f, types[i], true, f->packed_len, len + 1, "inline data ends");
		}
}

static void test_lzo_inline_lengths(void **state)
{
#ifndef HAVE_LZO
	skip();
#else
	struct fixture *f = *state;

	pack_lzo_inline(f, 1000);
	expect_failure(f, COMPRESSION_LZO, true, 8, 1000, "lzo: wrong lengths");
	f->packed[0]++;
	expect_failure(f, COMPRESSION_LZO, true, f->packed_len, 1000, "lzo: wrong lengths");
	f->packed[0]--;
	f->packed[4]++;
	expect_failure(f, COMPRESSION_LZO, true, f->packed_len, 1000, "lzo: wrong lengths");
#endif
}

static void test_more_than_an_extent_can_hold(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decompress_extent(f->d, COMPRESSION_ZLIB, f->packed, EXTENT + 1, f->plain,
					   EXTENT, SECTOR), -EIO);
	assert_int_equal(decompress_extent(f->d, COMPRESSION_ZLIB, f->packed, EXTENT, f->plain,
					   EXTENT + 1, SECTOR), -EIO);
}

/* Whatever is in the input: no crash, nothing written out of place, and a sentence for each failure. */
static void test_random_damage(void **state)
{
	struct fixture *f = *state;
	static u8 good[2 * EXTENT];
	unsigned rounds = getenv("BTRFLY_FUZZ_ROUNDS") ? (unsigned)atoi(getenv("BTRFLY_FUZZ_ROUNDS")) : 600;

	for (unsigned i = 0; i < rounds; i++) {
		const u8 type = (u8)(COMPRESSION_ZLIB + i % 3);
		size_t len = 1 + (size_t)rand() % (i % 8 ? 12000 : EXTENT);
		bool is_inline = i / 3 % 2;

#ifndef HAVE_LZO
		if (type == COMPRESSION_LZO)
			continue;
#endif
		if (is_inline)
			len = 1 + len % SECTOR;
		if (type == COMPRESSION_ZLIB)
			pack_zlib(f, len, rand() % 10);
		else if (type == COMPRESSION_ZSTD)
			pack_zstd(f, len, 1 + rand() % 5, 17);
#ifdef HAVE_LZO
		else if (is_inline)
			pack_lzo_inline(f, len);
		else
			pack_lzo(f, len, SECTOR);
#endif
		if (f->packed_len > EXTENT)
			continue;
		memcpy(good, f->packed, f->packed_len);
		for (int hit = 0; hit < 8; hit++) {
			size_t in_len = rand() % 4 ? f->packed_len : 1 + (size_t)rand() % f->packed_len;

			memcpy(f->packed, good, f->packed_len);
			for (int k = rand() % 4; k >= 0; k--)
				f->packed[(size_t)rand() % f->packed_len] = (u8)rand();
			error_clear();

			int ret = unpack(f, type, is_inline, in_len, len);

			assert_true(ret == 0 || ret == -EIO);
			assert_true(ret == 0 || error_message()[0]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_unknown_type, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zlib, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zstd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zstd_window_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zstd_one_frame_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo_length_at_sector_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_shorter_than_data, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zlib_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo_inline_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_an_extent_can_hold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_damage, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
