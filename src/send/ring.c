/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames stand in a ring.  A frame's life:
 *
 *   free --ring_push--> planned --ring_take--> taken --ring_done--> done --ring_pop--> free
 *
 * Invariants
 *  1. written <= taken <= planned <= written + slots; frame i lives in slot i % slots.
 *  2. taken <= written + buffer_count: a frame has a buffer from ring_take() to ring_pop() only.  Frames are
 *     taken in their order, so the one that is to be written next is always among those that have one.
 *  3. A frame's fields belong to the one stage that has it; the counts, `planning`, `stop`, the `done` marks
 *     and the spare buffers are guarded by the lock.
 *  4. What has been given to the sink is never written to again.
 */
#include "send/ring.h"

#include <stdlib.h>

#include "base/huge.h"

#define FRAME_BYTES (1u << 20)
#define SLOTS_MIN 4
#define SLOTS_MAX 64
/* Rendered frames beyond those that threads work on. */
#define BUFFERS_WAITING 1

int ring_init(struct ring *r, u64 memory, unsigned threads, bool give)
{
	*r = (struct ring){.give = give, .frame_bytes = give ? HUGE_PAGE : FRAME_BYTES};
	r->slots = min_u64(max_u64(memory / 8 / r->frame_bytes, SLOTS_MIN), SLOTS_MAX);
	r->buffer_count = min_u64(threads + BUFFERS_WAITING, r->slots);
	r->frames = calloc(r->slots, sizeof(*r->frames));
	r->spare = calloc(r->buffer_count, sizeof(*r->spare));
	if (!r->frames || !r->spare) {
		free(r->frames);
		free(r->spare);
		return error_nomem(r->slots * sizeof(*r->frames));
	}
	r->planning = true;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->room, NULL);
	pthread_cond_init(&r->work, NULL);
	pthread_cond_init(&r->ready, NULL);
	return 0;
}

static void buffer_free(struct frame_buffer *b)
{
	if (b->huge)
		huge_page_unmap(b->bytes);
	else
		free(b->bytes);
	*b = (struct frame_buffer){0};
}

void ring_release(struct ring *r)
{
	for (u64 i = 0; i < r->slots; i++)
		buffer_free(&r->frames[i].buffer);
	while (r->spare_count)
		buffer_free(&r->spare[--r->spare_count]);
	free(r->frames);
	free(r->spare);
	pthread_cond_destroy(&r->room);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->ready);
	pthread_mutex_destroy(&r->lock);
}

struct frame *ring_wait_room(struct ring *r)
{
	struct frame *f;

	pthread_mutex_lock(&r->lock);
	while (!r->stop && r->planned - r->written >= r->slots)
		pthread_cond_wait(&r->room, &r->lock);
	f = r->stop ? NULL : ring_frame(r, r->planned);
	pthread_mutex_unlock(&r->lock);
	return f;
}

void ring_push(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->planned++;
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
}

void ring_end_planning(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->planning = false;
	pthread_cond_broadcast(&r->work);
	pthread_cond_broadcast(&r->ready);
	pthread_mutex_unlock(&r->lock);
}

/* With the lock held. */
static bool must_wait(const struct ring *r)
{
	if (r->stop)
		return false;
	if (r->taken == r->planned)
		return r->planning;
	return r->taken - r->written >= r->buffer_count;
}

struct frame *ring_take(struct ring *r)
{
	struct frame *f = NULL;

	pthread_mutex_lock(&r->lock);
	while (must_wait(r))
		pthread_cond_wait(&r->work, &r->lock);
	if (!r->stop && r->taken < r->planned) {
		f = ring_frame(r, r->taken++);
		if (r->spare_count)
			f->buffer = r->spare[--r->spare_count];
	}
	pthread_mutex_unlock(&r->lock);
	return f;
}

void ring_done(struct ring *r, struct frame *f)
{
	pthread_mutex_lock(&r->lock);
	f->done = true;
	pthread_cond_signal(&r->ready);
	pthread_mutex_unlock(&r->lock);
}

int ring_reserve(const struct ring *r, struct frame *f)
{
	struct frame_buffer *b = &f->buffer;

	if (b->bytes && f->len <= b->capacity)
		return 0;
	buffer_free(b);
	b->capacity = f->len > r->frame_bytes ? f->len : r->frame_bytes;
	if (r->give && b->capacity == HUGE_PAGE) {
		b->bytes = huge_page_map();
		b->huge = b->bytes;
	}
	if (!b->bytes)
		b->bytes = malloc(b->capacity);
	return b->bytes ? 0 : error_nomem(b->capacity);
}

struct frame *ring_wait_done(struct ring *r)
{
	struct frame *f = NULL;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		if (r->written < r->planned && ring_frame(r, r->written)->done) {
			f = ring_frame(r, r->written);
			break;
		}
		if (r->written == r->planned && !r->planning)
			break;
		pthread_cond_wait(&r->ready, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return f;
}

void ring_pop(struct ring *r, struct frame *f, bool given)
{
	struct frame_buffer buffer = f->buffer;

	if (given)
		buffer_free(&buffer);
	pthread_mutex_lock(&r->lock);
	f->buffer = (struct frame_buffer){0};
	f->done = false;
	if (buffer.bytes)
		r->spare[r->spare_count++] = buffer;
	r->written++;
	pthread_cond_signal(&r->room);
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
}

void ring_stop(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->room);
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->lock);
}
