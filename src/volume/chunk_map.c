/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "volume/chunk_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

static int check_type(u64 type, bool mixed_groups)
{
	u64 kind = type & BLOCK_GROUP_TYPE_MASK;

	if (type & ~(BLOCK_GROUP_TYPE_MASK | BLOCK_GROUP_PROFILE_MASK))
		return error_set(EIO, "unknown type bits 0x%" PRIx64, type);
	if (!profile_of(type))
		return error_set(EIO, "more than one profile in type 0x%" PRIx64, type);
	if (!is_power_of_two(kind) &&
	    !(mixed_groups && kind == (BLOCK_GROUP_DATA | BLOCK_GROUP_METADATA)))
		return error_set(EIO, "type 0x%" PRIx64 " is none of data, metadata and system", type);
	return 0;
}

static int check_stripes(const struct chunk_item *item, size_t size)
{
	const struct profile *p = profile_of(le64_get(item->type));
	u16 count = le16_get(item->num_stripes), sub = le16_get(item->sub_stripes);

	if (size != sizeof(*item) + count * sizeof(struct disk_stripe))
		return error_set(EIO, "%zu bytes do not fit %u stripes", size, count);
	if (count < p->stripes_min || (p->stripes_max && count > p->stripes_max))
		return error_set(EIO, "%u stripes do not fit profile %s", count, p->name);
	if (p->flag == BLOCK_GROUP_RAID10 && (sub != 2 || count % 2))
		return error_set(EIO, "%u stripes, %u sub-stripes do not fit profile %s", count, sub,
				 p->name);
	if (le64_get(item->stripe_len) != STRIPE_LEN)
		return error_set(EIO, "stripe length %" PRIu64 " is not %u", le64_get(item->stripe_len),
				 STRIPE_LEN);
	return 0;
}

static int check_range(u64 logical, u64 length, u32 sectorsize)
{
	u64 end;

	if (logical % sectorsize || length % sectorsize || !length)
		return error_set(EIO, "its length %" PRIu64 " or address is not aligned", length);
	if (!add_ok(logical, length, &end))
		return error_set(EIO, "its length %" PRIu64 " wraps around", length);
	return 0;
}

static int decode(u64 logical, const struct chunk_item *item, size_t size, u32 sectorsize,
		  bool mixed_groups, struct chunk **out)
{
	const struct disk_stripe *disk = (const struct disk_stripe *)(item + 1);
	u64 length = le64_get(item->length);
	struct chunk *c;
	int ret = check_range(logical, length, sectorsize);

	if (!ret)
		ret = check_type(le64_get(item->type), mixed_groups);
	if (!ret)
		ret = check_stripes(item, size);
	if (ret)
		return ret;

	const struct profile *p = profile_of(le64_get(item->type));
	u32 count = le16_get(item->num_stripes);

	c = malloc(sizeof(*c) + count * sizeof(c->stripes[0]));
	if (!c)
		return error_nomem(sizeof(*c) + count * sizeof(c->stripes[0]));
	c->logical = logical;
	c->length = length;
	c->type = le64_get(item->type);
	c->profile = p;
	c->stripe_count = count;
	c->columns = p->striped ? (count - p->parity) / p->copies : 1;
	c->stripe_length = length / c->columns;
	for (u32 i = 0; i < count; i++) {
		c->stripes[i].devid = le64_get(disk[i].devid);
		c->stripes[i].physical = le64_get(disk[i].offset);
		memcpy(c->stripes[i].dev_uuid, disk[i].dev_uuid, UUID_SIZE);
	}
	if (p->striped && length % ((u64)c->columns * STRIPE_LEN)) {
		free(c);
		return error_set(EIO, "its length %" PRIu64 " is not whole rows of profile %s", length,
				 p->name);
	}
	*out = c;
	return 0;
}

int chunk_decode(u64 logical, const void *item, size_t size, u32 sectorsize, bool mixed_groups,
		 struct chunk **out)
{
	int ret;

	if (size < sizeof(struct chunk_item))
		ret = error_set(EIO, "only %zu bytes", size);
	else
		ret = decode(logical, item, size, sectorsize, mixed_groups, out);
	return ret ? error_wrap(ret, "chunk at logical %" PRIu64, logical) : 0;
}

/* Index of the first chunk that starts behind @logical. */
static size_t upper_bound(const struct chunk_map *m, u64 logical)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->chunks[mid]->logical <= logical)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct chunk *chunk_map_find(const struct chunk_map *m, u64 logical)
{
	size_t i = upper_bound(m, logical);

	if (!i)
		return NULL;

	const struct chunk *c = m->chunks[i - 1];

	return logical - c->logical < c->length ? c : NULL;
}

static bool equal(const struct chunk *a, const struct chunk *b)
{
	return a->logical == b->logical && a->length == b->length && a->type == b->type &&
	       a->stripe_count == b->stripe_count &&
	       !memcmp(a->stripes, b->stripes, a->stripe_count * sizeof(a->stripes[0]));
}

static int reserve(struct chunk_map *m)
{
	if (m->count < m->capacity)
		return 0;

	size_t capacity = m->capacity ? m->capacity * 2 : 16;
	struct chunk **chunks = realloc(m->chunks, capacity * sizeof(struct chunk *));

	if (!chunks)
		return error_nomem(capacity * sizeof(struct chunk *));
	m->chunks = chunks;
	m->capacity = capacity;
	return 0;
}

int chunk_map_add(struct chunk_map *m, struct chunk *chunk)
{
	size_t i = upper_bound(m, chunk->logical);
	const struct chunk *other = NULL;
	int ret;

	if (i && chunk->logical - m->chunks[i - 1]->logical < m->chunks[i - 1]->length)
		other = m->chunks[i - 1];
	else if (i < m->count && m->chunks[i]->logical - chunk->logical < chunk->length)
		other = m->chunks[i];
	if (other) {
		ret = 0;
		if (!equal(other, chunk))
			ret = error_set(EIO,
					"chunk at logical %" PRIu64 " overlaps the one at %" PRIu64,
					chunk->logical, other->logical);
		free(chunk);
		return ret;
	}
	ret = reserve(m);
	if (ret) {
		free(chunk);
		return ret;
	}
	memmove(m->chunks + i + 1, m->chunks + i, (m->count - i) * sizeof(m->chunks[0]));
	m->chunks[i] = chunk;
	m->count++;
	return 0;
}

void chunk_map_release(struct chunk_map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->chunks[i]);
	free(m->chunks);
	*m = (struct chunk_map){0};
}

struct chunk_place chunk_locate(const struct chunk *c, u64 offset)
{
	if (!c->profile->striped)
		return (struct chunk_place){0, offset, c->length - offset};

	u64 nr = offset / STRIPE_LEN, within = offset % STRIPE_LEN;
	u64 row = nr / c->columns;
	u32 column = (u32)(nr % c->columns);

	/* Parity moves on by one stripe a row, and the data with it. */
	if (c->profile->parity)
		column = (u32)((row + column) % c->stripe_count);
	return (struct chunk_place){column * c->profile->copies, row * STRIPE_LEN + within,
				    STRIPE_LEN - within};
}
