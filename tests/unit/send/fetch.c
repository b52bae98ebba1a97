/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sectors 100 to 131 of a forest hold data, in two copies each, with a csum tree over all but the last.
 * Whole streams are compared with the builder's, whose crc32c is another one.
 */
#include "support/test.h"

#include <stdio.h>
#include <zlib.h>

#include "format/checksum.h"
#include "send/fetch.h"
#include "stream/encode.h"
#include "support/forest.h"
#include "support/stream_builder.h"

#define SECTOR 4096u
#define FIRST 100u
#define SECTORS 32u
#define PACKED 120u /* compressed: PLAIN bytes in one sector */
#define PLAIN 8192u

struct world {
	struct forest f;
	struct filesystem fs;
	struct volume_facts facts;
	struct fetcher *fetcher;
	struct batch batch;
	struct builder want;
	u8 sums[SECTORS * CHECKSUM_SIZE_MAX];
	u8 plain[PLAIN];
	u8 out[1 << 18];
};

static u8 *sector(struct world *w, u32 n)
{
	return forest_block(&w->f, n, 0);
}

/* Tree blocks keep crc32c: only what reads data looks at these facts. */
static void set_checksum(struct world *w, u16 type)
{
	const u32 size = (u32)checksum_size(type);
	struct image_item item = {key_of(EXTENT_CSUM_OBJECTID, KEY_EXTENT_CSUM, forest_logical(FIRST)), w->sums,
				  (SECTORS - 1) * size};

	w->facts.csum_type = type;
	w->facts.csum_size = size;
	for (u32 i = 0; i < SECTORS - 1; i++)
		checksum_compute(type, sector(w, FIRST + i), SECTOR, w->sums + i * size);
	forest_leaf(&w->f, 0, CSUM_TREE_OBJECTID, &item, 1);
	fetcher_free(w->fetcher);
	extent_cache_free(w->f.cache);
	assert_ok(extent_cache_new(w->f.volume, 1 << 20, &w->f.cache));
	w->fs.cache = w->f.cache;
	w->fs.csum_tree = forest_tree(&w->f, 0, CSUM_TREE_OBJECTID, 0);
	assert_ok(fetcher_new(&w->fs, &w->fetcher));
}

static int setup(void **state)
{
	static struct world w;
	uLongf packed = SECTOR;

	w = (struct world){0};
	forest_init(&w.f, 1 << 20);
	for (u32 i = 0; i < SECTORS; i++)
		for (u32 k = 0; k < SECTOR; k++)
			sector(&w, FIRST + i)[k] = (u8)(i * 37 + k * (k >> 8) + k);
	for (u32 k = 0; k < PLAIN; k++)
		w.plain[k] = (u8)(k % 100 * (k / 1000));
	memset(sector(&w, PACKED), 0, SECTOR);
	assert_int_equal(compress2(sector(&w, PACKED), &packed, w.plain, PLAIN, 6), Z_OK);
	for (u32 i = 0; i < SECTORS; i++)
		memcpy(forest_block(&w.f, FIRST + i, 1), sector(&w, FIRST + i), SECTOR);
	w.facts = *volume_facts(w.f.volume);
	w.fs = (struct filesystem){.volume = w.f.volume, .facts = &w.facts, .memory = 1 << 20};
	set_checksum(&w, CHECKSUM_CRC32C);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fetcher_free(w->fetcher);
	batch_release(&w->batch);
	forest_release(&w->f);
	return 0;
}

/* A range of plain sectors, which its file has from @file_offset on. */
static struct slice plain_slice(u64 ino, u64 file_offset, u32 first, u32 sectors)
{
	return (struct slice){.kind = SLICE_RANGE,
			      .verify = true,
			      .ino = ino,
			      .range = {.file_offset = file_offset,
					.num_bytes = (u64)sectors * SECTOR,
					.ram_bytes = (u64)sectors * SECTOR,
					.disk_bytenr = forest_logical(first),
					.disk_num_bytes = (u64)sectors * SECTOR,
					.type = FILE_EXTENT_REG}};
}

/* A WRITE of @len bytes of @s to the plan, and one of @data to what is wanted. */
static void add_write(struct world *w, const struct slice *s, u32 len, const void *data)
{
	u64 offset = s->range.file_offset + s->start;
	struct encoder c;

	encoder_begin(&c, &w->batch.bytes, 1, STREAM_C_WRITE);
	encoder_put(&c, STREAM_A_PATH, "f", 1);
	encoder_put_u64(&c, STREAM_A_FILE_OFFSET, offset);
	encoder_put_data_header(&c, len);
	assert_ok(encoder_end(&c, len));
	assert_ok(batch_add(&w->batch, c.start, c.cmd, s, len));
	put_write(&w->want, "f", offset, data, len);
}

