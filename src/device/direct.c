/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads around the page cache, in flight ahead of their use.
 *
 * What is announced is cut into blocks, none across a boundary of BLOCK_BYTES; adjoining blocks are read at once,
 * as a run.  A block's life:
 *
 *   spare --add--> waiting --launch--> flying --complete--> ready --give_back--> spare
 *
 * and from each of them back to spare by block_drop(): no room, an error, or nobody came for it.
 *
 * Invariants
 *  1. A block that is flying or ready has a buffer, the others have none; that bounds the memory.
 *  2. No two blocks that are not spare hold the same byte.
 *  3. All is guarded by the lock, but for the bytes of a block that has users, which nobody changes, and for the
 *     completion queue, which belongs to the thread that set `reaping`.
 *  4. Nobody waits for room: an announcement waits in its list, and who wants it before its turn reads it plainly.
 *  5. What has been announced twice (two slices of one compressed extent) is kept until it has been read twice.
 *     Who never comes cannot hold the memory: see drop_stale().
 *  6. After a failed submission nothing is submitted any more (`broken`): what the ring still holds of it names
 *     buffers that others may have by then.
 */
#include "device/direct.h"

#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"

#define BLOCK_BYTES (64u << 10)
#define RUN_BLOCKS 16
#define RUN_BYTES ((u64)RUN_BLOCKS * BLOCK_BYTES)
/* More in flight makes no disk faster. */
#define BUFFERS_MAX 512
/* Direct reads begin and end at multiples of this; no block device wants more. */
#define ALIGN 4096u
/* Blocks that may wait, for each that has a buffer. */
#define WAITING_FACTOR 32
#define CHAINS 4096

enum block_state { SPARE, WAITING, FLYING, READY };

struct block {
	u64 from, to; /* on the device */
	u64 number;   /* in the order of announcement */
	u64 wanted, taken;
	unsigned users;
	enum block_state state;
	u8 *buffer;
	struct block *chain;
	struct list order; /* in `spare`, `waiting`, or `held` */
};

struct run {
	struct block *block[RUN_BLOCKS];
	struct iovec iov[RUN_BLOCKS];
	unsigned count;
	u32 len;
	struct run *next;
};

struct direct {
	struct device device;
	struct device *plain;
	int fd;
	struct io_uring ring;
	u8 *pool;
	size_t pool_size;
	u8 *map; /* of the device, for mincore(): never touched; NULL: none */

	pthread_mutex_t lock;
	pthread_cond_t completed;
	struct list spare, waiting, held;
	struct block *blocks, *chains[CHAINS];
	struct run *runs, *idle_runs;
	u8 **buffers; /* that are free */
	unsigned buffer_count, free_count;
	unsigned flying; /* runs */
	bool reaping, broken;
	u64 announced, reached; /* numbers of blocks: the last one, and the furthest that was asked for */
};

/* --- blocks --- */

static struct block **chain_of(struct direct *c, u64 at)
{
	return &c->chains[at / BLOCK_BYTES % CHAINS];
}

/* The block that holds @at; or NULL, and from @at to *@gap there is none. */
static struct block *find(struct direct *c, u64 at, u64 end, u64 *gap)
{
	*gap = end;
	for (u64 from = at; from < *gap; from = align_down(from, BLOCK_BYTES) + BLOCK_BYTES)
		for (struct block *b = *chain_of(c, from); b; b = b->chain) {
			if (b->from <= at && at < b->to)
				return b;
			if (b->from > at)
				*gap = min_u64(*gap, b->from);
		}
	return NULL;
}

static void block_drop(struct direct *c, struct block *b)
{
	struct block **p = chain_of(c, b->from);

	while (*p != b)
		p = &(*p)->chain;
	*p = b->chain;
	if (b->buffer)
		c->buffers[c->free_count++] = b->buffer;
	b->buffer = NULL;
	b->state = SPARE;
	list_remove(&b->order);
	list_add(&c->spare, &b->order);
}

/* [@from, @to), which no block holds, within one BLOCK_BYTES: false if there is no room to remember it. */
static bool add(struct direct *c, u64 from, u64 to)
{
	struct block *b = LIST_ENTRY(c->waiting.prev, struct block, order);

	if (!list_empty(&c->waiting) && b->to == from && from % BLOCK_BYTES) {
		b->to = to;
		b->wanted += to - from;
		return true;
	}
	if (list_empty(&c->spare))
		return false;
	b = LIST_ENTRY(c->spare.next, struct block, order);
	list_remove(&b->order);
	list_add_tail(&c->waiting, &b->order);
	b->state = WAITING;
	b->from = from;
	b->to = to;
	b->number = ++c->announced;
	b->wanted = to - from;
	b->taken = 0;
	b->chain = *chain_of(c, from);
	*chain_of(c, from) = b;
	return true;
}

