/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/send.h"

#include <inttypes.h>

#include "base/error.h"
#include "send/emit.h"

/* A batch is handed on when it has so many commands' bytes or so many bytes of data. */
#define BATCH_BYTES (256u << 10)
#define BATCH_DATA (4u << 20)

static int fill(struct send_plan *plan, struct batch *b)
{
	int ret = 1;

	batch_clear(b);
	while (ret > 0 && b->bytes.len < BATCH_BYTES && b->data_bytes < BATCH_DATA)
		ret = send_plan_step(plan, b);
	return ret;
}

int send_subvolume(struct filesystem *fs, const struct send_request *r, struct sink *sink)
{
	struct send_plan *plan = NULL;
	struct emitter *emitter = NULL;
	struct batch batch = {0};
	int more = 0, ret;

	ret = send_plan_new(fs, r->subvolume, r->parent, r->clones, r->clone_count, &r->options,
			    &plan);
	if (!ret)
		ret = emitter_new(fs, sink, &emitter);
	do {
		if (ret)
			break;
		more = fill(plan, &batch);
		ret = more < 0 ? more : emitter_batch(emitter, &batch);
	} while (more > 0);
	if (!ret)
		ret = emitter_flush(emitter);
	emitter_free(emitter);
	batch_release(&batch);
	send_plan_free(plan);
	return ret;
}
