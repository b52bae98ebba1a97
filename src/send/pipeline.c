/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stages of a send, side by side: plan, fetch, emit.
 *
 *   plan thread                 N fetch threads                    caller's thread
 *   batches, cut into frames --> each frame rendered to bytes --> frames written in order
 *
 * Frames stand in a ring.  A frame's life:
 *
 *   free --frame_push--> planned --frame_take--> taken --frame_done--> done --frame_pop--> free
 *
 * Invariants
 *  1. written <= taken <= planned <= written + slots; frame i lives in slot i % slots.
 *  2. A frame's fields belong to the one stage that has it; `planned`, `taken`, `written`, `stop` and the
 *     `done` marks are guarded by the lock.
 *  3. Errors travel in their frame, so that everything before the fault is written, and nothing behind it.
 *  4. A batch goes back to the pool when the last of its frames has been written.
 */
#include "send/pipeline.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "send/fetch.h"

#define FRAME_BYTES (1u << 20)
/* An eighth of the memory is for frames. */
#define SLOTS_MIN 4
#define SLOTS_MAX 64
/* A batch is cut into frames when it has this many bytes of stream. */
#define BATCH_BYTES FRAME_BYTES

struct shared_batch {
	struct batch batch;
	unsigned frames; /* that are not yet written */
	struct shared_batch *next;
};

struct frame {
	struct shared_batch *from;
	size_t first, last; /* commands */
	size_t skip;        /* bytes at the start that are not written */
	size_t len;
	u8 *bytes; /* FRAME_BYTES, or what its one command needs */
	size_t capacity;
	u64 inodes; /* done when this has been written: for progress */
	bool done;
	struct error error;
};

struct pipeline {
	struct filesystem *fs;
	struct send_plan *plan;
	const struct pipeline_options *options;
	u64 offset; /* in the stream, of the next frame to be planned */

	pthread_mutex_t lock;
	pthread_cond_t room, work, ready;
	u64 planned, taken, written;
	bool planning, stop;
	struct error plan_error;
	struct frame *ring;
	u64 slots;
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

/* With the lock held. */
static void batch_put(struct pipeline *p, struct shared_batch *b)
{
	b->next = p->pool;
	p->pool = b;
}

/* --- frames --- */

static struct frame *frame_at(struct pipeline *p, u64 i)
{
	return &p->ring[i % p->slots];
}

/* Wait for a free slot: false if there is no more use for one. */
static bool frame_wait_room(struct pipeline *p)
{
	bool go;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && p->planned - p->written >= p->slots)
		pthread_cond_wait(&p->room, &p->lock);
	go = !p->stop;
	pthread_mutex_unlock(&p->lock);
	return go;
}

static void frame_push(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	p->planned++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

static struct frame *frame_take(struct pipeline *p)
{
	struct frame *f = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && p->planning && p->taken == p->planned)
		pthread_cond_wait(&p->work, &p->lock);
	if (!p->stop && p->taken < p->planned)
		f = frame_at(p, p->taken++);
	pthread_mutex_unlock(&p->lock);
	return f;
}

static void frame_done(struct pipeline *p, struct frame *f)
{
	pthread_mutex_lock(&p->lock);
	f->done = true;
	pthread_cond_signal(&p->ready);
	pthread_mutex_unlock(&p->lock);
}