/* --- the ring --- */

static void run_end(struct direct *c, struct run *r, bool good)
{
	for (unsigned i = 0; i < r->count; i++) {
		r->block[i]->state = READY;
		if (!good)
			block_drop(c, r->block[i]);
	}
	r->next = c->idle_runs;
	c->idle_runs = r;
}

/* How many of the waiting blocks go as the next run.  One that may still grow is kept back unless it is @wanted,
 * and so is one that there is no room for. */
static unsigned next_run(struct direct *c, bool wanted)
{
	unsigned count = 0;
	bool closed = false;
	u64 end = 0;

	LIST_FOR_EACH(pos, &c->waiting) {
		const struct block *b = LIST_ENTRY(pos, struct block, order);

		closed = count == RUN_BLOCKS || (count && b->from != end);
		if (closed)
			break;
		end = b->to;
		count++;
	}
	if (wanted)
		return count < c->free_count ? count : c->free_count;
	return (closed || count == RUN_BLOCKS) && count <= c->free_count ? count : 0;
}

static struct run *prepare_run(struct direct *c, unsigned count)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
	struct run *r = c->idle_runs;

	/* There are as many of both as buffers. */
	if (!sqe || !r)
		return NULL;
	c->idle_runs = r->next;
	r->count = count;
	r->len = 0;
	for (unsigned i = 0; i < count; i++) {
		struct block *b = LIST_ENTRY(c->waiting.next, struct block, order);

		list_remove(&b->order);
		list_add_tail(&c->held, &b->order);
		b->state = FLYING;
		b->buffer = c->buffers[--c->free_count];
		r->block[i] = b;
		r->iov[i] = (struct iovec){b->buffer, b->to - b->from};
		r->len += (u32)(b->to - b->from);
	}
	io_uring_prep_readv(sqe, c->fd, r->iov, count, r->block[0]->from);
	io_uring_sqe_set_data(sqe, r);
	return r;
}

/* Start what can be started; with @wanted also what better waited for more. */
static void launch(struct direct *c, bool wanted)
{
	struct run *first = NULL, **last = &first, *r;
	unsigned count;
	int done = 0;

	if (c->broken)
		return;
	while ((count = next_run(c, wanted)) && (r = prepare_run(c, count))) {
		r->next = NULL;
		*last = r;
		last = &r->next;
	}
	if (!first)
		return;
	done = io_uring_submit(&c->ring);
	while ((r = first)) {
		first = r->next;
		if (done-- > 0) {
			c->flying++;
			continue;
		}
		c->broken = true;
		run_end(c, r, false);
	}
}

/* Take in what has come, which is for the thread that reaps, or for any while none does. */
static void complete(struct direct *c)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&c->ring, &cqe)) {
		struct run *r = io_uring_cqe_get_data(cqe);

		run_end(c, r, cqe->res >= 0 && (u32)cqe->res == r->len);
		io_uring_cqe_seen(&c->ring, cqe);
		c->flying--;
	}
}

/* Wait until something that flies has come in. */
static void reap(struct direct *c)
{
	struct io_uring_cqe *cqe;
	int ret;

	if (c->reaping) {
		pthread_cond_wait(&c->completed, &c->lock);
		return;
	}
	c->reaping = true;
	pthread_mutex_unlock(&c->lock);
	ret = io_uring_wait_cqe(&c->ring, &cqe);
	/* Whatever forbids to wait, the queue itself lies in our memory. */
	if (ret && ret != -EINTR)
		usleep(1000);
	pthread_mutex_lock(&c->lock);
	complete(c);
	c->reaping = false;
	pthread_cond_broadcast(&c->completed);
}

/* Those whose readers do not come: four times as many blocks as have room have been asked for since. */
static void drop_stale(struct direct *c)
{
	struct list *lists[] = {&c->held, &c->waiting};

	/* Nobody waits for them, so nobody else takes note that they have come. */
	if (!c->reaping)
		complete(c);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		while (!list_empty(lists[i])) {
			struct block *b = LIST_ENTRY(lists[i]->next, struct block, order);

			if (b->state == FLYING || b->users || b->number + 4 * c->buffer_count >= c->reached)
				break;
			block_drop(c, b);
		}
}

