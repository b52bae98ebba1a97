/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

/* As long as pipes may be by default without privilege. */
#define PIPE_BYTES (1 << 20)

/* The other end of the stream may have been made non-blocking by whoever holds it. */
static int wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t copy(int fd, const void *buf, size_t len)
{
	return write(fd, buf, len);
}

static ssize_t hand_over(int fd, const void *buf, size_t len)
{
	const struct iovec all = {(void *)buf, len};

	return vmsplice(fd, &all, 1, 0);
}

static int put_all(struct fd_sink *s, const u8 *p, size_t len, ssize_t (*put)(int, const void *, size_t))
{
	while (len) {
		ssize_t n = put(s->fd, p, len);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (wait_writable(s->fd))
				return error_errno(errno, "write to %s", s->name);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(errno, "write to %s", s->name);
		if (!n)
			return error_set(EIO, "write to %s: nothing was taken", s->name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int fd_write(struct sink *sink, const void *buf, size_t len)
{
	return put_all(CONTAINER_OF(sink, struct fd_sink, sink), buf, len, copy);
}

static int fd_give(struct sink *sink, const void *buf, size_t len)
{
	return put_all(CONTAINER_OF(sink, struct fd_sink, sink), buf, len, hand_over);
}

/* A longer pipe is a wish: whoever has many of them may not be given another. */
static void lengthen(int fd)
{
	const int now = fcntl(fd, F_GETPIPE_SZ);

	for (int want = PIPE_BYTES; want > now && fcntl(fd, F_SETPIPE_SZ, want) < 0; want /= 2)
		;
}

void fd_sink_init(struct fd_sink *s, int fd, const char *name)
{
	struct stat st;

	*s = (struct fd_sink){.sink.write = fd_write, .fd = fd, .name = name};
	if (!fstat(fd, &st) && S_ISFIFO(st.st_mode)) {
		lengthen(fd);
		s->sink.give = fd_give;
	}
}
