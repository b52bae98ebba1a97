/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device over a regular file or a block device. */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "device/device.h"

static int file_readv(struct device *d, u64 offset, struct iovec *iov, int count)
{
	u64 end = offset;

	for (int i = 0; i < count; i++)
		end += iov[i].iov_len;
	while (count) {
		int now = count < IOV_MAX ? count : IOV_MAX;
		ssize_t n = preadv(d->fd, iov, now, (off_t)offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(errno, "read [%" PRIu64 ", %" PRIu64 ") of %s", offset, end,
					   d->name);
		}
		if (!n)
			return error_set(EIO, "%s ends at %" PRIu64 ", it had %" PRIu64 " bytes before",
					 d->name, offset, d->size);
		offset += (u64)n;
		for (; count && (size_t)n >= iov->iov_len; iov++, count--)
			n -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (u8 *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int file_read(struct device *d, u64 offset, void *buf, size_t len)
{
	struct iovec iov = {buf, len};

	return len ? file_readv(d, offset, &iov, 1) : 0;
}

static void file_prefetch(struct device *d, u64 offset, u64 len)
{
	posix_fadvise(d->fd, (off_t)offset, (off_t)len, POSIX_FADV_WILLNEED);
}

static int file_write(struct device *d, u64 offset, const void *buf, size_t len)
{
	const u8 *p = buf;

	while (len) {
		ssize_t n = pwrite(d->fd, p, len, (off_t)offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(errno, "write [%" PRIu64 ", %" PRIu64 ") of %s", offset,
					   offset + len, d->name);
		}
		p += n;
		offset += (u64)n;
		len -= (size_t)n;
	}
	return 0;
}

static int file_flush(struct device *d)
{
	if (fdatasync(d->fd))
		return error_errno(errno, "flush %s", d->name);
	return 0;
}

static int file_discard(struct device *d, u64 offset, u64 len)
{
	u64 range[2] = {offset, len};
	int ret;

	if (d->is_block)
		ret = ioctl(d->fd, BLKDISCARD, range);
	else
		ret = fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
				(off_t)len);
	if (ret)
		return error_errno(errno, "discard [%" PRIu64 ", %" PRIu64 ") of %s", offset,
				   offset + len, d->name);
	return 0;
}

static void file_close(struct device *d)
{
	close(d->fd);
	free(d->name);
	free(d);
}

static const struct device_ops file_ops = {
	.read = file_read,
	.readv = file_readv,
	.prefetch = file_prefetch,
	.write = file_write,
	.flush = file_flush,
	.discard = file_discard,
	.close = file_close,
};

/* Fill in size and kind of the open file. */
static int measure(struct device *d)
{
	struct stat st;

	if (fstat(d->fd, &st))
		return error_errno(errno, "%s", d->name);
	if (S_ISREG(st.st_mode)) {
		d->size = (u64)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return error_set(EINVAL, "%s: %s, not an image file or a block device", d->name,
				 S_ISDIR(st.st_mode) ? "a directory" : "a special file");
	d->is_block = true;
	if (ioctl(d->fd, BLKGETSIZE64, &d->size))
		return error_errno(errno, "%s: size of the block device", d->name);
	return 0;
}

int device_open(const char *path, bool writable, struct device **out)
{
	struct device *d;
	int ret;

	if (!*path)
		return error_set(EINVAL, "an empty name where an image file or a block device is wanted");
	d = calloc(1, sizeof(*d));
	if (!d)
		return error_nomem(sizeof(*d));
	d->ops = &file_ops;
	d->writable = writable;
	d->name = strdup(path);
	if (!d->name) {
		free(d);
		return error_nomem(strlen(path) + 1);
	}
	/* O_NONBLOCK: a FIFO must be refused, not waited for.  Files and block devices ignore it. */
	d->fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0) {
		ret = error_errno(errno, "%s", path);
		free(d->name);
		free(d);
		return ret;
	}
	ret = measure(d);
	if (ret) {
		file_close(d);
		return ret;
	}
	*out = d;
	return 0;
}
