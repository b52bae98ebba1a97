/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command of a stream, taken apart and checked: every attribute it must have is there, once,
 * with the size of its type, and no longer than a sender can make it (format/stream.h).  What the
 * values mean (whether a path leaves the tree, whether an offset makes sense) is for whoever acts on
 * them.
 */
#ifndef BTRFLY_STREAM_COMMAND_H
#define BTRFLY_STREAM_COMMAND_H

#include "format/stream.h"

/* Bytes that lie in the decoder's buffer or in the input: no NUL behind them. */
struct stream_bytes {
	const char *data;
	u32 len;
};

struct stream_time {
	s64 sec;
	u32 nsec; /* as it came: may be more than a second has */
};

struct decoded_command {
	u16 type;    /* enum stream_cmd */
	u64 number;  /* the first command of the input is 1 */
	u64 offset;  /* of its first byte in the input */
	u32 len;     /* header included */
	u32 crc;     /* as stored, and found right */
	u64 present; /* bit STREAM_A_… for every attribute that came */

	/* Texts have no NUL within, and paths no component longer than a name. */
	struct stream_bytes path, path_to, path_link, clone_path, xattr_name;
	struct stream_bytes xattr_data, data, verity_salt, verity_sig;
	u8 uuid[16], clone_uuid[16];
	u64 ctransid, clone_ctransid;
	u64 ino, size, mode, uid, gid, rdev;
	struct stream_time ctime, mtime, atime, otime;
	u64 file_offset, clone_offset, clone_len;
	u32 fallocate_mode;
	u64 fileattr;
	u64 unencoded_file_len, unencoded_len, unencoded_offset;
	u32 compression, encryption; /* STREAM_COMPRESSION_NONE and 0 where they are left out */
	u8 verity_algorithm;
	u32 verity_block_size;
};

static inline bool command_has(const struct decoded_command *c, enum stream_attr attr)
{
	return c->present >> attr & 1;
}

/* "mkfile", "write", …; NULL for an unknown command. */
const char *stream_command_name(u16 type);

/*
 * Take the @len bytes of attributes behind a command's header apart into @c, whose type is set;
 * all else that is not an attribute's is left alone.  @version is the stream's.  Returns 0, or
 * -EINVAL with a sentence that names the attribute.
 */
int command_parse(struct decoded_command *c, u32 version, const u8 *attributes, u32 len);

#endif
