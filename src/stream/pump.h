/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a file descriptor through the decoder into a sink: the loop that every use of a stream shares. */
#ifndef BTRFLY_STREAM_PUMP_H
#define BTRFLY_STREAM_PUMP_H

#include "base/progress.h"
#include "stream/decode.h"

struct stream_sink {
	/* Each returns 0, or a negative errno with a sentence.  @header may be NULL. */
	int (*header)(struct stream_sink *s, u32 version);
	int (*command)(struct stream_sink *s, const struct decoded_command *c);

	/* A failure that does not stop the pump: this thread's sentence is about it.  Of a command that the decoder
	 * refused nothing but its type is sure to be set in @c.  NULL where max_errors is 1. */
	void (*failed)(struct stream_sink *s, const struct decoded_command *c);
};

struct stream_pump {
	int fd;
	bool stop_at_end; /* take one stream, and no byte behind its END; else all up to end of file */
	u64 max_errors;   /* stop at so many failed commands, 0 for never */
	struct progress *progress; /* counts bytes; may be NULL */

	u64 errors; /* result: failed commands */
};

/* 0 when the input ended as it should and no command failed, else a negative errno with the
 * sentence of the failure that stopped the pump, or of the last one. */
int stream_pump_run(struct stream_pump *p, struct stream_sink *sink);

#endif