/* The next frame to be written, or NULL when there is none to come. */
static struct frame *frame_wait_done(struct pipeline *p)
{
	struct frame *f = NULL;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		if (p->written < p->planned && frame_at(p, p->written)->done) {
			f = frame_at(p, p->written);
			break;
		}
		if (p->written == p->planned && !p->planning)
			break;
		pthread_cond_wait(&p->ready, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return f;
}

static void frame_pop(struct pipeline *p, struct frame *f)
{
	pthread_mutex_lock(&p->lock);
	f->done = false;
	if (!--f->from->frames)
		batch_put(p, f->from);
	p->written++;
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

static int frame_reserve(struct frame *f)
{
	u8 *bytes;

	if (f->len <= f->capacity)
		return 0;
	free(f->bytes);
	f->capacity = f->len > FRAME_BYTES ? f->len : FRAME_BYTES;
	bytes = f->bytes = malloc(f->capacity);
	if (!bytes) {
		f->capacity = 0;
		return error_nomem(f->len);
	}
	return 0;
}

static void frame_render(struct fetcher *fetcher, struct frame *f)
{
	int ret = frame_reserve(f);

	if (!ret)
		ret = fetcher_render(fetcher, &f->from->batch, f->first, f->last, f->bytes);
	f->error.code = 0;
	if (ret)
		error_save(&f->error, ret);
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

		if (f->len && f->len + len > FRAME_BYTES)
			break;
		f->len += len;
	}
	f->last = i;
	p->offset += f->len;
	return i;
}

/* Steps of the plan until there is enough for a batch: 1 if there may be more, 0 at the end, or an error. */
static int fill(struct send_plan *plan, struct batch *b)
{
	int ret = 1;

	while (ret > 0 && b->bytes.len + b->data_bytes < BATCH_BYTES)
		ret = send_plan_step(plan, b);
	return ret;
}

/* Cut a batch into frames, and hand each to @next.  Takes the batch over.  0; 1 if nobody wants more; or an
 * error. */
static int cut_batch(struct pipeline *p, struct shared_batch *b,
		     int (*next)(struct pipeline *p, struct frame *f))
{
	const size_t count = b->batch.op_count;
	int ret = 0;

	b->frames = 1; /* this function's */
	for (size_t at = 0; at < count && !ret;) {
		struct frame *f;

		if (!frame_wait_room(p)) {
			ret = 1;
			break;
		}
		f = frame_at(p, p->planned);
		at = cut(p, &b->batch, &at, f);
		if (f->first == f->last)
			break;
		f->from = b;
		f->inodes = p->plan->inodes_done;
		pthread_mutex_lock(&p->lock);
		b->frames++;
		pthread_mutex_unlock(&p->lock);
		fetch_ahead(p->fs, &b->batch, f->first, f->last);
		ret = next(p, f);
	}
	pthread_mutex_lock(&p->lock);
	if (!--b->frames)
		batch_put(p, b);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int plan_all(struct pipeline *p, int (*next)(struct pipeline *p, struct frame *f))
{
	int more = 1, ret = 0;

	while (more > 0 && !ret) {
		struct shared_batch *b = batch_get(p);

		if (!b)
			return -ENOMEM;
		more = fill(p->plan, &b->batch);
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

/* --- emit --- */

static int emit(struct pipeline *p, struct sink *sink, struct frame *f)
{
	struct progress *progress = p->options->progress;
	int ret = f->error.code ? error_restore(&f->error)
				: sink->write(sink, f->bytes + f->skip, f->len - f->skip);

	if (!ret && progress) {
		progress->files = f->inodes;
		progress_add(progress, f->len - f->skip);
	}
	return ret;
}

/* --- threads --- */

static int push(struct pipeline *p, struct frame *f)
{
	frame_push(p);
	return 0;
}

static void *plan_thread(void *arg)
{
	struct pipeline *p = arg;
	int ret = plan_all(p, push);

	if (ret)
		error_save(&p->plan_error, ret);
	pthread_mutex_lock(&p->lock);
	p->planning = false;
	pthread_cond_broadcast(&p->work);
	pthread_cond_broadcast(&p->ready);
	pthread_mutex_unlock(&p->lock);
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

	while ((f = frame_take(w->pipeline))) {
		frame_render(w->fetcher, f);
		frame_done(w->pipeline, f);
	}
	return NULL;
}

static int start_worker(struct pipeline *p, struct worker *w)
{
	int ret = fetcher_new(p->fs, &w->fetcher);

	w->pipeline = p;
	if (ret)
		return ret;
	ret = pthread_create(&w->thread, NULL, fetch_thread, w);
	if (ret)
		return error_errno(ret, "cannot start a thread");
	w->started = true;
	return 0;
}

static void stop_all(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->room);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

static int run_threads(struct pipeline *p, struct sink *sink)
{
	const unsigned count = p->options->threads;
	struct worker *workers = calloc(count, sizeof(*workers));
	pthread_t planner;
	bool planning = false;
	struct frame *f;
	int ret = workers ? 0 : error_nomem(count * sizeof(*workers));

	p->planning = true;
	for (unsigned i = 0; i < count && !ret; i++)
		ret = start_worker(p, &workers[i]);
	if (!ret) {
		ret = pthread_create(&planner, NULL, plan_thread, p);
		planning = !ret;
		if (ret)
			ret = error_errno(ret, "cannot start a thread");
	}
	while (!ret && (f = frame_wait_done(p))) {
		ret = emit(p, sink, f);
		if (!ret)
			frame_pop(p, f);
	}
	stop_all(p);
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
	struct sink *sink;
};

static int render_and_emit(struct pipeline *p, struct frame *f)
{
	struct inline_run *r = CONTAINER_OF(p, struct inline_run, pipeline);
	int ret;

	frame_render(r->fetcher, f);
	ret = emit(p, r->sink, f);
	p->planned++;
	frame_pop(p, f);
	return ret;
}

static int init(struct pipeline *p, struct filesystem *fs, struct send_plan *plan,
		const struct pipeline_options *options)
{
	const u64 slots = fs->memory / 8 / FRAME_BYTES;

	p->slots = min_u64(max_u64(slots, SLOTS_MIN), SLOTS_MAX);
	p->ring = calloc(p->slots, sizeof(*p->ring));
	if (!p->ring)
		return error_nomem(p->slots * sizeof(*p->ring));
	p->fs = fs;
	p->plan = plan;
	p->options = options;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->room, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->ready, NULL);
	return 0;
}

static void release(struct pipeline *p)
{
	struct shared_batch *b;

	/* After an error frames may still hold batches; each batch is freed once. */
	for (u64 i = p->written; i < p->planned; i++) {
		b = frame_at(p, i)->from;
		if (!--b->frames)
			batch_put(p, b);
	}
	while ((b = p->pool)) {
		p->pool = b->next;
		batch_release(&b->batch);
		free(b);
	}
	for (u64 i = 0; i < p->slots; i++)
		free(p->ring[i].bytes);
	free(p->ring);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->ready);
	pthread_mutex_destroy(&p->lock);
}

int pipeline_run(struct filesystem *fs, struct send_plan *plan, struct sink *sink,
		 const struct pipeline_options *options, u64 *bytes)
{
	struct inline_run *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_nomem(sizeof(*r));
	ret = init(&r->pipeline, fs, plan, options);
	if (ret) {
		free(r);
		return ret;
	}
	r->sink = sink;
	if (options->threads > 1) {
		ret = run_threads(&r->pipeline, sink);
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
