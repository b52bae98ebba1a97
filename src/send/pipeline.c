/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stages of a send, side by side: plan, fetch, emit.
 *
 *   plan thread                 N fetch threads                    caller's thread
 *   batches, cut into frames --> each frame rendered to bytes --> frames written in order
 *
 * Invariants
 *  1. Errors travel in their frame, so that everything before the fault is written, and nothing behind it.
 *  2. A batch goes back to the pool when the last of its frames has been written.
 */
#include "send/pipeline.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/thread.h"
#include "send/fetch.h"
#include "send/ring.h"

/* A batch is cut into frames when so little is missing to a whole one that most commands are longer. */
#define BATCH_MARGIN (64u << 10)
/* Less than this is sooner copied than given. */
#define GIVE_MIN (256u << 10)

struct shared_batch {
	struct batch batch;
	unsigned frames; /* that are not yet written */
	struct shared_batch *next;
};

struct pipeline {
	struct filesystem *fs;
	struct send_plan *plan;
	struct sink *sink;
	const struct pipeline_options *options;
	u64 offset; /* in the stream, of the next frame to be planned */
	struct ring ring;
	struct error plan_error;
	pthread_mutex_t lock; /* of the pool, and of the counts in its batches */
	struct shared_batch *pool;
};

/* --- batches --- */

static struct shared_batch *batch_get(struct pipeline *p)
{
	struct shared_batch *b;

	pthread_mutex_lock(&p->lock);
	b = p->pool;
	if (b)
		p->pool = b->next;
	pthread_mutex_unlock(&p->lock);
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b)
			error_nomem(sizeof(*b));
		return b;
	}
	batch_clear(&b->batch);
	return b;
}

/* One of its frames, or its maker, has done with @b. */
static void batch_put(struct pipeline *p, struct shared_batch *b)
{
	pthread_mutex_lock(&p->lock);
	if (!--b->frames) {
		b->next = p->pool;
		p->pool = b;
	}
	pthread_mutex_unlock(&p->lock);
}

static void batch_hold(struct pipeline *p, struct shared_batch *b)
{
	pthread_mutex_lock(&p->lock);
	b->frames++;
	pthread_mutex_unlock(&p->lock);
}

/* --- plan --- */

/* The commands from @first on that make up one frame; those before the wanted offset are passed over. */
static size_t cut(struct pipeline *p, const struct batch *b, size_t *first, struct frame *f)
{
	const u64 skip = p->options->skip;
	size_t i = *first;

	while (i < b->op_count && p->offset + op_bytes(&b->ops[i]) <= skip)
		p->offset += op_bytes(&b->ops[i++]);
	*first = f->first = i;
	f->len = 0;
	f->skip = p->offset < skip ? skip - p->offset : 0;
	for (; i < b->op_count; i++) {
		u64 len = op_bytes(&b->ops[i]);

		if (f->len && f->len + len > p->ring.frame_bytes)
			break;
		f->len += len;
	}
	f->last = i;
	p->offset += f->len;
	return i;
}

/* Steps of the plan until there is enough for a batch: 1 if there may be more, 0 at the end, or an error. */
static int fill(struct pipeline *p, struct batch *b)
{
	const u64 enough = p->ring.frame_bytes - BATCH_MARGIN;
	int ret = 1;

	while (ret > 0 && b->bytes.len + b->data_bytes < enough)
		ret = send_plan_step(p->plan, b);
	return ret;
}

/*
 * Cut a batch into frames, put them into the ring, and call @next for each.  Takes the batch over.  0; 1 if
 * nobody wants more; or an error.
 */
static int cut_batch(struct pipeline *p, struct shared_batch *b, int (*next)(struct pipeline *p))
{
	const size_t count = b->batch.op_count;
	int ret = 0;

	b->frames = 1; /* this function's */
	for (size_t at = 0; at < count && !ret;) {
		struct frame *f = ring_wait_room(&p->ring);

		if (!f) {
			ret = 1;
			break;
		}
		at = cut(p, &b->batch, &at, f);
		if (f->first == f->last)
			break;
		f->from = b;
		f->inodes = p->plan->inodes_done;
		batch_hold(p, b);
		fetch_ahead(p->fs, &b->batch, f->first, f->last);
		ring_push(&p->ring);
		ret = next(p);
	}
	batch_put(p, b);
	return ret;
}

static int plan_all(struct pipeline *p, int (*next)(struct pipeline *p))
{
	int more = 1, ret = 0;

	while (more > 0 && !ret) {
		struct shared_batch *b = batch_get(p);

		if (!b)
			return -ENOMEM;
		more = fill(p, &b->batch);
		if (more < 0) {
			struct error e;

			/* What comes before the fault is still good. */
			error_save(&e, more);
			ret = cut_batch(p, b, next);
			return ret < 0 ? ret : error_restore(&e);
		}
		ret = cut_batch(p, b, next);
	}
	return ret < 0 ? ret : 0;
}

/* --- fetch --- */