/* --- announcements --- */

/* Whether the page cache seems to have [@from, @to): its first page and its last. */
static bool in_page_cache(const struct direct *c, u64 from, u64 to)
{
	const u64 page = (u64)sysconf(_SC_PAGESIZE);
	unsigned char first, last;

	return c->map && !mincore(c->map + align_down(from, page), page, &first) && (first & 1) &&
	       !mincore(c->map + align_down(to - 1, page), page, &last) && (last & 1);
}

/* What of [@at, @end) cannot be brought in here is left to the page cache. */
static void announce(struct direct *c, u64 at, u64 end)
{
	while (at < end) {
		const u64 stop = min_u64(end, align_down(at, BLOCK_BYTES) + BLOCK_BYTES);
		u64 next;
		struct block *b = find(c, at, stop, &next);

		if (b) {
			next = min_u64(stop, b->to);
			b->wanted += next - at;
		} else if (c->broken || !add(c, at, next)) {
			device_prefetch(c->plain, at, next - at);
		}
		at = next;
	}
}

static void direct_prefetch(struct device *d, u64 offset, u64 len)
{
	struct direct *c = CONTAINER_OF(d, struct direct, device);
	const u64 size = align_down(d->size, ALIGN);
	const u64 end = offset + len < size ? align_up(offset + len, ALIGN) : size;
	u64 next;

	for (u64 at = align_down(offset, ALIGN); at < end; at = next) {
		next = min_u64(end, at + RUN_BYTES);
		if (in_page_cache(c, at, next)) {
			device_prefetch(c->plain, at, next - at);
			continue;
		}
		pthread_mutex_lock(&c->lock);
		announce(c, at, next);
		pthread_mutex_unlock(&c->lock);
	}
	pthread_mutex_lock(&c->lock);
	launch(c, false);
	pthread_mutex_unlock(&c->lock);
}

/* --- reading --- */

/* The ready block that holds @at, to be given back; or NULL: [@at, *@next) is to be read plainly. */
static struct block *take(struct direct *c, u64 at, u64 end, u64 *next)
{
	struct block *b;

	pthread_mutex_lock(&c->lock);
	while ((b = find(c, at, end, next))) {
		c->reached = max_u64(c->reached, b->number);
		if (b->state == READY)
			break;
		if (b->state == FLYING) {
			reap(c);
			continue;
		}
		drop_stale(c);
		launch(c, true);
		if (find(c, at, end, next) == b && b->state == WAITING)
			block_drop(c, b);
	}
	if (b) {
		b->users++;
		*next = min_u64(end, b->to);
	}
	pthread_mutex_unlock(&c->lock);
	return b;
}

static void give_back(struct direct *c, struct block *b, u64 taken)
{
	pthread_mutex_lock(&c->lock);
	b->taken += taken;
	if (!--b->users && b->taken >= b->wanted)
		block_drop(c, b);
	drop_stale(c);
	launch(c, false);
	pthread_mutex_unlock(&c->lock);
}

/* Where in the caller's buffers the reading is. */
struct target {
	struct iovec *iov;
	int count;
};

static void target_pass(struct target *t, u64 len)
{
	while (t->count && len >= t->iov->iov_len) {
		len -= t->iov->iov_len;
		t->iov++;
		t->count--;
	}
	if (len) {
		t->iov->iov_base = (u8 *)t->iov->iov_base + len;
		t->iov->iov_len -= len;
	}
}

static void target_put(struct target *t, const u8 *from, u64 len)
{
	while (len) {
		const u64 part = min_u64(len, t->iov->iov_len);

		memcpy(t->iov->iov_base, from, part);
		target_pass(t, part);
		from += part;
		len -= part;
	}
}

static int target_read(struct target *t, struct device *plain, u64 offset, u64 len)
{
	while (len) {
		u64 part = 0;
		int n, ret;

		for (n = 0; n < t->count && t->iov[n].iov_len <= len - part; n++)
			part += t->iov[n].iov_len;
		if (n) {
			ret = device_readv(plain, offset, t->iov, n);
			t->iov += n;
			t->count -= n;
		} else {
			part = len;
			ret = device_read(plain, offset, t->iov->iov_base, part);
			target_pass(t, part);
		}
		if (ret)
			return ret;
		offset += part;
		len -= part;
	}
	return 0;
}

