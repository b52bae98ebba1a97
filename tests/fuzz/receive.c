/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream applied to a plain directory.  The first two bytes of the input choose how (reception.c); the first one's top
 * bit, that the stream ends early at first, after as many 256ths of it as the second byte says, and is
 * then received anew with --resume.
 */
#include <stdlib.h>
#include <string.h>

#include "reception.h"
#include "repair.h"
#include "sandbox.h"

#define TWICE 0x80

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sandbox_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 2)
		return 0;

	struct reception r = reception_of(data[0], data[1]);
	size_t len = size - 2;
	u8 *stream = malloc(len + 1);

	memcpy(stream, data + 2, len);
	repair_stream(stream, len);
	sandbox_begin();
	if (data[0] & TWICE) {
		reception_run(&r, stream, len * data[1] / 256);
		r.options.resume = true;
	}
	reception_run(&r, stream, len);
	sandbox_end();
	free(stream);
	return 0;
}
