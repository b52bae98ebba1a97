/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building the commands of a stream.  A command is appended to a buffer; its checksum is left zero,
 * for whoever writes it out together with its data.
 */
#ifndef BTRFLY_STREAM_ENCODE_H
#define BTRFLY_STREAM_ENCODE_H

#include "base/buffer.h"
#include "format/inode.h"
#include "format/stream.h"

/* Longest command of a protocol version, header and data included: what the kernel's buffer holds. */
u32 stream_command_max(u32 proto);

/* Most bytes of file data in one WRITE. */
u32 stream_write_max(u32 proto);

/* A command under construction.  Errors stick: only encoder_end() need be checked. */
struct encoder {
	struct buffer *out;
	size_t start; /* of the command in @out */
	u32 proto;
	u16 cmd;
	int ret;
};

int stream_put_header(struct buffer *out, u32 proto); /* 0 or -ENOMEM */

void encoder_begin(struct encoder *c, struct buffer *out, u32 proto, u16 cmd);
void encoder_put(struct encoder *c, u16 attr, const void *data, size_t len);
void encoder_put_u8(struct encoder *c, u16 attr, u8 v);
void encoder_put_u32(struct encoder *c, u16 attr, u32 v);
void encoder_put_u64(struct encoder *c, u16 attr, u64 v);
void encoder_put_time(struct encoder *c, u16 attr, s64 sec, u32 nsec);

/* The DATA attribute without its value, @len bytes that are to follow.  Nothing may be put behind it. */
void encoder_put_data_header(struct encoder *c, u32 len);

/* Fill in the length, @data_len bytes of data to come included.  0, -ENOMEM, or -EOVERFLOW with a
 * sentence if the command is longer than its protocol allows; then it is taken back from the buffer. */
int encoder_end(struct encoder *c, u32 data_len);

#endif
