/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants (beside those of the header)
 *  1. The table, the pool and the sum of bytes change under the lock alone; the disk is read outside it.
 *  2. A count of references rises from 0 under the lock alone, so what is seen there with 0 under the
 *     lock may be freed.  It falls without the lock.
 *  3. The table holds at most one block of an address and generation.  Two generations at one address
 *     are seen only where a mirror is stale or a tree damaged.
 *  4. used <= limit.  The cache starts small, since a walk through a tree needs few blocks and memory
 *     that has been used before costs less than new memory.  It grows by a slab whenever a block is
 *     wanted again that had to go: `gone` remembers the latest of those, by a hash of their address.
 */
#include "tree/extent_buffer.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lru.h"
#include "base/pool.h"
#include "tree/block.h"

#define START_BYTES (4 * POOL_SLAB)
#define GONE_BITS 14
#define GONE_SLOTS (1u << GONE_BITS)

struct cached_block {
	struct extent_buffer eb;
	atomic_uint refs;
	struct lru_entry entry; /* key: logical and generation */
	u8 bytes[];
};

struct extent_cache {
	struct volume *volume;
	const struct volume_facts *facts;
	pthread_mutex_t lock;
	struct lru blocks;
	struct pool memory; /* of struct cached_block with its bytes */
	size_t bytes;
	size_t used;  /* what it has grown to */
	size_t limit; /* what it may grow to */
	u64 gone[GONE_SLOTS]; /* addresses */
};

static u64 *gone_slot(struct extent_cache *c, u64 logical)
{
	return &c->gone[(logical * 0x9e3779b97f4a7c15ull) >> (64 - GONE_BITS)];
}

int extent_cache_new(struct volume *v, size_t limit, struct extent_cache **out)
{
	struct extent_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return error_nomem(sizeof(*c));

	int ret = lru_init(&c->blocks, 0);

	if (ret) {
		free(c);
		return ret;
	}
	c->volume = v;
	c->facts = volume_facts(v);
	c->limit = limit;
	c->used = limit < START_BYTES ? limit : START_BYTES;
	pool_init(&c->memory, sizeof(struct cached_block) + c->facts->nodesize);
	pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return 0;
}

void extent_cache_free(struct extent_cache *c)
{
	struct lru_entry *e;

	if (!c)
		return;
	while ((e = lru_pop(&c->blocks)))
		assert(!atomic_load(&CONTAINER_OF(e, struct cached_block, entry)->refs));
	lru_release(&c->blocks);
	pool_release(&c->memory);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct volume *extent_cache_volume(const struct extent_cache *c)
{
	return c->volume;
}

struct extent_buffer *extent_buffer_ref(struct extent_buffer *eb)
{
	atomic_fetch_add_explicit(&CONTAINER_OF(eb, struct cached_block, eb)->refs, 1,
				  memory_order_relaxed);
	return eb;
}

void extent_buffer_put(struct extent_buffer *eb)
{
	if (eb)
		atomic_fetch_sub_explicit(&CONTAINER_OF(eb, struct cached_block, eb)->refs, 1,
					  memory_order_release);
}

/* With the lock held: the block, with a reference for the caller, or NULL. */
static struct cached_block *find(struct extent_cache *c, u64 logical, u64 generation)
{
	struct lru_entry *e = lru_find(&c->blocks, logical, generation);

	if (!e)
		return NULL;

	struct cached_block *b = CONTAINER_OF(e, struct cached_block, entry);

	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

/* With the lock held: free unreferenced blocks, oldest first, until no more is in use than should be. */
static void shrink(struct extent_cache *c)
{
	LIST_FOR_EACH_SAFE(pos, &c->blocks.order) {
		struct cached_block *b = LIST_ENTRY(pos, struct cached_block, entry.order);

		if (c->bytes <= c->used)
			break;
		if (atomic_load_explicit(&b->refs, memory_order_acquire))
			continue;
		lru_remove(&c->blocks, &b->entry);
		*gone_slot(c, b->eb.logical) = b->eb.logical;
		c->bytes -= c->memory.size;
		pool_put(&c->memory, b);
	}
}

/* With the lock held: a block that had to go is wanted again. */
static void grow(struct extent_cache *c)
{
	c->used = c->limit - c->used < POOL_SLAB ? c->limit : c->used + POOL_SLAB;
}

/* Put a checked block into the cache; where another thread was faster, its block is returned. */
static struct cached_block *insert(struct extent_cache *c, struct cached_block *b)
{
	struct cached_block *other;

	pthread_mutex_lock(&c->lock);
	other = find(c, b->eb.logical, b->eb.generation);
	if (!other) {
		lru_store(&c->blocks, &b->entry, b->eb.logical, b->eb.generation);
		c->bytes += c->memory.size;
		if (*gone_slot(c, b->eb.logical) == b->eb.logical)
			grow(c);
		shrink(c);
	} else {
		pool_put(&c->memory, b);
	}
	pthread_mutex_unlock(&c->lock);
	return other ? other : b;
}

static int read_copy(struct extent_cache *c, const struct block_expect *want, unsigned copy,
		     struct cached_block *b)
{
	int ret = volume_read(c->volume, want->logical, b->bytes, c->facts->nodesize, copy);

	if (!ret)
		ret = block_check(c->facts, want->logical, &b->eb);
	if (!ret)
		ret = block_check_expected(&b->eb, want);
	return ret;
}

/* Fill @b from the first good copy.  The sentence of a failure lists each copy's. */
static int read_copies(struct extent_cache *c, const struct block_expect *want,
		       struct cached_block *b)
{
	char failures[ERROR_TEXT_MAX], where[VOLUME_WHERE_MAX];
	int copies = volume_copies(c->volume, want->logical);
	size_t used = 0;

	if (copies < 0)
		return copies;
	for (int i = 0; i < copies; i++) {
		if (!read_copy(c, want, (unsigned)i, b))
			return 0;
		if (used < sizeof(failures))
			used += (size_t)snprintf(failures + used, sizeof(failures) - used, "%s%s: %s",
						 i ? "; " : "",
						 volume_where(c->volume, want->logical,
							      (unsigned)i, where),
						 error_message());
	}
	return error_set(EIO, "%s", failures);
}

/* Hand a referenced block of the cache out if it is what its parent promised. */
static int hand_out(struct cached_block *b, const struct block_expect *want,
		    struct extent_buffer **out)
{
	int ret = block_check_expected(&b->eb, want);

	if (ret) {
		extent_buffer_put(&b->eb);
		return error_wrap(ret, "tree %" PRIu64 ": block: logical %" PRIu64, want->tree,
				  want->logical);
	}
	*out = &b->eb;
	return 0;
}

int extent_buffer_get(struct extent_cache *c, const struct block_expect *want,
		      struct extent_buffer **out)
{
	struct cached_block *b;
	bool known;
	int ret;

	pthread_mutex_lock(&c->lock);
	b = find(c, want->logical, want->generation);
	known = b;
	if (!known)
		b = pool_get(&c->memory);
	pthread_mutex_unlock(&c->lock);
	if (known)
		return hand_out(b, want, out);
	if (!b)
		return error_nomem(c->memory.size);
	b->eb = (struct extent_buffer){.data = b->bytes};
	atomic_init(&b->refs, 1);
	ret = read_copies(c, want, b);
	if (ret) {
		pthread_mutex_lock(&c->lock);
		pool_put(&c->memory, b);
		pthread_mutex_unlock(&c->lock);
		return error_wrap(ret, "tree %" PRIu64 ": block", want->tree);
	}
	/* Checked again: what another thread put there may come from another copy. */
	return hand_out(insert(c, b), want, out);
}
