/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/send.h"

#include <unistd.h>

#include "base/error.h"
#include "send/fetch.h"
#include "send/pipeline.h"
#include "send/prefix.h"

static int plan_of(struct filesystem *fs, const struct send_request *r, struct send_plan **out)
{
	return send_plan_new(fs, r->subvolume, r->parent, r->clones, r->clone_count, &r->options, out);
}

static unsigned threads_of(const struct send_request *r)
{
	long cores = r->threads ? (long)r->threads : sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > SEND_THREADS_MAX ? SEND_THREADS_MAX : (unsigned)cores;
}

int send_subvolume(struct filesystem *fs, const struct send_request *r, struct sink *sink, u64 *bytes)
{
	const struct pipeline_options options = {
		.threads = threads_of(r), .skip = r->from_offset, .progress = r->progress};
	struct send_plan *plan;
	u64 length = 0;
	int ret = plan_of(fs, r, &plan);

	if (ret)
		return ret;
	ret = pipeline_run(fs, plan, sink, &options, &length);
	if (bytes)
		*bytes = length;
	send_plan_free(plan);
	return ret;
}

int send_compare(struct filesystem *fs, const struct send_request *r, struct prefix *x)
{
	struct send_plan *plan;
	struct batch b = {0};
	int more, ret = plan_of(fs, r, &plan);

	if (ret)
		return ret;
	do {
		batch_clear(&b);
		more = send_plan_step(plan, &b);
		ret = more < 0 ? more : prefix_compare(x, &b);
	} while (more > 0 && !ret);
	batch_release(&b);
	send_plan_free(plan);
	return ret;
}

int send_measure(struct filesystem *fs, const struct send_request *r, struct send_measures *out)
{
	struct send_plan *plan;
	struct batch b = {0};
	int ret = plan_of(fs, r, &plan);

	*out = (struct send_measures){0};
	if (ret)
		return ret;
	do {
		batch_clear(&b);
		ret = send_plan_step(plan, &b);
		for (size_t i = 0; i < b.op_count && ret >= 0; i++) {
			out->bytes += op_bytes(&b.ops[i]);
			out->commands += b.ops[i].cmd != 0;
		}
		out->data_bytes += b.data_bytes;
	} while (ret > 0);
	out->inodes = plan->inodes_done;
	batch_release(&b);
	send_plan_free(plan);
	return ret;
}