static void add_plain(struct world *w, u64 ino, u64 file_offset, u32 first, u32 sectors)
{
	struct slice s = plain_slice(ino, file_offset, first, sectors);

	add_write(w, &s, sectors * SECTOR, sector(w, first));
}

static int render(struct world *w)
{
	return fetcher_render(w->fetcher, &w->batch, 0, w->batch.op_count, w->out);
}

static void assert_rendered(struct world *w)
{
	memset(w->out, 0xee, sizeof(w->out));
	assert_ok(render(w));
	assert_int_equal(batch_stream_bytes(&w->batch), w->want.len);
	assert_memory_equal(w->out, w->want.bytes, w->want.len);
	assert_int_equal(w->out[w->want.len], 0xee);
}

/* With the csum tree in the cache. */
static unsigned reads_of_rendering(struct world *w)
{
	unsigned before;

	assert_rendered(w);
	before = atomic_load(&w->f.device->reads);
	assert_rendered(w);
	return atomic_load(&w->f.device->reads) - before;
}

static void test_no_data(void **state)
{
	struct world *w = *state;
	struct encoder c;

	assert_ok(stream_put_header(&w->batch.bytes, 1));
	assert_ok(batch_add(&w->batch, 0, 0, NULL, 0));
	put_header(&w->want, 1);
	encoder_begin(&c, &w->batch.bytes, 1, STREAM_C_MKFILE);
	encoder_put(&c, STREAM_A_PATH, "a/b", 3);
	encoder_put_u64(&c, STREAM_A_INO, 257);
	assert_ok(encoder_end(&c, 0));
	assert_ok(batch_add(&w->batch, c.start, c.cmd, NULL, 0));
	put_path(&w->want, STREAM_C_MKFILE, "a/b");
	encoder_begin(&c, &w->batch.bytes, 1, STREAM_C_END);
	assert_ok(encoder_end(&c, 0));
	assert_ok(batch_add(&w->batch, c.start, c.cmd, NULL, 0));
	put_end(&w->want);
	assert_rendered(w);

	/* A part of it: the commands stand alone. */
	assert_ok(fetcher_render(w->fetcher, &w->batch, 2, 3, w->out));
	assert_memory_equal(w->out, w->want.bytes + w->want.len - 10, 10);
}

static void test_row_is_read_at_once(void **state)
{
	struct world *w = *state;

	/* Two inodes, five extents, one row on disk. */
	add_plain(w, 257, 0, 100, 2);
	add_plain(w, 257, 8192, 102, 1);
	add_plain(w, 257, 65536, 103, 3);
	add_plain(w, 258, 0, 106, 1);
	add_plain(w, 258, 4096, 107, 2);
	assert_int_equal(reads_of_rendering(w), 1);
	/* Not on from there, back, and the same again. */
	add_plain(w, 259, 0, 110, 1);
	add_plain(w, 259, 4096, 109, 1);
	add_plain(w, 260, 0, 109, 1);
	assert_int_equal(reads_of_rendering(w), 4);
}

/* Sectors without checksums are not read together with those that have some. */
static void test_row_ends_where_verification_does(void **state)
{
	struct world *w = *state;
	struct slice s = plain_slice(258, 0, 131, 1);

	add_plain(w, 257, 0, 130, 1);
	s.verify = false;
	add_write(w, &s, SECTOR, sector(w, 131));
	assert_int_equal(reads_of_rendering(w), 2);
}

/* The checksum of a command is that of its bytes, whichever way the data's own went into it. */
static void test_checksums(void **state)
{
	struct world *w = *state;
	struct slice s = plain_slice(257, 0, 100, 8);

	add_plain(w, 257, 0, 100, 8);
	s.start = 100; /* neither end at a sector */
	add_write(w, &s, 5000, sector(w, 100) + 100);
	s.start = 8192; /* a file's last bytes */
	add_write(w, &s, 1, sector(w, 102));
	s.start = 4096;
	s.range.offset = 4096;
	s.range.num_bytes -= 4096;
	add_write(w, &s, 8192, sector(w, 102));
	s.verify = false;
	add_write(w, &s, 8192, sector(w, 102));
	for (u16 type = 0; type < CHECKSUM_TYPES; type++) {
		set_checksum(w, type);
		assert_rendered(w);
	}
}

