/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * btrfly.h: read, send and receive btrfs without the kernel
 *
 * Caveats
 *  - Filesystems are opened read-only.  One that the kernel has mounted may be opened too; what the
 *    kernel changes meanwhile leads to errors (every block is checked), never to wrong data.
 *  - Images, devices and streams are hostile until checked.  A damaged one gives an error.
 *  - Nothing is written to stdout or stderr, no signal handler is set, no thread outlives the call
 *    that made it.  A program that sends into a pipe should ignore SIGPIPE: then a reader that
 *    went away is -EPIPE.  Likewise SIGXFSZ, where the size of files is limited: then it is -EFBIG.
 *  - Nothing may be called in a forked child on a handle that its parent opened.
 *
 * Errors
 *    A function that can fail returns 0 (or a count) or a negative errno, and btrfly_error() then has a
 *    sentence that says what failed and where.  -EINVAL: an argument cannot be; -ENOENT: a path or a
 *    subvolume is not there; -EIO: it cannot be read, or is damaged; -EOPNOTSUPP: it uses a feature
 *    that this library does not know, which is named; -E2BIG: see Growth; -ENOMEM.  Output handles are set on success alone.
 *
 * Ownership
 *    A handle is freed by its one closing function, which takes NULL too.  What is passed in is only
 *    read during the call.  What a callback gets is valid until it returns, unless said otherwise.
 *
 * Threads
 *    Any number of threads may use one struct btrfly_filesystem at once, and send from it.  None needs more
 *    than 128 KiB of stack beside its thread-local storage, and those that a send makes have just that.  A struct
 *    btrfly_file is used by one thread at a time.  Callbacks come on the thread that made the call.
 *
 * Units
 *    Sizes and offsets are in bytes.  Times are seconds and nanoseconds since 1970 UTC, negative before.
 *    UUIDs are 16 bytes in the order that they are written in.  Names and paths are bytes of no encoding.
 *
 * Growth
 *    Structs of arguments and results that begin with struct_size may become longer, at their end.  Start
 *    with the initializer given beside each: it sets struct_size, and members that are zero mean the default.
 *    A program built with an older header works: the members that its struct lacks are zero, and no result is
 *    written behind it.  One built with a newer header works as long as it leaves at zero what the library in
 *    use does not know; else it gets -E2BIG.  A struct_size less than the first version had is -EINVAL.
 */
#ifndef BTRFLY_H
#define BTRFLY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define BTRFLY_VERSION_MAJOR 0
#define BTRFLY_VERSION_MINOR 1

/* Of the library in use, "0.1.0". */
const char *btrfly_version(void);

/* This thread's last error as a sentence without a full stop, valid until its next call here; "" if none. */
const char *btrfly_error(void);

/* ---- Filesystems ------------------------------------------------------------------------------- */

struct btrfly_filesystem;

struct btrfly_open_args {
	size_t struct_size;
	uint64_t memory; /* for caches; 0: 256 MiB */
};
#define BTRFLY_OPEN_ARGS {.struct_size = sizeof(struct btrfly_open_args)}

/* Open the filesystem that lies in the image files or block devices @paths.  @args may be NULL. */
int btrfly_open(const char *const *paths, size_t count, const struct btrfly_open_args *args,
		struct btrfly_filesystem **out);

/* Files of it must be closed before. */
void btrfly_close(struct btrfly_filesystem *fs);

struct btrfly_filesystem_info {
	size_t struct_size;
	const char *label; /* valid until the filesystem is closed */
	uint8_t fsid[16];
	uint64_t generation;
	uint64_t total_bytes, bytes_used;
	uint64_t devices;
	uint32_t sectorsize, nodesize;
};
#define BTRFLY_FILESYSTEM_INFO {.struct_size = sizeof(struct btrfly_filesystem_info)}

int btrfly_filesystem_info(const struct btrfly_filesystem *fs, struct btrfly_filesystem_info *info);

/* ---- Subvolumes -------------------------------------------------------------------------------- */

struct btrfly_time {
	int64_t sec;
	uint32_t nsec;
};

struct btrfly_subvolume {
	uint64_t id;
	uint64_t parent_id; /* of the subvolume that it lies in */
	uint64_t generation;
	uint64_t created_generation;
	const char *path;  /* from the top level, no leading slash */
	uint8_t uuid[16];
	uint8_t parent_uuid[16];   /* of what it is a snapshot of; zeros: of nothing */
	uint8_t received_uuid[16]; /* zeros: not received */
	struct btrfly_time created;
	int read_only;
};

