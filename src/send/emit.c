/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/emit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "format/checksum.h"
#include "format/stream.h"

#define BUFFER_SIZE (1u << 20)

struct emitter {
	struct filesystem *fs;
	struct sink *sink;
	struct data_reader *reader;
	u8 *buf;
	size_t len;
};

int emitter_new(struct filesystem *fs, struct sink *sink, struct emitter **out)
{
	struct emitter *e = calloc(1, sizeof(*e));
	int ret;

	if (!e)
		return error_nomem(sizeof(*e));
	e->fs = fs;
	e->sink = sink;
	e->buf = malloc(BUFFER_SIZE);
	ret = e->buf ? data_reader_new(fs, &e->reader) : error_nomem(BUFFER_SIZE);
	if (ret) {
		emitter_free(e);
		return ret;
	}
	*out = e;
	return 0;
}

void emitter_free(struct emitter *e)
{
	if (!e)
		return;
	data_reader_free(e->reader);
	free(e->buf);
	free(e);
}

int emitter_flush(struct emitter *e)
{
	size_t len = e->len;

	e->len = 0;
	return len ? e->sink->write(e->sink, e->buf, len) : 0;
}

static int read_slice(struct emitter *e, const struct batch *b, const struct slice *s, u8 *to,
		      u32 len)
{
	struct file_range r = s->range;
	int ret = 0;

	if (r.type == FILE_EXTENT_INLINE)
		r.inline_data = b->bytes.data + s->inline_at;
	switch (s->kind) {
	case SLICE_ZERO:
		memset(to, 0, len);
		break;
	case SLICE_RAW:
		if (r.type == FILE_EXTENT_INLINE)
			memcpy(to, r.inline_data, len);
		else
			ret = data_read_raw(e->reader, r.disk_bytenr, to, len, s->verify);
		break;
	default:
		ret = data_read(e->reader, &r, s->start, to, len, s->verify);
		break;
	}
	if (ret)
		error_wrap(ret, "inode %" PRIu64 ": file offset %" PRIu64, s->ino,
			   r.file_offset + s->start);
	return ret;
}

static int emit_op(struct emitter *e, const struct batch *b, const struct op *op)
{
	u8 *at = e->buf + e->len;
	struct stream_command *h = (struct stream_command *)at;

	memcpy(at, b->bytes.data + op->at, op->len);
	if (op->slice != NO_SLICE) {
		int ret = read_slice(e, b, &b->slices[op->slice], at + op->len, op->data_len);

		if (ret)
			return ret;
	}
	if (op->cmd)
		h->crc = le32_of(crc32c_raw(0, at, op->len + op->data_len));
	e->len += op->len + op->data_len;
	return 0;
}

int emitter_batch(struct emitter *e, struct batch *b)
{
	int ret = 0;

	for (size_t i = 0; i < b->op_count && !ret; i++) {
		const struct op *op = &b->ops[i];

		if (op->len + op->data_len > BUFFER_SIZE - e->len)
			ret = emitter_flush(e);
		if (!ret)
			ret = emit_op(e, b, op);
	}
	return ret;
}