static int direct_readv(struct device *d, u64 offset, struct iovec *iov, int count)
{
	struct direct *c = CONTAINER_OF(d, struct direct, device);
	struct target to = {iov, count};
	u64 end = offset, next;
	int ret = 0;

	for (int i = 0; i < count; i++)
		end += iov[i].iov_len;
	for (; offset < end && !ret; offset = next) {
		struct block *b = take(c, offset, end, &next);

		if (b) {
			target_put(&to, b->buffer + (offset - b->from), next - offset);
			give_back(c, b, next - offset);
		} else {
			ret = target_read(&to, c->plain, offset, next - offset);
		}
	}
	return ret;
}

static int direct_read(struct device *d, u64 offset, void *buf, size_t len)
{
	struct iovec iov = {buf, len};

	return direct_readv(d, offset, &iov, 1);
}

/* --- life --- */

/* What direct_init() made, as far as it came. */
static void release(struct direct *c)
{
	if (c->map)
		munmap(c->map, c->device.size);
	if (c->pool)
		munmap(c->pool, c->pool_size);
	if (c->fd >= 0)
		close(c->fd);
	free(c->buffers);
	free(c->blocks);
	free(c->runs);
	free(c);
}

static void direct_close(struct device *d)
{
	struct direct *c = CONTAINER_OF(d, struct direct, device);

	/* The memory must not go from under the disk. */
	pthread_mutex_lock(&c->lock);
	while (c->flying)
		reap(c);
	pthread_mutex_unlock(&c->lock);
	io_uring_queue_exit(&c->ring);
	pthread_cond_destroy(&c->completed);
	pthread_mutex_destroy(&c->lock);
	device_close(c->plain);
	release(c);
}

static const struct device_ops direct_ops = {
	.read = direct_read,
	.readv = direct_readv,
	.prefetch = direct_prefetch,
	.close = direct_close,
};

/* A second descriptor of the same file: names may have changed hands. */
static int open_direct(const struct device *plain)
{
	char path[64];
	int fd, sector;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", plain->fd);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd >= 0 && plain->is_block && (ioctl(fd, BLKSSZGET, &sector) || sector > (int)ALIGN)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void *map_or_null(size_t size, int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool direct_init(struct direct *c, struct device *plain, unsigned buffers)
{
	const unsigned blocks = buffers * (1 + WAITING_FACTOR);

	c->fd = open_direct(plain);
	if (c->fd < 0)
		return false;
	c->pool_size = (size_t)buffers * BLOCK_BYTES;
	c->pool = map_or_null(c->pool_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	c->buffers = calloc(buffers, sizeof(*c->buffers));
	c->blocks = calloc(blocks, sizeof(*c->blocks));
	c->runs = calloc(buffers, sizeof(*c->runs));
	if (!c->pool || !c->buffers || !c->blocks || !c->runs)
		return false;
	if (io_uring_queue_init(buffers, &c->ring, 0))
		return false;
	madvise(c->pool, c->pool_size, MADV_HUGEPAGE);
	c->map = map_or_null(plain->size, PROT_READ, MAP_SHARED, plain->fd);
	list_init(&c->spare);
	list_init(&c->waiting);
	list_init(&c->held);
	for (unsigned i = 0; i < blocks; i++)
		list_add_tail(&c->spare, &c->blocks[i].order);
	for (unsigned i = 0; i < buffers; i++) {
		c->buffers[i] = c->pool + (size_t)i * BLOCK_BYTES;
		c->runs[i].next = c->idle_runs;
		c->idle_runs = &c->runs[i];
	}
	c->buffer_count = c->free_count = buffers;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->completed, NULL);
	return true;
}

struct device *device_direct(struct device *plain, size_t bytes)
{
	const unsigned buffers = (unsigned)min_u64(bytes / BLOCK_BYTES, BUFFERS_MAX);
	struct direct *c;

	if (plain->fd < 0 || plain->writable || buffers < RUN_BLOCKS)
		return plain;
	c = calloc(1, sizeof(*c));
	if (!c)
		return plain;
	c->device = *plain;
	c->device.ops = &direct_ops;
	c->plain = plain;
	if (!direct_init(c, plain, buffers)) {
		release(c);
		return plain;
	}
	return &c->device;
}