static void test_zeros(void **state)
{
	static const u8 zeros[3 * SECTOR];
	struct world *w = *state;
	struct slice s = {.kind = SLICE_ZERO, .ino = 257};

	add_write(w, &s, 5001, zeros);
	s = plain_slice(257, 12288, 100, 3);
	s.range.type = FILE_EXTENT_PREALLOC; /* what lies there is not the file's */
	add_write(w, &s, 3 * SECTOR, zeros);
	s = plain_slice(257, 24576, 100, 3);
	s.range.disk_bytenr = 0;
	add_write(w, &s, 3 * SECTOR, zeros);
	assert_int_equal(reads_of_rendering(w), 0);
}

static struct slice packed_slice(u8 kind, u64 start)
{
	struct slice s = plain_slice(257, 0, PACKED, 2);

	s.kind = kind;
	s.start = start;
	s.range.disk_num_bytes = SECTOR;
	s.range.compression = COMPRESSION_ZLIB;
	return s;
}

static void test_compressed(void **state)
{
	struct world *w = *state;
	struct slice s = packed_slice(SLICE_RANGE, 0);

	add_write(w, &s, PLAIN, w->plain);
	s.start = 4097;
	add_write(w, &s, 1000, w->plain + 4097);
	/* As it lies on disk, in one row with what is behind it. */
	s = packed_slice(SLICE_RAW, 0);
	add_write(w, &s, SECTOR, sector(w, PACKED));
	add_plain(w, 258, 0, PACKED + 1, 1);
	/* Decompressed once, and one read for the row. */
	assert_rendered(w);
	fetcher_free(w->fetcher);
	assert_ok(fetcher_new(&w->fs, &w->fetcher));

	unsigned before = atomic_load(&w->f.device->reads);

	assert_rendered(w);
	assert_int_equal(atomic_load(&w->f.device->reads) - before, 2);
}

/* Inline data lies in the batch, in front of its command. */
static void test_inline(void **state)
{
	struct world *w = *state;
	struct slice s = {.kind = SLICE_RANGE, .ino = 257};
	u8 packed[64];
	uLongf len = sizeof(packed);

	s.range = (struct file_range){.num_bytes = 11, .ram_bytes = 11, .type = FILE_EXTENT_INLINE, .inline_len = 11};
	s.inline_at = w->batch.bytes.len;
	assert_ok(buffer_append(&w->batch.bytes, "inline data", 11));
	add_write(w, &s, 11, "inline data");

	assert_int_equal(compress2(packed, &len, w->plain, 500, 6), Z_OK);
	s.range.num_bytes = s.range.ram_bytes = 500;
	s.range.inline_len = (u32)len;
	s.range.compression = COMPRESSION_ZLIB;
	s.inline_at = w->batch.bytes.len;
	assert_ok(buffer_append(&w->batch.bytes, packed, len));
	add_write(w, &s, 500, w->plain);
	s.kind = SLICE_RAW;
	add_write(w, &s, (u32)len, packed);
	assert_int_equal(reads_of_rendering(w), 0);
}

static void test_other_copy(void **state)
{
	struct world *w = *state;

	add_plain(w, 257, 0, 100, 2);
	add_plain(w, 257, 8192, 102, 4);
	forest_block(&w->f, 101, 0)[4095] ^= 1;
	forest_block(&w->f, 104, 0)[0] ^= 0x80;
	/* Good sectors of one copy stand in for bad ones of the other, and the other way round. */
	forest_block(&w->f, 103, 1)[7] ^= 0x80;
	assert_ok(render(w));
	assert_memory_equal(w->out, w->want.bytes, w->want.len);
	/* The same where the first copy cannot be read at all. */
	forest_block(&w->f, 103, 1)[7] ^= 0x80;
	faulty_set(w->f.device, FAULT_FAIL, FOREST_PHYSICAL + 102 * SECTOR, 1);
	assert_rendered(w);
}

static void test_other_copy_without_crc32c(void **state)
{
	struct world *w = *state;

	set_checksum(w, CHECKSUM_XXHASH64);
	add_plain(w, 257, 0, 100, 2);
	forest_block(&w->f, 101, 0)[4095] ^= 1;
	assert_ok(render(w));
	assert_memory_equal(w->out, w->want.bytes, w->want.len);
}

static void assert_fails(struct world *w, const char *begin, const char *end)
{
	const char *said;

	assert_int_equal(render(w), -EIO);
	said = error_message();
	if (strncmp(said, begin, strlen(begin)) || strlen(said) < strlen(end) ||
	    strcmp(said + strlen(said) - strlen(end), end))
		fail_msg("'%s' is not '%s … %s'", said, begin, end);
}

