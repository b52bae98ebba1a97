/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/encode.h"

#include <string.h>

#include "base/error.h"
#include "format/extent.h"

/* The kernel's send buffers: 64 KiB, and from version 2 on 16 KiB more than one compressed extent. */
u32 stream_command_max(u32 proto)
{
	return proto >= 2 ? 16384 + COMPRESSED_EXTENT_MAX : STREAM_COMMAND_MAX_V1;
}

u32 stream_write_max(u32 proto)
{
	return stream_command_max(proto) - 16384;
}

int stream_put_header(struct buffer *out, u32 proto)
{
	struct stream_header h = {.magic = STREAM_MAGIC, .version = le32_of(proto)};

	return buffer_append(out, &h, sizeof(h));
}

void encoder_begin(struct encoder *c, struct buffer *out, u32 proto, u16 cmd)
{
	struct stream_command h = {.cmd = le16_of(cmd)};

	*c = (struct encoder){.out = out, .start = out->len, .proto = proto, .cmd = cmd};
	c->ret = buffer_append(out, &h, sizeof(h));
}

void encoder_put(struct encoder *c, u16 attr, const void *data, size_t len)
{
	struct stream_attribute h = {.type = le16_of(attr), .len = le16_of((u16)len)};

	if (c->ret)
		return;
	if (len > UINT16_MAX) {
		c->ret = error_set(EOVERFLOW, "attribute %u of command %u: %zu bytes do not fit",
				   attr, c->cmd, len);
		return;
	}
	c->ret = buffer_append(c->out, &h, sizeof(h));
	if (!c->ret)
		c->ret = buffer_append(c->out, data, len);
}

void encoder_put_u8(struct encoder *c, u16 attr, u8 v)
{
	encoder_put(c, attr, &v, sizeof(v));
}

void encoder_put_u32(struct encoder *c, u16 attr, u32 v)
{
	le32 d = le32_of(v);

	encoder_put(c, attr, &d, sizeof(d));
}

void encoder_put_u64(struct encoder *c, u16 attr, u64 v)
{
	le64 d = le64_of(v);

	encoder_put(c, attr, &d, sizeof(d));
}

void encoder_put_time(struct encoder *c, u16 attr, s64 sec, u32 nsec)
{
	struct disk_timespec t = {le64_of((u64)sec), le32_of(nsec)};

	encoder_put(c, attr, &t, sizeof(t));
}

void encoder_put_data_header(struct encoder *c, u32 len)
{
	struct stream_attribute h = {.type = le16_of(STREAM_A_DATA), .len = le16_of((u16)len)};

	/* From version 2 on the data reaches to the end of the command and has no length of its own. */
	if (!c->ret)
		c->ret = buffer_append(c->out, &h, c->proto >= 2 ? sizeof(h.type) : sizeof(h));
}

int encoder_end(struct encoder *c, u32 data_len)
{
	size_t len = c->out->len - c->start + data_len;

	if (!c->ret && len > stream_command_max(c->proto))
		c->ret = error_set(EOVERFLOW,
				   "command %u of %zu bytes is longer than the %u of protocol %u",
				   c->cmd, len, stream_command_max(c->proto), c->proto);
	if (c->ret) {
		c->out->len = c->start;
		return c->ret;
	}

	struct stream_command *h = (struct stream_command *)(c->out->data + c->start);

	h->len = le32_of((u32)(len - sizeof(*h)));
	return 0;
}
