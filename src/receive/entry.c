/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/entry.h"

#include "base/error.h"
#include "format/checksum.h"

#define HEADER_SIZE 9
#define TRAILER_SIZE 4

static u32 checksum(const u8 *p, size_t len)
{
	return ~crc32c_raw(~0u, p, len);
}

void entry_begin(struct entry_writer *w, struct buffer *out, enum entry_type type)
{
	u8 header[HEADER_SIZE] = {0};

	header[4] = (u8)type;
	*w = (struct entry_writer){.out = out, .start = out->len};
	w->ret = buffer_append(out, header, sizeof(header));
}

void entry_put(struct entry_writer *w, const void *data, size_t len)
{
	if (!w->ret && len)
		w->ret = buffer_append(w->out, data, len);
}

void entry_put_u8(struct entry_writer *w, u8 v)
{
	entry_put(w, &v, sizeof(v));
}

void entry_put_u32(struct entry_writer *w, u32 v)
{
	le32 le = le32_of(v);

	entry_put(w, &le, sizeof(le));
}

void entry_put_u64(struct entry_writer *w, u64 v)
{
	le64 le = le64_of(v);

	entry_put(w, &le, sizeof(le));
}

int entry_end(struct entry_writer *w)
{
	size_t size = w->out->len - w->start;
	u8 *p = w->out->data + w->start, trailer[TRAILER_SIZE];

	if (!w->ret && size - HEADER_SIZE > UINT32_MAX)
		w->ret = error_nomem(size);
	if (!w->ret) {
		put_le32(p, (u32)(size - HEADER_SIZE));
		put_le32(p + 5, checksum(p, 5));
		put_le32(trailer, checksum(p, size));
		w->ret = buffer_append(w->out, trailer, sizeof(trailer));
	}
	if (w->ret)
		w->out->len = w->start;
	return w->ret;
}

const u8 *entry_bytes(struct entry *e, size_t len)
{
	const u8 *p = e->data + e->at;

	if (e->bad || len > e->len - e->at) {
		e->bad = true;
		return NULL;
	}
	e->at += len;
	return p;
}

u8 entry_u8(struct entry *e)
{
	const u8 *p = entry_bytes(e, 1);

	return p ? *p : 0;
}

u32 entry_u32(struct entry *e)
{
	const u8 *p = entry_bytes(e, 4);

	return p ? get_le32(p) : 0;
}

u64 entry_u64(struct entry *e)
{
	const u8 *p = entry_bytes(e, 8);

	return p ? get_le64(p) : 0;
}

const char *entry_rest(struct entry *e, size_t *len)
{
	*len = e->bad ? 0 : e->len - e->at;
	return (const char *)entry_bytes(e, *len);
}

static bool all_zero(const u8 *p, size_t len)
{
	for (; len; p++, len--)
		if (*p)
			return false;
	return true;
}

int entry_next(const u8 *data, size_t len, size_t *at, struct entry *e)
{
	const u8 *p = data + *at;
	size_t left = len - *at, size;

	/* A file's end may come back from a crash as zeros. */
	if (left < HEADER_SIZE || all_zero(p, HEADER_SIZE))
		return all_zero(p, left) || left < HEADER_SIZE ? 0 : -EINVAL;
	if (get_le32(p + 5) != checksum(p, 5))
		return -EINVAL;
	if (left < HEADER_SIZE + TRAILER_SIZE || get_le32(p) > left - HEADER_SIZE - TRAILER_SIZE)
		return 0;
	size = (size_t)get_le32(p) + HEADER_SIZE;
	if (get_le32(p + size) != checksum(p, size))
		return all_zero(p + size, left - size) ? 0 : -EINVAL;
	*e = (struct entry){.type = p[4], .data = p + HEADER_SIZE, .len = size - HEADER_SIZE};
	*at += size + TRAILER_SIZE;
	return 1;
}
