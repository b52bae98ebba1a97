/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree/step.h"

int step_to_root(const struct tree *t, struct extent_buffer **out)
{
	struct block_expect want = {
		.logical = t->logical,
		.generation = t->generation,
		.level = t->level,
		.tree = t->objectid,
	};

	return extent_buffer_get(t->cache, &want, out);
}

/* The key that everything below slot[@level] of node[@level] is less than; false if nothing bounds it. */
static bool upper_limit(const struct tree *t, struct extent_buffer *const *node, const u32 *slot,
			u8 level, struct key *limit)
{
	for (; level <= t->level; level++) {
		if (slot[level] + 1 < node[level]->nritems) {
			*limit = block_key(node[level], slot[level] + 1);
			return true;
		}
	}
	return false;
}

int step_down(const struct tree *t, struct extent_buffer *const *node, const u32 *slot, u8 level,
	      struct extent_buffer **out)
{
	const struct node_pointer *p = node_pointer_at(node[level], slot[level]);
	struct block_expect want = {
		.logical = le64_get(p->blockptr),
		.generation = le64_get(p->generation),
		.level = level - 1,
		.tree = t->objectid,
		.has_first_key = true,
		.first_key = key_from_disk(&p->key),
	};

	want.has_limit = upper_limit(t, node, slot, level, &want.limit);
	return extent_buffer_get(t->cache, &want, out);
}
