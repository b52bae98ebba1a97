/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The decoder, fed in pieces of every size; what comes out goes to both printers and to the rehearsal.  The
 * first byte of the input chooses the pieces, and whether checksums are made right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "receive/rehearsal.h"
#include "repair.h"
#include "stream/print.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static FILE *nowhere;

static void deliver(struct stream_printer p[2], struct rehearsal *r, const struct stream_decoder *d,
		    int event)
{
	if (event == STREAM_HEADER) {
		stream_printer_header(&p[1], d->version);
		r->sink.header(&r->sink, d->version);
		return;
	}
	/* The sanitizer watches that all of it may be read. */
	stream_printer_command(&p[0], &d->command);
	stream_printer_command(&p[1], &d->command);
	r->sink.command(&r->sink, &d->command);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct stream_printer p[2];
	static struct rehearsal r;
	struct stream_decoder d;
	u8 how = size ? data[0] : 0;
	size_t step = (how & 0x7f) * 8 + 1;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!size)
		return 0;
	data++;
	size--;

	u8 *copy = malloc(size + 1);

	memcpy(copy, data, size);
	if (!(how & 0x80))
		repair_stream(copy, size);
	stream_printer_init(&p[0], nowhere, false);
	stream_printer_init(&p[1], nowhere, true);
	stream_decoder_init(&d);
	rehearsal_init(&r, NULL);
	for (size_t at = 0, used; at < size && !d.lost; at += used) {
		size_t n = size - at < step ? size - at : step;
		/* A piece of its own, so that a read behind it is seen. */
		u8 *piece = malloc(n);

		memcpy(piece, copy + at, n);

		int ret = stream_decoder_feed(&d, piece, n, &used);

		if (ret > 0)
			deliver(p, &r, &d, ret);
		free(piece);
	}
	if (!d.lost)
		stream_decoder_finish(&d);
	rehearsal_release(&r);
	stream_decoder_release(&d);
	stream_printer_release(&p[0]);
	stream_printer_release(&p[1]);
	free(copy);
	return 0;
}
