/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. pending.len bytes before @offset were taken and belong to no event yet; it is less than the
 *    header or command that they are the beginning of.
 * 2. A header or command that lies in the caller's memory whole is used there and never copied.
 * 3. pending keeps its memory behind an event (its len is 0 again), so that the command handed
 *    out stays readable until the next feed.
 */
#include "stream/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "format/checksum.h"

void stream_decoder_init(struct stream_decoder *d)
{
	*d = (struct stream_decoder){0};
}

void stream_decoder_release(struct stream_decoder *d)
{
	buffer_release(&d->pending);
}

/* Point @out at @want bytes once there are so many; 1 then, 0 when all input was put aside. */
static int gather(struct stream_decoder *d, const u8 *data, size_t len, size_t *used, size_t want,
		  const u8 **out)
{
	if (!d->pending.len && len - *used >= want) {
		*out = data + *used;
		return 1;
	}
	if (d->pending.len < want) {
		size_t n = min_u64(want - d->pending.len, len - *used);
		int ret = buffer_append(&d->pending, data + *used, n);

		if (ret)
			return ret;
		*used += n;
		d->offset += n;
	}
	*out = d->pending.data;
	return d->pending.len == want;
}

/* What gather() found is dealt with. */
static void consume(struct stream_decoder *d, size_t *used, size_t size)
{
	if (d->pending.len) {
		buffer_clear(&d->pending);
	} else {
		*used += size;
		d->offset += size;
	}
}

static int lose(struct stream_decoder *d, int ret)
{
	d->lost = true;
	return ret;
}

static int feed_header(struct stream_decoder *d, const u8 *data, size_t len, size_t *used)
{
	const size_t size = sizeof(struct stream_header);
	u64 start = d->offset - d->pending.len;
	const u8 *p;
	int ret = gather(d, data, len, used, size, &p);

	if (ret < 0)
		return lose(d, ret);
	if (!ret)
		return STREAM_WANTS_MORE;

	const struct stream_header *h = (const struct stream_header *)p;

	if (memcmp(h->magic, STREAM_MAGIC, sizeof(h->magic)))
		return lose(d, error_set(EINVAL, "stream offset %llu: no send stream starts here",
					 (unsigned long long)start));
	d->version = le32_get(h->version);
	if (!d->version || d->version > STREAM_VERSION_MAX)
		return lose(d, error_set(EINVAL,
					 "stream offset %llu: stream version %u is not supported, "
					 "only 1 to %u",
					 (unsigned long long)start, d->version, STREAM_VERSION_MAX));
	d->streams++;
	d->within = true;
	consume(d, used, size);
	return STREAM_HEADER;
}

static u32 command_crc(const struct stream_command *h, u32 size)
{
	static const u8 zero[sizeof(h->crc)];
	u32 crc = crc32c_raw(0, h, offsetof(struct stream_command, crc));

	crc = crc32c_raw(crc, zero, sizeof(zero));
	return crc32c_raw(crc, h + 1, size - sizeof(*h));
}

static int wrap(const struct stream_decoder *d, int ret)
{
	const struct decoded_command *c = &d->command;
	const char *name = stream_command_name(c->type);
	char number[16];

	if (!name) {
		snprintf(number, sizeof(number), "type %u", c->type);
		name = number;
	}
	return error_wrap(ret, "stream offset %llu: command %llu (%s)",
			  (unsigned long long)c->offset, (unsigned long long)c->number, name);
}

/* A command's header is there: note what it says, and check its length. */
static int start_command(struct stream_decoder *d, const struct stream_command *h, u64 start)
{
	u32 max = d->version == 1 ? STREAM_COMMAND_MAX_V1 : STREAM_COMMAND_MAX;
	u32 len = le32_get(h->len);

	d->command = (struct decoded_command){
		.type = le16_get(h->cmd),
		.number = d->commands + 1,
		.offset = start,
		.crc = le32_get(h->crc),
	};
	if (len > max - sizeof(*h))
		return lose(d, wrap(d, error_set(EINVAL,
						 "%u bytes of attributes, more than the %zu that "
						 "version %u may have",
						 len, max - sizeof(*h), d->version)));
	d->command.len = len + sizeof(*h);
	return 0;
}

static int feed_command(struct stream_decoder *d, const u8 *data, size_t len, size_t *used)
{
	struct decoded_command *c = &d->command;
	u64 start = d->offset - d->pending.len;
	const u8 *p;
	int ret;

	if (d->pending.len < sizeof(struct stream_command)) {
		ret = gather(d, data, len, used, sizeof(struct stream_command), &p);
		if (ret < 0)
			return lose(d, ret);
		if (!ret)
			return STREAM_WANTS_MORE;
		ret = start_command(d, (const struct stream_command *)p, start);
		if (ret)
			return ret;
	}
	ret = gather(d, data, len, used, c->len, &p);
	if (ret < 0)
		return lose(d, ret);
	if (!ret)
		return STREAM_WANTS_MORE;

	d->commands++;
	if (command_crc((const struct stream_command *)p, c->len) != c->crc)
		ret = error_set(EINVAL, "checksum mismatch");
	else
		ret = command_parse(c, d->version, p + sizeof(struct stream_command),
				    c->len - sizeof(struct stream_command));
	consume(d, used, c->len);
	if (ret)
		return wrap(d, ret);
	if (c->type == STREAM_C_END)
		d->within = false;
	return STREAM_COMMAND;
}

int stream_decoder_feed(struct stream_decoder *d, const void *data, size_t len, size_t *used)
{
	*used = 0;
	return d->within ? feed_command(d, data, len, used) : feed_header(d, data, len, used);
}

size_t stream_decoder_wants(const struct stream_decoder *d)
{
	size_t whole = d->command.len;

	if (!d->within)
		whole = sizeof(struct stream_header);
	else if (d->pending.len < sizeof(struct stream_command))
		whole = sizeof(struct stream_command);
	return whole - d->pending.len;
}

int stream_decoder_finish(struct stream_decoder *d)
{
	unsigned long long offset = d->offset;

	if (d->within && d->pending.len)
		return error_set(EINVAL,
				 "stream offset %llu: the stream ends early, within command %llu",
				 offset, (unsigned long long)d->commands + 1);
	if (d->within)
		return error_set(EINVAL,
				 "stream offset %llu: the stream ends early, behind command %llu and "
				 "without an end command",
				 offset, (unsigned long long)d->commands);
	if (d->pending.len)
		return error_set(EINVAL,
				 "stream offset %llu: the stream ends early, within its header", offset);
	if (!d->streams)
		return error_set(EINVAL, "empty stream is not considered valid");
	return 0;
}
