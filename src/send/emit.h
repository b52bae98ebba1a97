/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From plan to stream: file data is read, verified and put in its place, checksums are filled in. */
#ifndef BTRFLY_SEND_EMIT_H
#define BTRFLY_SEND_EMIT_H

#include "files/data.h"
#include "send/batch.h"
#include "stream/sink.h"

struct emitter;

/* The filesystem and the sink must outlive the emitter. */
int emitter_new(struct filesystem *fs, struct sink *sink, struct emitter **out);
void emitter_free(struct emitter *e); /* NULL is fine; nothing more is written */

/* Write the commands of a batch; some may stay in the emitter's buffer. */
int emitter_batch(struct emitter *e, struct batch *b);

/* Write what is still in the buffer. */
int emitter_flush(struct emitter *e);

#endif
