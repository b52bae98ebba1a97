/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

/* Longer than every command the kernel sends, so that most are used where they were read. */
#define BUFFER_SIZE (1u << 20)

/* Whether all that is wanted was taken. */
static bool is_last(const struct stream_pump *p, const struct stream_decoder *d)
{
	return p->stop_at_end && !d->within;
}

/* Deliver one event.  Returns 1 when the pump is to stop. */
static int deliver(struct stream_pump *p, struct stream_sink *sink, const struct stream_decoder *d,
		   int event)
{
	int ret = 0;

	if (event == STREAM_HEADER)
		return sink->header ? sink->header(sink, d->version) : 0;
	ret = sink->command(sink, &d->command);
	return ret ? ret : is_last(p, d);
}

/* Count a failed command: 0 to go on, 1 when the pump is to stop. */
static int count_failure(struct stream_pump *p, struct stream_sink *sink, const struct stream_decoder *d, int ret)
{
	p->errors++;
	if (d->lost || (p->max_errors && p->errors >= p->max_errors))
		return ret;
	sink->failed(sink, &d->command);
	return is_last(p, d);
}

/* Feed all of [@data, @data + @len).  Returns 1 when the pump is to stop. */
static int feed(struct stream_pump *p, struct stream_sink *sink, struct stream_decoder *d,
		const u8 *data, size_t len, struct error *last)
{
	while (len) {
		size_t used;
		int ret = stream_decoder_feed(d, data, len, &used);

		data += used;
		len -= used;
		if (ret == STREAM_WANTS_MORE)
			continue;
		if (ret > 0)
			ret = deliver(p, sink, d, ret);
		if (ret < 0) {
			error_save(last, ret);
			ret = count_failure(p, sink, d, ret);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* Whoever has the descriptor as well may have made it non-blocking. */
static int wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int pump(struct stream_pump *p, struct stream_sink *sink, struct stream_decoder *d, u8 *buf,
		struct error *last)
{
	for (;;) {
		size_t want = p->stop_at_end ? min_u64(stream_decoder_wants(d), BUFFER_SIZE) : BUFFER_SIZE;
		ssize_t n = read(p->fd, buf, want);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && !wait_readable(p->fd))))
			continue;
		if (n < 0)
			return error_errno(errno, "stream offset %llu: read",
					   (unsigned long long)d->offset);
		if (!n)
			return stream_decoder_finish(d);
		if (p->progress)
			progress_add(p->progress, n);

		int ret = feed(p, sink, d, buf, n, last);

		if (ret)
			return ret;
	}
}

int stream_pump_run(struct stream_pump *p, struct stream_sink *sink)
{
	struct stream_decoder d;
	struct error last = {0};
	u8 *buf = malloc(BUFFER_SIZE);

	if (!buf)
		return error_nomem(BUFFER_SIZE);
	/* Fewer, longer reads; what is no pipe refuses, and that is fine. */
	fcntl(p->fd, F_SETPIPE_SZ, BUFFER_SIZE);
	stream_decoder_init(&d);
	p->errors = 0;

	int ret = pump(p, sink, &d, buf, &last);

	stream_decoder_release(&d);
	free(buf);
	if (ret < 0)
		return ret;
	return last.code ? error_restore(&last) : 0;
}
