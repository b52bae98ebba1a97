/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stream decoder: a step machine that is fed bytes as they come and says when a header or a
 * command is whole.  Dump, directory, image and check are only sinks of its commands.
 *
 *                header                 command, not END
 *   BETWEEN ───────────────▶ WITHIN ───────────────────────┐
 *      ▲                     │    ▲                        │
 *      └──────── END ────────┘    └────────────────────────┘
 *
 * A command is handed out only after its length, its checksum and all of its attributes were
 * found right.  Memory is bounded by the longest command that a version may have.
 */
#ifndef BTRFLY_STREAM_DECODE_H
#define BTRFLY_STREAM_DECODE_H

#include "base/buffer.h"
#include "stream/command.h"

/*
 * From version 2 on the kernel sends at most 16 KiB + 128 KiB rounded up to its page size, and
 * btrfs-progs takes whatever it is given.  This leaves room for other senders, and none for a
 * damaged length to ask for all of the memory.
 */
#define STREAM_COMMAND_MAX (4u * 1024 * 1024)

enum stream_event {
	STREAM_WANTS_MORE = 0,
	STREAM_HEADER = 1,
	STREAM_COMMAND = 2,
};

struct stream_decoder {
	/* What the last event was about; valid until the next feed, as is the memory that
	 * @command points into: the decoder's own or the caller's. */
	u32 version;
	struct decoded_command command;

	u64 streams;  /* headers so far */
	u64 commands; /* over all streams, bad ones included */
	u64 offset;   /* bytes of the input taken */
	bool within;  /* a header has come, and its END has not */
	bool lost;    /* after an error: where the next command starts is not known */

	struct buffer pending; /* the beginning of what is not whole yet */
};

void stream_decoder_init(struct stream_decoder *d);
void stream_decoder_release(struct stream_decoder *d);

/*
 * Take bytes from [@data, @data + @len) and set @used to how many were taken, all of them unless
 * there is an event.  Returns an enum stream_event, or a negative errno with a sentence that
 * names the stream's offset and the command's number.  Unless @lost is set the bad command was
 * taken whole, and feeding may go on behind it.
 */
int stream_decoder_feed(struct stream_decoder *d, const void *data, size_t len, size_t *used);

/* How many bytes may be fed before the next event at the latest: never beyond an END. */
size_t stream_decoder_wants(const struct stream_decoder *d);

/* The input is at its end: 0 if that is right behind an END, else an error. */
int stream_decoder_finish(struct stream_decoder *d);

#endif
