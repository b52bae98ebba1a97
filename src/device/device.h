/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device: a row of bytes with a size and a name.  Everything that touches storage
 * goes through this one table; files, block devices, memory, and the devices of the
 * tests that fail on purpose all fit it.
 */
#ifndef BTRFLY_DEVICE_DEVICE_H
#define BTRFLY_DEVICE_DEVICE_H

#include <sys/uio.h>

#include "base/types.h"

struct device;

struct device_ops {
	/* Exactly @len bytes at @offset, which the caller has checked to lie within the size.
	 * 0 or a negative errno with a sentence that names the device and the range.
	 * Safe to call from several threads at once. */
	int (*read)(struct device *d, u64 offset, void *buf, size_t len);
	/* The same into @count buffers one behind the other; NULL: read() is called for each.  The vector
	 * may be changed. */
	int (*readv)(struct device *d, u64 offset, struct iovec *iov, int count);
	/* [offset, offset + len) will be read soon; NULL where that helps nothing. */
	void (*prefetch)(struct device *d, u64 offset, u64 len);
	int (*write)(struct device *d, u64 offset, const void *buf, size_t len);
	int (*flush)(struct device *d);
	int (*discard)(struct device *d, u64 offset, u64 len);
	void (*close)(struct device *d);
};

struct device {
	const struct device_ops *ops;
	char *name; /* for messages: the path as it was given */
	u64 size;   /* bytes */
	int fd;     /* -1 where there is none */
	bool writable;
	bool is_block;
};

/* Open a regular file or a block device for reading (and writing with @writable). */
int device_open(const char *path, bool writable, struct device **out);

/* A device over @len bytes of the caller's memory, which must outlive it. */
int device_open_memory(const char *name, void *data, size_t len, struct device **out);

/* Checks the range against the size (-EIO, "… lies beyond the end of <name>"), then reads. */
int device_read(struct device *d, u64 offset, void *buf, size_t len);
/* The same into @count buffers one behind the other.  The vector may be changed. */
int device_readv(struct device *d, u64 offset, struct iovec *iov, int count);

/* Have [offset, offset + len) brought in while something else is done.  Ranges that are not there are
 * passed over. */
void device_prefetch(struct device *d, u64 offset, u64 len);
void device_close(struct device *d); /* NULL is fine */

#endif
