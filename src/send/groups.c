/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Places that refer to an extent, in groups that neighbouring extents share.
 *
 * Extents that lie next to each other in files that are copies of each other are referred to from the same
 * leaves, but for the few files whose next leaf begins there.  So the places are cut into groups, and where a
 * group ends follows from the inode at its end alone: a place more or less, or another leaf, makes a new group
 * or two and leaves the others as they are.
 *
 * Invariants
 *  1. Two groups that hold the same are one.
 *  2. A group is a user of each of its places' leaves.
 */
#include "send/groups.h"

#include <stdlib.h>

#include "base/error.h"

#define LENGTH_MIN 4
#define LENGTH_MAX 64
#define LENGTH_LOG 4 /* of the usual length */

int groups_init(struct groups *g, struct leaves *leaves)
{
	*g = (struct groups){.leaves = leaves};
	return map_init(&g->all);
}

void groups_release(struct groups *g)
{
	map_release(&g->all);
}

static u64 mix(u64 hash, u64 value)
{
	return ((hash ^ value) * 0x9e3779b97f4a7c15ull) ^ (hash >> 29);
}

u32 group_length(const struct named_place *p, size_t count)
{
	const u32 max = count < LENGTH_MAX ? (u32)count : LENGTH_MAX;

	for (u32 i = LENGTH_MIN; i < max; i++)
		if (!(mix(0, p[i - 1].ino) >> (64 - LENGTH_LOG)))
			return i;
	return max;
}

static bool same_places(const struct group *group, const struct named_place *p, u32 count)
{
	if (group->count != count)
		return false;
	for (u32 i = 0; i < count; i++) {
		const struct referring_place *r = &group->place[i];

		if (leaf_address(r->leaf) != p[i].leaf || r->root != p[i].root || r->ino != p[i].ino ||
		    r->first != p[i].first)
			return false;
	}
	return true;
}

static size_t bytes_of(const struct group *group)
{
	return sizeof(*group) + group->count * sizeof(group->place[0]);
}

/* Let go of the leaves of the first @count places. */
static void free_group(struct groups *g, struct group *group, u32 count)
{
	for (u32 i = 0; i < count; i++)
		leaves_put(g->leaves, group->place[i].leaf);
	free(group);
}

static struct group *make(struct groups *g, const struct named_place *p, u32 count)
{
	struct group *group = calloc(1, sizeof(*group) + count * sizeof(group->place[0]));

	if (!group) {
		error_nomem(sizeof(*group) + count * sizeof(group->place[0]));
		return NULL;
	}
	list_init(&group->touched);
	group->count = count;
	for (u32 i = 0; i < count; i++) {
		struct leaf *leaf = leaves_get(g->leaves, p[i].leaf);

		if (!leaf) {
			free_group(g, group, i);
			return NULL;
		}
		group->place[i] = (struct referring_place){leaf, p[i].root, p[i].ino, p[i].first};
	}
	return group;
}

struct group *groups_get(struct groups *g, const struct named_place *p, u32 count)
{
	struct group *group;
	u64 hash = count;

	for (u32 i = 0; i < count; i++)
		hash = mix(mix(mix(hash, p[i].leaf), p[i].root + p[i].first), p[i].ino);
	for (struct map_node *n = map_find(&g->all, hash); n; n = map_next_same(n)) {
		group = CONTAINER_OF(n, struct group, node);
		if (same_places(group, p, count)) {
			group->users++;
			return group;
		}
	}
	group = make(g, p, count);
	if (!group)
		return NULL;
	group->users = 1;
	g->bytes += bytes_of(group);
	map_add(&g->all, &group->node, hash);
	return group;
}

void groups_put(struct groups *g, struct group *group)
{
	if (--group->users)
		return;
	g->bytes -= bytes_of(group);
	map_remove(&g->all, &group->node);
	free_group(g, group, group->count);
}
