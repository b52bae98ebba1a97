/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading file data: verified against the csum tree, from another copy where one is bad, decompressed.
 */
#ifndef BTRFLY_FILES_DATA_H
#define BTRFLY_FILES_DATA_H

#include "files/file_extent.h"
#include "files/filesystem.h"

/* Working memory of one thread: decompressor, csum cursor, and the last compressed extent, decompressed. */
struct data_reader;

int data_reader_new(struct filesystem *fs, struct data_reader **out);
void data_reader_free(struct data_reader *r);

/*
 * Bytes [@start, @start + @len) of the file range @r, counted from its file_offset, into @buf.
 * Holes, preallocated ranges and what lies past the data of an inline extent read as zeros.
 * @verify is false for files with INODE_NODATASUM; a checksum that is missing is then no error.
 */
int data_read(struct data_reader *d, const struct file_range *r, u64 start, void *buf, size_t len,
	      bool verify);

/* A piece of a read that goes to several places. */
struct data_piece {
	void *to;
	u32 len; /* a multiple of the sector size */
	u32 crc; /* result: crc32c_raw(0, …) of the bytes, out of the same pass that verifies them */
};

#define DATA_PIECES_MAX 512

/*
 * Uncompressed data from @logical on, sector-aligned, into @count pieces one behind the other (at most
 * DATA_PIECES_MAX), with as few reads as the devices allow.  *@bad is the piece that an error belongs to.
 */
int data_read_pieces(struct data_reader *d, u64 logical, struct data_piece *piece, size_t count,
		     bool verify, size_t *bad);

/* [@logical, @logical + @len) as it lies on disk, sector-aligned and verified: encoded writes. */
int data_read_raw(struct data_reader *d, u64 logical, void *buf, size_t len, bool verify);

#endif