/* The command whose data is bad is the one that is named, not the first of its row. */
static void test_bad_everywhere(void **state)
{
	struct world *w = *state;

	add_plain(w, 257, 0, 100, 2);
	add_plain(w, 258, 65536, 102, 2);
	add_plain(w, 259, 0, 104, 1);
	forest_block(&w->f, 103, 0)[9] ^= 1;
	forest_block(&w->f, 103, 1)[9] ^= 1;
	/* Sector 103 lies at 16 MiB + 103 * 4096, and on the device at 1 MiB + 103 * 4096. */
	assert_fails(w,
		     "inode 258: file offset 65536: data at logical 17199104 on img at 1470464: "
		     "checksum mismatch (found ",
		     "), nor is one of the other copies good (2 tried)");
	/* It is not verified where the file has no checksums. */
	for (size_t i = 0; i < w->batch.slice_count; i++)
		w->batch.slices[i].verify = false;
	assert_ok(render(w));
}

static void test_unreadable_everywhere(void **state)
{
	struct world *w = *state;
	struct slice s = plain_slice(258, 4096, 102, 2);

	add_plain(w, 257, 0, 100, 2);
	s.start = 4096;
	add_write(w, &s, 100, sector(w, 103)); /* not a whole sector: read another way */
	assert_rendered(w);
	faulty_set(w->f.device, FAULT_FAIL, 0, UINT32_MAX);
	assert_fails(w, "inode 257: file offset 0: read of img fails on purpose",
		     ", nor is one of the other copies good (2 tried)");
	w->batch.ops[0] = w->batch.ops[1];
	assert_fails(w, "inode 258: file offset 8192: read of img fails on purpose", "(2 tried)");
	for (size_t i = 0; i < w->batch.slice_count; i++)
		w->batch.slices[i].verify = false;
	assert_fails(w, "inode 258: file offset 8192: read of img fails on purpose", "on purpose");
}

static void test_no_checksum(void **state)
{
	struct world *w = *state;

	add_plain(w, 257, 0, 130, 1);
	add_plain(w, 258, 4096, 131, 1);
	assert_fails(w, "inode 258: file offset 4096: data at logical 17313792: no checksum in the csum tree", "");
}

static void test_ahead(void **state)
{
	struct world *w = *state;
	struct faulty *d = w->f.device;
	struct slice s = plain_slice(257, 0, 110, 4);
	const u64 at = FOREST_PHYSICAL;

	add_plain(w, 257, 0, 100, 2);
	add_plain(w, 257, 8192, 102, 1);
	s.kind = SLICE_ZERO;
	add_write(w, &s, 10, w->plain);
	s.kind = SLICE_RANGE;
	s.start = 4000; /* to 8200: three sectors */
	add_write(w, &s, 4200, w->plain);
	s = packed_slice(SLICE_RANGE, 4096);
	add_write(w, &s, 10, w->plain);
	fetch_ahead(&w->fs, &w->batch, 0, w->batch.op_count);
	assert_int_equal(d->prefetches, 3);
	assert_int_equal(d->prefetch[0].offset, at + 100 * SECTOR);
	assert_int_equal(d->prefetch[0].len, 3 * SECTOR);
	assert_int_equal(d->prefetch[1].offset, at + 110 * SECTOR);
	assert_int_equal(d->prefetch[1].len, 3 * SECTOR);
	assert_int_equal(d->prefetch[2].offset, at + PACKED * SECTOR);
	assert_int_equal(d->prefetch[2].len, SECTOR);
	/* Of the second command alone. */
	fetch_ahead(&w->fs, &w->batch, 1, 3);
	assert_int_equal(d->prefetches, 4);
	assert_int_equal(d->prefetch[3].offset, at + 102 * SECTOR);
	assert_int_equal(d->prefetch[3].len, SECTOR);
	fetch_ahead(&w->fs, &w->batch, 2, 3);
	assert_int_equal(d->prefetches, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_data),
		TEST(test_row_is_read_at_once),
		TEST(test_row_ends_where_verification_does),
		TEST(test_checksums),
		TEST(test_zeros),
		TEST(test_compressed),
		TEST(test_inline),
		TEST(test_other_copy),
		TEST(test_other_copy_without_crc32c),
		TEST(test_bad_everywhere),
		TEST(test_unreadable_everywhere),
		TEST(test_no_checksum),
		TEST(test_ahead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
