/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries: what the files in DIR/.btrfly consist of.  An entry is
 *
 *     le32 length of the content | u8 type | le32 crc32c of these five bytes | content | le32 crc32c of all
 *
 * so that a file can be appended to, and what a killed writer left of the last one is told from damage: a length is not
 * believed before its own checksum was found right.
 */
#ifndef BTRFLY_RECEIVE_ENTRY_H
#define BTRFLY_RECEIVE_ENTRY_H

#include "base/buffer.h"
#include "base/bytes.h"

enum entry_type {
	/* Of a journal alone. */
	ENTRY_BEGIN = 1, /* uuid, le64 ctransid, boot, u8 number, name */
	ENTRY_RUN,	 /* le64 process id, u8 untrusted: who works on it from here on, and whether all runs were so */
	ENTRY_TREE,	 /* le64 inode, le64 subvolume id, le32 generation: of the partial tree's root */
	ENTRY_ADVANCE,	 /* le64 commands, le64 digest, then entries of notes: all of it or nothing */
	ENTRY_OPENED,	 /* le64 serial, le32 mode, path from DIR */
	ENTRY_CLOSED,	 /* le64 serial */
	ENTRY_FAILED,	 /* a command failed and was left out */
	ENTRY_SEALED,
	ENTRY_NAMED,

	/* Of a record alone. */
	ENTRY_RECEIVED = 32, /* uuid, le64 ctransid, u8 flags, name */

	/* Of both: notes. */
	ENTRY_NOTE = 64, /* u8 missing, u8 copy, le32 flags, le64 links, path */
	ENTRY_REMOVE,	 /* path */
	ENTRY_RENAME,	 /* le32 length of the first path, both paths */
	ENTRY_LEFT_OUT,	 /* le32 kinds, le32 those that the parent did not lack */
	ENTRY_TIMES,	 /* le64 seconds, le32 nanoseconds: atime, mtime */

	/* Of a journal alone, too: what the root is given at the end.  First u8: it is the parent's. */
	ENTRY_ROOT_OWNER,  /* le64 user, le64 group */
	ENTRY_ROOT_MODE,   /* le32 mode */
	ENTRY_ROOT_ACCESS, /* the access list as an attribute's value, empty: none */
};

/* An entry under construction at the end of a buffer. */
struct entry_writer {
	struct buffer *out;
	size_t start;
	int ret; /* the first failure; the others do nothing then */
};

void entry_begin(struct entry_writer *w, struct buffer *out, enum entry_type type);
void entry_put(struct entry_writer *w, const void *data, size_t len);
void entry_put_u8(struct entry_writer *w, u8 v);
void entry_put_u32(struct entry_writer *w, u32 v);
void entry_put_u64(struct entry_writer *w, u64 v);
/* 0, or -ENOMEM and the buffer is as it was. */
int entry_end(struct entry_writer *w);

/* An entry that was read: its content from @at on; reading beyond its end gives zeros and sets @bad. */
struct entry {
	u8 type;
	const u8 *data;
	size_t len, at;
	bool bad;
};

u8 entry_u8(struct entry *e);
u32 entry_u32(struct entry *e);
u64 entry_u64(struct entry *e);
/* @len bytes, NULL if there are not so many. */
const u8 *entry_bytes(struct entry *e, size_t len);
/* All that is left. */
const char *entry_rest(struct entry *e, size_t *len);

/*
 * The entry at *@at of [@data, @data + @len): 1, and *@at is behind it; 0 at the end, where *@at stays in front of what
 * a writer did not bring to its end; -EINVAL without a message where an entry is damaged.
 */
int entry_next(const u8 *data, size_t len, size_t *at, struct entry *e);

#endif
