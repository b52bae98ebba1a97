/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/file.h"

#include <linux/falloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

#define COPY_SIZE (256u * 1024)

int file_size(struct host *host, int fd, u64 *size)
{
	struct stat st;

	if (host->ops->stat(host, fd, ".", &st))
		return error_errno(errno, "stat");
	*size = (u64)st.st_size;
	return 0;
}

int file_write(struct host *host, int fd, const void *data, u64 len, u64 offset)
{
	const char *p = data;

	while (len) {
		ssize_t n = host->ops->pwrite(host, fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(n ? errno : EIO, "write at offset %llu",
					   (unsigned long long)offset);
		p += n;
		len -= n;
		offset += n;
	}
	return 0;
}

static int truncate_to(struct host *host, int fd, u64 size)
{
	int ret;

	do
		ret = host->ops->truncate(host, fd, (off_t)size);
	while (ret && errno == EINTR);
	return ret;
}

int file_truncate(struct host *host, int fd, u64 size)
{
	return truncate_to(host, fd, size) ? error_errno(errno, "truncate") : 0;
}

int file_extend(struct host *host, int fd, u64 size)
{
	u64 now = 0;
	int ret = file_size(host, fd, &now);

	if (!ret && now < size && truncate_to(host, fd, size))
		ret = error_errno(errno, "extend to %llu bytes", (unsigned long long)size);
	return ret;
}

int file_allocate(struct host *host, int fd, int mode, u64 offset, u64 len)
{
	int ret;

	do
		ret = host->ops->fallocate(host, fd, mode, (off_t)offset, (off_t)len);
	while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

void file_copier_release(struct file_copier *c)
{
	free(c->room);
	c->room = NULL;
}

/* -EOPNOTSUPP without a sentence where there are no holes. */
static int punch(struct file_copier *c, int fd, u64 offset, u64 len)
{
	int ret;

	if (c->no_holes)
		return -EOPNOTSUPP;
	ret = file_allocate(c->host, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
	if (ret == -ENOSYS)
		ret = -EOPNOTSUPP;
	c->no_holes = ret == -EOPNOTSUPP;
	return ret && !c->no_holes ? error_errno(-ret, "punch a hole at offset %llu", (unsigned long long)offset) :
				     ret;
}

int file_make_hole(struct file_copier *c, int fd, u64 offset, u64 len)
{
	static const char zeros[1 << 16];
	u64 size = 0;
	int ret = file_size(c->host, fd, &size);

	if (ret || offset >= size)
		return ret;
	len = min_u64(len, size - offset);
	ret = punch(c, fd, offset, len);
	if (ret != -EOPNOTSUPP)
		return ret;
	for (ret = 0; !ret && len;) {
		u64 n = min_u64(len, sizeof(zeros));

		ret = file_write(c->host, fd, zeros, n, offset);
		offset += n;
		len -= n;
	}
	return ret;
}

static int read_and_write(struct file_copier *c, int source, u64 from, u64 len, int fd, u64 to)
{
	if (!c->room)
		c->room = malloc(COPY_SIZE);
	if (!c->room)
		return error_nomem(COPY_SIZE);
	while (len) {
		ssize_t n = c->host->ops->pread(c->host, source, c->room, min_u64(len, COPY_SIZE), (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(errno, "read the source at offset %llu",
					   (unsigned long long)from);
		if (!n)
			return error_set(EIO, "the source ends at offset %llu", (unsigned long long)from);

		int ret = file_write(c->host, fd, c->room, (u64)n, to);

		if (ret)
			return ret;
		from += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* The kernel copies where it can: between files of one filesystem, or on the server. */
static int copy_data(struct file_copier *c, int source, u64 from, u64 len, int fd, u64 to)
{
	while (len) {
		ssize_t n = c->host->ops->copy_range(c->host, source, (off_t)from, fd, (off_t)to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return read_and_write(c, source, from, len, fd, to);
		from += n;
		to += n;
		len -= n;
	}
	return 0;
}

int file_copy(struct file_copier *c, int source, u64 from, u64 len, int fd, u64 to)
{
	struct host *host = c->host;
	u64 end = from + len, shift = to - from;
	int ret = 0;

	while (!ret && from < end) {
		off_t data = host->ops->seek(host, source, (off_t)from, SEEK_DATA);
		u64 start = data < 0 ? (errno == ENXIO ? end : from) : min_u64((u64)data, end);
		off_t hole = start < end ? host->ops->seek(host, source, (off_t)start, SEEK_HOLE) : -1;
		u64 stop = hole < 0 ? end : min_u64((u64)hole, end);

		if (start > from)
			ret = file_make_hole(c, fd, from + shift, start - from);
		if (!ret && stop > start)
			ret = copy_data(c, source, start, stop - start, fd, start + shift);
		from = stop;
	}
	return ret ? ret : file_extend(host, fd, end + shift);
}
