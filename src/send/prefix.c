/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/prefix.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "format/stream.h"

/* Several times the longest command that is planned. */
#define BUFFER_BYTES (1u << 20)

int prefix_init(struct prefix *x, int fd, const char *name)
{
	*x = (struct prefix){.fd = fd, .name = name, .bytes = malloc(BUFFER_BYTES)};
	stream_decoder_init(&x->decoder);
	return x->bytes ? 0 : error_nomem(BUFFER_BYTES);
}

void prefix_release(struct prefix *x)
{
	stream_decoder_release(&x->decoder);
	free(x->bytes);
}

/* Have @want bytes behind the offset in memory: 0, 1 where the file has fewer, or an error. */
static int read_on(struct prefix *x, size_t want)
{
	if (x->end - x->start >= want)
		return 0;
	if (want > BUFFER_BYTES)
		return error_set(EOVERFLOW, "a command of %zu bytes", want);
	memmove(x->bytes, x->bytes + x->start, x->end - x->start);
	x->end -= x->start;
	x->start = 0;
	while (x->end < want) {
		ssize_t n = pread(x->fd, x->bytes + x->end, BUFFER_BYTES - x->end, (off_t)(x->offset + x->end));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(errno, "read %s at %" PRIu64, x->name, x->offset + x->end);
		if (!n)
			return 1;
		x->end += (size_t)n;
	}
	return 0;
}

/* "write of 4096 bytes" */
#define COMMAND_TEXT_MAX 64
static const char *command_text(u16 cmd, u64 len, char *buf)
{
	const char *name = stream_command_name(cmd);

	if (name)
		snprintf(buf, COMMAND_TEXT_MAX, "%s of %" PRIu64 " bytes", name, len);
	else
		snprintf(buf, COMMAND_TEXT_MAX, "%" PRIu64 " bytes of unknown type %u", len, cmd);
	return buf;
}

static int differs(const struct prefix *x, const char *file, const char *stream)
{
	return error_set(EINVAL,
			 "%s is not the beginning of this stream: at offset %" PRIu64 ", command %" PRIu64
			 ", it has %s where the stream has %s",
			 x->name, x->offset, x->decoder.commands + 1, file, stream);
}

/* What stands in the file is taken, and its checksum verified. */
static int accept(struct prefix *x, size_t len)
{
	size_t used;
	int ret = stream_decoder_feed(&x->decoder, x->bytes + x->start, len, &used);

	if (ret < 0)
		return error_wrap(ret, "%s", x->name);
	x->start += len;
	x->offset += len;
	return 0;
}

static int compare_header(struct prefix *x, const u8 *planned, size_t len)
{
	int ret = read_on(x, len);

	if (ret)
		return ret;
	if (memcmp(x->bytes + x->start, planned, len))
		return differs(x, "something else", "a header of its version");
	return accept(x, len);
}

/* All but checksum and data. */
static int compare_command(struct prefix *x, const struct op *op, const u8 *planned)
{
	const struct stream_command *want = (const void *)planned, *have;
	const u64 whole = (u64)op->len + op->data_len;
	const size_t head = sizeof(*want);
	char text[2][COMMAND_TEXT_MAX];
	int ret = read_on(x, head);

	if (ret)
		return ret;
	have = (const void *)(x->bytes + x->start);
	if (memcmp(have, want, offsetof(struct stream_command, crc)))
		return differs(x, command_text(le16_get(have->cmd), head + (u64)le32_get(have->len), text[0]),
			       command_text(op->cmd, whole, text[1]));
	ret = read_on(x, whole);
	if (ret)
		return ret;
	if (memcmp(x->bytes + x->start + head, planned + head, op->len - head))
		return differs(x, command_text(op->cmd, whole, text[0]), "the same with other attributes");
	return accept(x, whole);
}

int prefix_compare(struct prefix *x, const struct batch *b)
{
	int ret = 0;

	for (size_t i = 0; i < b->op_count && !ret; i++) {
		const struct op *op = &b->ops[i];
		const u8 *planned = b->bytes.data + op->at;

		ret = op->cmd ? compare_command(x, op, planned) : compare_header(x, planned, op->len);
	}
	return ret;
}

int prefix_finish(struct prefix *x)
{
	int ret = read_on(x, 1);

	return ret < 0 ? ret : ret ? 0 : differs(x, "more", "its end");
}
