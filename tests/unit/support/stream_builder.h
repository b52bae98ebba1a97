/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams built byte by byte, right or wrong, for the tests of decoder, applier and targets.  It
 * has a crc32c of its own, bit by bit, so that the two cannot be wrong together.
 */
#ifndef BTRFLY_TESTS_STREAM_BUILDER_H
#define BTRFLY_TESTS_STREAM_BUILDER_H

#include <assert.h>
#include <string.h>

#include "format/stream.h"

struct builder {
	u8 bytes[1 << 18];
	size_t len;
	size_t command; /* where the command at hand starts */
};

static inline void put(struct builder *b, const void *data, size_t len)
{
	assert(b->len + len <= sizeof(b->bytes));
	memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

static inline void put_header(struct builder *b, u32 version)
{
	le32 v = le32_of(version);

	put(b, "btrfs-stream", 13);
	put(b, &v, sizeof(v));
}

static inline u32 slow_crc32c(const u8 *p, size_t len)
{
	u32 crc = 0;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static inline void begin(struct builder *b, u16 cmd)
{
	struct stream_command h = {.cmd = le16_of(cmd)};

	b->command = b->len;
	put(b, &h, sizeof(h));
}

static inline void attr(struct builder *b, u16 type, const void *data, size_t len)
{
	struct stream_attribute h = {le16_of(type), le16_of((u16)len)};

	put(b, &h, sizeof(h));
	put(b, data, len);
}

static inline void attr_text(struct builder *b, u16 type, const char *text)
{
	attr(b, type, text, strlen(text));
}

static inline void attr_u64(struct builder *b, u16 type, u64 value)
{
	le64 v = le64_of(value);

	attr(b, type, &v, sizeof(v));
}

static inline void attr_u32(struct builder *b, u16 type, u32 value)
{
	le32 v = le32_of(value);

	attr(b, type, &v, sizeof(v));
}

static inline void attr_u8(struct builder *b, u16 type, u8 value)
{
	attr(b, type, &value, 1);
}

static inline void attr_time(struct builder *b, u16 type, s64 sec, u32 nsec)
{
	u8 v[12];

	put_le64(v, (u64)sec);
	put_le32(v + 8, nsec);
	attr(b, type, v, sizeof(v));
}

/* DATA of version 2: no length. */
static inline void attr_data_v2(struct builder *b, const void *data, size_t len)
{
	le16 type = le16_of(STREAM_A_DATA);

	put(b, &type, sizeof(type));
	put(b, data, len);
}

/* Fill in the length and the checksum of the command at hand. */
static inline void end(struct builder *b)
{
	u8 *h = b->bytes + b->command;
	size_t size = b->len - b->command;

	put_le32(h, (u32)(size - sizeof(struct stream_command)));
	put_le32(h + 6, 0);
	put_le32(h + 6, slow_crc32c(h, size));
}

/* Whole commands.  A uuid is one byte 16 times. */

static inline void put_end(struct builder *b)
{
	begin(b, STREAM_C_END);
	end(b);
}

static inline void attr_uuid(struct builder *b, u16 type, u8 byte)
{
	u8 uuid[16];

	memset(uuid, byte, sizeof(uuid));
	attr(b, type, uuid, sizeof(uuid));
}

static inline void put_subvol(struct builder *b, const char *name, u8 uuid)
{
	begin(b, STREAM_C_SUBVOL);
	attr_text(b, STREAM_A_PATH, name);
	attr_uuid(b, STREAM_A_UUID, uuid);
	attr_u64(b, STREAM_A_CTRANSID, uuid);
	end(b);
}

static inline void put_snapshot(struct builder *b, const char *name, u8 uuid, u8 parent)
{
	begin(b, STREAM_C_SNAPSHOT);
	attr_text(b, STREAM_A_PATH, name);
	attr_uuid(b, STREAM_A_UUID, uuid);
	attr_u64(b, STREAM_A_CTRANSID, uuid);
	attr_uuid(b, STREAM_A_CLONE_UUID, parent);
	attr_u64(b, STREAM_A_CLONE_CTRANSID, parent);
	end(b);
}

/* MKFILE, MKDIR, MKFIFO, MKSOCK, and UNLINK and RMDIR where an inode number does no harm. */
static inline void put_path(struct builder *b, u16 cmd, const char *path)
{
	begin(b, cmd);
	attr_text(b, STREAM_A_PATH, path);
	attr_u64(b, STREAM_A_INO, 257);
	end(b);
}

/* RENAME with PATH_TO, LINK and SYMLINK with PATH_LINK. */
static inline void put_two_paths(struct builder *b, u16 cmd, const char *path, u16 second,
				 const char *to)
{
	begin(b, cmd);
	attr_text(b, STREAM_A_PATH, path);
	attr_u64(b, STREAM_A_INO, 257);
	attr_text(b, second, to);
	end(b);
}

static inline void put_write(struct builder *b, const char *path, u64 offset, const void *data,
			     size_t len)
{
	begin(b, STREAM_C_WRITE);
	attr_text(b, STREAM_A_PATH, path);
	attr_u64(b, STREAM_A_FILE_OFFSET, offset);
	attr(b, STREAM_A_DATA, data, len);
	end(b);
}

static inline void put_clone(struct builder *b, const char *path, u64 offset, u64 len, u8 uuid,
			     const char *from, u64 from_offset)
{
	begin(b, STREAM_C_CLONE);
	attr_u64(b, STREAM_A_FILE_OFFSET, offset);
	attr_u64(b, STREAM_A_CLONE_LEN, len);
	attr_text(b, STREAM_A_PATH, path);
	attr_uuid(b, STREAM_A_CLONE_UUID, uuid);
	attr_u64(b, STREAM_A_CLONE_CTRANSID, uuid);
	attr_text(b, STREAM_A_CLONE_PATH, from);
	attr_u64(b, STREAM_A_CLONE_OFFSET, from_offset);
	end(b);
}

#endif
