/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames on their way from the plan to the sink, and the memory that they are rendered to. */
#ifndef BTRFLY_SEND_RING_H
#define BTRFLY_SEND_RING_H

#include <pthread.h>

#include "base/error.h"
#include "base/types.h"

struct shared_batch;

/* Where a frame's bytes are. */
struct frame_buffer {
	u8 *bytes;
	size_t capacity;
	bool huge; /* one page that can be given to the sink */
};

struct frame {
	struct shared_batch *from;
	size_t first, last; /* commands */
	size_t skip;	    /* bytes at the start that are not written */
	size_t len;
	struct frame_buffer buffer;
	u64 inodes; /* done when this has been written: for progress */
	bool done;
	struct error error;
};

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t room, work, ready;
	u64 planned, taken, written;
	bool planning, stop;
	bool give; /* rendered to huge pages, which are then the sink's */
	size_t frame_bytes; /* of one frame at most, if it has more than one command */
	u64 slots, buffer_count;
	struct frame *frames;
	struct frame_buffer *spare; /* buffers that have been used, the last one on top */
	u64 spare_count;
};

/*
 * For @threads that render.  As many frames are planned ahead as an eighth of @memory has room for; of
 * rendered ones there are only some more than threads, so that they stay in the processor's cache.
 */
int ring_init(struct ring *r, u64 memory, unsigned threads, bool give);
void ring_release(struct ring *r);

static inline struct frame *ring_frame(const struct ring *r, u64 i)
{
	return &r->frames[i % r->slots];
}

/* --- the plan's side --- */

/* Wait for a free slot and return its frame; NULL if there is no more use for one. */
struct frame *ring_wait_room(struct ring *r);
void ring_push(struct ring *r);
void ring_end_planning(struct ring *r);

/* --- rendering --- */

/* The next frame to be rendered, or NULL when there is none to come. */
struct frame *ring_take(struct ring *r);
void ring_done(struct ring *r, struct frame *f);

/* Room for f->len bytes in f->buffer.  0 or -ENOMEM. */
int ring_reserve(const struct ring *r, struct frame *f);

/* --- the sink's side --- */

/* The next frame to be written, or NULL when there is none to come. */
struct frame *ring_wait_done(struct ring *r);

/* @f has been written; @given: its pages are the sink's now. */
void ring_pop(struct ring *r, struct frame *f, bool given);

/* Let nobody wait any longer. */
void ring_stop(struct ring *r);

#endif
