/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/sink.h"

#include <poll.h>
#include <unistd.h>

#include "base/error.h"

/* The other end of the stream may have been made non-blocking by whoever holds it. */
static int wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int fd_write(struct sink *sink, const void *buf, size_t len)
{
	struct fd_sink *s = CONTAINER_OF(sink, struct fd_sink, sink);
	const u8 *p = buf;

	while (len) {
		ssize_t n = write(s->fd, p, len);

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

void fd_sink_init(struct fd_sink *s, int fd, const char *name)
{
	s->sink.write = fd_write;
	s->fd = fd;
	s->name = name;
}
