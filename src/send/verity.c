/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/verity.h"

#include <inttypes.h>

#include "base/error.h"
#include "send/names.h"

#define DESCRIPTOR_MAX 16384

/* Item 0: how long the descriptor is; items from offset 1 on hold it, piece by piece. */
struct verity_item {
	le64 size;
	le64 reserved[2];
	u8 encryption;
};

/* The kernel's struct fsverity_descriptor; the signature follows. */
struct verity_descriptor {
	u8 version;
	u8 hash_algorithm;
	u8 log_blocksize;
	u8 salt_size;
	le32 sig_size;
	le64 data_size;
	u8 root_hash[64];
	u8 salt[32];
	u8 reserved[144];
};

_Static_assert(sizeof(struct verity_descriptor) == 256, "verity descriptor");

static int read_descriptor(struct send_plan *p, struct buffer *out)
{
	struct cursor *c = &p->send.walk;
	u64 size = 0;
	int ret = plan_first(c, p->cur_ino, KEY_VERITY_DESC_ITEM, 0);

	for (; ret > 0; ret = plan_next(c, p->cur_ino, KEY_VERITY_DESC_ITEM)) {
		int err = 0;

		if (cursor_key(c).offset)
			err = buffer_append(out, cursor_data(c), cursor_size(c));
		else if (cursor_size(c) >= sizeof(struct verity_item))
			size = le64_get(((const struct verity_item *)cursor_data(c))->size);
		if (err)
			return err;
		if (out->len > DESCRIPTOR_MAX)
			break;
	}
	if (ret < 0)
		return ret;
	if (out->len != size || size < sizeof(struct verity_descriptor) || size > DESCRIPTOR_MAX)
		return error_set(EIO, "inode %" PRIu64 ": verity descriptor of %zu bytes, %" PRIu64
				 " expected", p->cur_ino, out->len, size);
	return 0;
}

static int send_descriptor(struct send_plan *p, const struct buffer *b)
{
	const struct verity_descriptor *d = (const struct verity_descriptor *)b->data;
	const u32 sig_size = le32_get(d->sig_size);
	struct encoder c;
	int ret;

	if (sig_size > b->len - sizeof(*d) || d->salt_size > sizeof(d->salt) ||
	    d->log_blocksize >= 32)
		return error_set(EIO, "inode %" PRIu64 ": damaged verity descriptor", p->cur_ino);
	ret = plan_begin_here(p, &c, STREAM_C_ENABLE_VERITY);
	if (ret)
		return ret;
	encoder_put_u8(&c, STREAM_A_VERITY_ALGORITHM, d->hash_algorithm);
	encoder_put_u32(&c, STREAM_A_VERITY_BLOCK_SIZE, 1u << d->log_blocksize);
	encoder_put(&c, STREAM_A_VERITY_SALT_DATA, d->salt, d->salt_size);
	encoder_put(&c, STREAM_A_VERITY_SIG_DATA, d + 1, sig_size);
	return plan_end(p, &c);
}

int plan_verity(struct send_plan *p)
{
	struct buffer b = {0};
	int ret = read_descriptor(p, &b);

	if (!ret)
		ret = send_descriptor(p, &b);
	buffer_release(&b);
	return ret;
}