/* Call @each for every subvolume but the top level, by rising id.  If it returns other than 0, that
 * is the end and the result. */
int btrfly_subvolume_each(struct btrfly_filesystem *fs,
			  int (*each)(void *arg, const struct btrfly_subvolume *subvolume), void *arg);

/* ---- Files ------------------------------------------------------------------------------------- */

struct btrfly_file;

/* The regular file at @path from the top level, through subvolumes; symlinks are not followed. */
int btrfly_file_open(struct btrfly_filesystem *fs, const char *path, struct btrfly_file **out);
void btrfly_file_close(struct btrfly_file *file);
uint64_t btrfly_file_size(const struct btrfly_file *file);

/* Up to @len bytes from @offset, verified and decompressed, holes as zeros.  The number of bytes read,
 * less than @len only at the end of the file; or a negative errno. */
ssize_t btrfly_file_read(struct btrfly_file *file, void *buf, size_t len, uint64_t offset);

/* ---- Send -------------------------------------------------------------------------------------- */

#define BTRFLY_SEND_NO_DATA (1u << 0)	       /* extents are announced, not sent */
#define BTRFLY_SEND_COMPRESSED_DATA (1u << 1) /* compressed data as it lies on disk; protocol 2 or 3 */

/* Subvolumes: a path from the top level ("snaps/today", "/" the top level itself; never empty), or else an id. */
struct btrfly_send_args {
	size_t struct_size;
	const char *subvolume;
	const char *parent; /* what the receiver has; NULL: a full stream */
	const char *const *clone_sources; /* what it has, too */
	size_t clone_source_count;
	unsigned proto; /* 1 to 3; 0: 1, or 2 with compressed data */
	unsigned flags; /* BTRFLY_SEND_… */

	/* The stream goes to fd, or, with fd < 0, to write: 0 or a negative errno, which ends the send.  An fd that
	 * would overwrite the filesystem (the image, its block device, a loop device of it) is -EINVAL.  A pipe is
	 * made up to 1 MiB long, and may be given pages that nobody writes to any more (vmsplice). */
	int fd;
	int (*write)(void *arg, const void *data, size_t len);
	void *arg;
};
#define BTRFLY_SEND_ARGS {.struct_size = sizeof(struct btrfly_send_args), .fd = -1}

/* Write the stream of a subvolume: for the same arguments, the kernel's bytes.  After an error a stream may
 * have been begun; it has no end then, and no receiver will take it for whole. */
int btrfly_send(struct btrfly_filesystem *fs, const struct btrfly_send_args *args);

/* ---- Receive ----------------------------------------------------------------------------------- */

#define BTRFLY_RECEIVE_ONE_STREAM (1u << 0)	     /* end behind the first END command */
#define BTRFLY_RECEIVE_STRICT (1u << 1)		     /* what cannot be kept is an error */
#define BTRFLY_RECEIVE_SPARSE (1u << 2)		     /* zeros become holes */
#define BTRFLY_RECEIVE_FORCE_DECOMPRESS (1u << 3) /* write compressed data decompressed */
#define BTRFLY_RECEIVE_RESUME (1u << 4)	     /* go on with what an earlier call left; can always be given */
#define BTRFLY_RECEIVE_UNTRUSTED (1u << 5)	     /* device nodes, setuid, security and trusted attributes are left out */
#define BTRFLY_RECEIVE_FORCE_PARENT (1u << 6)	     /* build on a parent that may not be the one of the stream */

struct btrfly_receive_args {
	size_t struct_size;
	const char *directory; /* where the subvolumes appear, as directories */
	int fd;		       /* where the stream is read; a regular file is checked whole first */
	unsigned flags;	       /* BTRFLY_RECEIVE_… */

	/* What could not be kept, by kind ("12 owners, 3 device nodes"), or ""; may be NULL. */
	char *skipped;
	size_t skipped_size;
};
#define BTRFLY_RECEIVE_ARGS {.struct_size = sizeof(struct btrfly_receive_args), .fd = -1}

/* Apply a stream.  A subvolume gets its name when its last command has been applied and all of it has
 * reached the disk; after an error btrfly_error() says where what came so far lies.  Only one process and one thread can
 * receive a subvolume in a directory at a time: -EBUSY for the second.  -ESTALE: a parent or clone source is there and not
 * the one that the stream was made against. */
int btrfly_receive(const struct btrfly_receive_args *args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
