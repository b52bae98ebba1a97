/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The send stream as it goes over the wire: header, commands, attributes. */
#ifndef BTRFLY_FORMAT_STREAM_H
#define BTRFLY_FORMAT_STREAM_H

#include "base/bytes.h"

#define STREAM_MAGIC "btrfs-stream" /* 13 bytes with its NUL */
#define STREAM_VERSION_MAX 3

struct stream_header {
	char magic[13];
	le32 version;
};

struct stream_command {
	le32 len; /* of the attributes, this header excluded */
	le16 cmd;
	le32 crc; /* crc32c, seed 0 and not inverted, of header and attributes with this field zero */
};

/* Type and length, then the value.  From version 2 on DATA has the type alone: it is last and takes
 * all that is left. */
struct stream_attribute {
	le16 type;
	le16 len;
};

_Static_assert(sizeof(struct stream_header) == 17, "stream header");
_Static_assert(sizeof(struct stream_command) == 10, "stream command");

/* Version 1: a command is at most this long, header and attributes together. */
#define STREAM_COMMAND_MAX_V1 65536u
/* Data bytes of one WRITE: version 1, and the encoded or plain data of one command of version 2. */
#define STREAM_WRITE_MAX_V1 (48u * 1024)

/*
 * What a sender can have in an attribute at most.  The kernel builds paths and targets in a buffer of 4096
 * bytes; the ends of the others are those of the things themselves: a directory entry, an xattr's name, a
 * verity descriptor of 16 KiB whose first 256 bytes hold the salt.
 */
#define STREAM_NAME_MAX 255u
#define STREAM_PATH_MAX 4096u
#define STREAM_TARGET_MAX 4095u
#define STREAM_XATTR_MAX 65535u
#define STREAM_VERITY_SALT_MAX 32u
#define STREAM_VERITY_SIG_MAX (16u * 1024 - 256)

enum stream_cmd {
	STREAM_C_UNSPEC = 0,
	STREAM_C_SUBVOL = 1,
	STREAM_C_SNAPSHOT = 2,
	STREAM_C_MKFILE = 3,
	STREAM_C_MKDIR = 4,
	STREAM_C_MKNOD = 5,
	STREAM_C_MKFIFO = 6,
	STREAM_C_MKSOCK = 7,
	STREAM_C_SYMLINK = 8,
	STREAM_C_RENAME = 9,
	STREAM_C_LINK = 10,
	STREAM_C_UNLINK = 11,
	STREAM_C_RMDIR = 12,
	STREAM_C_SET_XATTR = 13,
	STREAM_C_REMOVE_XATTR = 14,
	STREAM_C_WRITE = 15,
	STREAM_C_CLONE = 16,
	STREAM_C_TRUNCATE = 17,
	STREAM_C_CHMOD = 18,
	STREAM_C_CHOWN = 19,
	STREAM_C_UTIMES = 20,
	STREAM_C_END = 21,
	STREAM_C_UPDATE_EXTENT = 22,
	STREAM_C_MAX_V1 = 22,
	STREAM_C_FALLOCATE = 23,
	STREAM_C_FILEATTR = 24,
	STREAM_C_ENCODED_WRITE = 25,
	STREAM_C_MAX_V2 = 25,
	STREAM_C_ENABLE_VERITY = 26,
	STREAM_C_MAX_V3 = 26,
	STREAM_C_MAX = 26,
};

enum stream_attr {
	STREAM_A_UNSPEC = 0,
	STREAM_A_UUID = 1,
	STREAM_A_CTRANSID = 2,
	STREAM_A_INO = 3,
	STREAM_A_SIZE = 4,
	STREAM_A_MODE = 5,
	STREAM_A_UID = 6,
	STREAM_A_GID = 7,
	STREAM_A_RDEV = 8,
	STREAM_A_CTIME = 9,
	STREAM_A_MTIME = 10,
	STREAM_A_ATIME = 11,
	STREAM_A_OTIME = 12,
	STREAM_A_XATTR_NAME = 13,
	STREAM_A_XATTR_DATA = 14,
	STREAM_A_PATH = 15,
	STREAM_A_PATH_TO = 16,
	STREAM_A_PATH_LINK = 17,
	STREAM_A_FILE_OFFSET = 18,
	STREAM_A_DATA = 19,
	STREAM_A_CLONE_UUID = 20,
	STREAM_A_CLONE_CTRANSID = 21,
	STREAM_A_CLONE_PATH = 22,
	STREAM_A_CLONE_OFFSET = 23,
	STREAM_A_CLONE_LEN = 24,
	STREAM_A_FALLOCATE_MODE = 25,
	STREAM_A_FILEATTR = 26,
	STREAM_A_UNENCODED_FILE_LEN = 27,
	STREAM_A_UNENCODED_LEN = 28,
	STREAM_A_UNENCODED_OFFSET = 29,
	STREAM_A_COMPRESSION = 30,
	STREAM_A_ENCRYPTION = 31,
	STREAM_A_VERITY_ALGORITHM = 32,
	STREAM_A_VERITY_BLOCK_SIZE = 33,
	STREAM_A_VERITY_SALT_DATA = 34,
	STREAM_A_VERITY_SIG_DATA = 35,
	STREAM_A_MAX = 35,
};

/* Values of STREAM_A_COMPRESSION. */
enum {
	STREAM_COMPRESSION_NONE = 0,
	STREAM_COMPRESSION_ZLIB = 1,
	STREAM_COMPRESSION_ZSTD = 2,
	STREAM_COMPRESSION_LZO_4K = 3, /* + log2(sector size) - 12, up to 64 KiB */
};

#endif