static void render(struct pipeline *p, struct fetcher *fetcher, struct frame *f)
{
	int ret = ring_reserve(&p->ring, f);

	if (!ret)
		ret = fetcher_render(fetcher, &f->from->batch, f->first, f->last, f->buffer.bytes);
	f->error.code = 0;
	if (ret)
		error_save(&f->error, ret);
}

/* --- emit --- */

/* Write a frame and take it out of the ring. */
static int emit(struct pipeline *p, struct frame *f)
{
	struct progress *progress = p->options->progress;
	struct shared_batch *from = f->from;
	const size_t len = f->len - f->skip;
	const bool give = f->buffer.huge && len >= GIVE_MIN;
	int ret;

	if (f->error.code)
		return error_restore(&f->error);
	ret = (give ? p->sink->give : p->sink->write)(p->sink, f->buffer.bytes + f->skip, len);
	if (ret)
		return ret;
	if (progress) {
		progress->files = f->inodes;
		progress_add(progress, len);
	}
	ring_pop(&p->ring, f, give);
	batch_put(p, from);
	return 0;
}

/* --- threads --- */

static int go_on(struct pipeline *p)
{
	return 0;
}

static void *plan_thread(void *arg)
{
	struct pipeline *p = arg;
	int ret = plan_all(p, go_on);

	if (ret)
		error_save(&p->plan_error, ret);
	ring_end_planning(&p->ring);
	return NULL;
}

struct worker {
	pthread_t thread;
	struct pipeline *pipeline;
	struct fetcher *fetcher;
	bool started;
};

static void *fetch_thread(void *arg)
{
	struct worker *w = arg;
	struct frame *f;

	while ((f = ring_take(&w->pipeline->ring))) {
		render(w->pipeline, w->fetcher, f);
		ring_done(&w->pipeline->ring, f);
	}
	return NULL;
}

static int start_worker(struct pipeline *p, struct worker *w)
{
	int ret = fetcher_new(p->fs, &w->fetcher);

	w->pipeline = p;
	if (ret)
		return ret;
	ret = thread_start(&w->thread, fetch_thread, w);
	w->started = !ret;
	return ret;
}

static int run_threads(struct pipeline *p)
{
	const unsigned count = p->options->threads;
	struct worker *workers = calloc(count, sizeof(*workers));
	pthread_t planner;
	bool planning = false;
	struct frame *f;
	int ret = workers ? 0 : error_nomem(count * sizeof(*workers));

	for (unsigned i = 0; i < count && !ret; i++)
		ret = start_worker(p, &workers[i]);
	if (!ret) {
		ret = thread_start(&planner, plan_thread, p);
		planning = !ret;
	}
	while (!ret && (f = ring_wait_done(&p->ring)))
		ret = emit(p, f);
	ring_stop(&p->ring);
	if (planning)
		pthread_join(planner, NULL);
	for (unsigned i = 0; workers && i < count; i++) {
		if (workers[i].started)
			pthread_join(workers[i].thread, NULL);
		fetcher_free(workers[i].fetcher);
	}
	free(workers);
	if (!ret && p->plan_error.code)
		ret = error_restore(&p->plan_error);
	return ret;
}

/* --- one thread --- */

struct inline_run {
	struct pipeline pipeline;
	struct fetcher *fetcher;
};

static int render_and_emit(struct pipeline *p)
{
	struct inline_run *r = CONTAINER_OF(p, struct inline_run, pipeline);
	struct frame *f = ring_take(&p->ring);

	render(p, r->fetcher, f);
	return emit(p, f);
}

static int init(struct pipeline *p, struct filesystem *fs, struct send_plan *plan, struct sink *sink,
		const struct pipeline_options *options)
{
	int ret = ring_init(&p->ring, fs->memory, options->threads, sink->give);

	if (ret)
		return ret;
	p->fs = fs;
	p->plan = plan;
	p->sink = sink;
	p->options = options;
	pthread_mutex_init(&p->lock, NULL);
	return 0;
}

static void release(struct pipeline *p)
{
	struct shared_batch *b;

	/* After an error frames may still hold batches; each batch is freed once. */
	for (u64 i = p->ring.written; i < p->ring.planned; i++)
		batch_put(p, ring_frame(&p->ring, i)->from);
	while ((b = p->pool)) {
		p->pool = b->next;
		batch_release(&b->batch);
		free(b);
	}
	ring_release(&p->ring);
	pthread_mutex_destroy(&p->lock);
}

int pipeline_run(struct filesystem *fs, struct send_plan *plan, struct sink *sink,
		 const struct pipeline_options *options, u64 *bytes)
{
	struct inline_run *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_nomem(sizeof(*r));
	ret = init(&r->pipeline, fs, plan, sink, options);
	if (ret) {
		free(r);
		return ret;
	}
	if (options->threads > 1) {
		ret = run_threads(&r->pipeline);
	} else {
		ret = fetcher_new(fs, &r->fetcher);
		if (!ret)
			ret = plan_all(&r->pipeline, render_and_emit);
		fetcher_free(r->fetcher);
	}
	*bytes = r->pipeline.offset;
	release(&r->pipeline);
	free(r);
	return ret;
}
