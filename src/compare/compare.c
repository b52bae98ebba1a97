/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk: item by item through the difference of the two trees, inode by inode into changes. */
#include "compare/comparison.h"

#include <stdlib.h>

#include "base/error.h"
#include "tree/diff.h"

static struct item_pair pair_at(const struct tree_diff *d, enum diff_kind kind)
{
	/* The left tree is the new one. */
	const struct diff_side *new = kind == DIFF_DELETED ? NULL : &d->left;
	const struct diff_side *old = kind == DIFF_NEW ? NULL : &d->right;

	return (struct item_pair){
		.key = new ? new->key : old->key,
		.old = old ? leaf_data(old->node[0], old->slot[0]) : NULL,
		.old_size = old ? leaf_size(old->node[0], old->slot[0]) : 0,
		.new = new ? leaf_data(new->node[0], new->slot[0]) : NULL,
		.new_size = new ? leaf_size(new->node[0], new->slot[0]) : 0,
		.equal = kind == DIFF_SAME,
	};
}

static int walk(struct comparison *c)
{
	struct tree_diff diff;
	enum diff_kind kind;
	int ret = tree_diff_init(&diff, &c->new.subvolume.tree, &c->old.subvolume.tree);

	if (ret)
		return ret;
	while ((ret = tree_diff_next(&diff, &kind)) > 0) {
		struct item_pair p = pair_at(&diff, kind);

		if (p.key.objectid < FIRST_FREE_OBJECTID || p.key.objectid > LAST_FREE_OBJECTID)
			continue;
		ret = 0;
		if (p.key.objectid != c->ino) {
			if (c->ino)
				ret = comparison_finish_inode(c);
			if (!ret)
				ret = comparison_begin_inode(c, &p);
		}
		if (!ret)
			ret = comparison_inode_item(c, &p);
		if (ret) {
			ret = comparison_inode_failed(c, ret);
			break;
		}
	}
	tree_diff_release(&diff);
	if (!ret && c->ino) {
		ret = comparison_finish_inode(c);
		if (ret)
			ret = comparison_inode_failed(c, ret);
	}
	return ret;
}

/* How many of the names from @at on have the owner of the first. */
static size_t owned(const struct names *n, size_t at, u64 owner)
{
	size_t count = 0;

	while (at + count < n->count && n->v[at + count].owner == owner)
		count++;
	return count;
}

static int settle_subvolumes(struct comparison *c)
{
	struct names *lost = &c->lost_subvolumes, *gained = &c->gained_subvolumes;
	int ret = 0;

	if (lost->count)
		qsort(lost->v, lost->count, sizeof(*lost->v), name_order_owner);
	if (gained->count)
		qsort(gained->v, gained->count, sizeof(*gained->v), name_order_owner);
	for (size_t i = 0, j = 0, m, n; !ret && (i < lost->count || j < gained->count); i += m, j += n) {
		u64 a = i < lost->count ? lost->v[i].owner : UINT64_MAX;
		u64 b = j < gained->count ? gained->v[j].owner : UINT64_MAX;
		struct change removed = {.kind = CHANGE_REMOVED, .ino = min_u64(a, b)};
		struct change now = {.kind = CHANGE_ADDED, .ino = min_u64(a, b)};

		m = owned(lost, i, removed.ino);
		n = owned(gained, j, removed.ino);
		ret = comparison_add_names(c, lost->v + i, m, gained->v + j, n, true, &removed, &now);
	}
	return ret;
}

int comparison_new(struct filesystem *fs, const struct subvolume *old, const struct subvolume *new,
		   const struct content_options *options, struct comparison **out)
{
	struct comparison *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return error_nomem(sizeof(*c));
	ret = paths_init(&c->paths, &c->arena);
	if (!ret)
		ret = side_init(&c->old, old, &c->paths);
	if (!ret)
		ret = side_init(&c->new, new, &c->paths);
	if (!ret)
		ret = content_init(&c->content, fs, &c->old.subvolume.tree, &c->new.subvolume.tree, options);
	if (!ret)
		ret = walk(c);
	if (!ret)
		ret = settle_subvolumes(c);
	if (ret) {
		comparison_free(c);
		return ret;
	}
	c->node = c->paths.top;
	c->next = c->node->changes;
	*out = c;
	return 0;
}

void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	content_release(&c->content);
	names_release(&c->lost);
	names_release(&c->gained);
	names_release(&c->lost_subvolumes);
	names_release(&c->gained_subvolumes);
	side_release(&c->old);
	side_release(&c->new);
	paths_release(&c->paths);
	arena_release(&c->arena);
	buffer_release(&c->path);
	buffer_release(&c->from);
	free(c);
}
