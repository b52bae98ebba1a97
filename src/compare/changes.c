/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The changes: from names to lines.
 *
 * Rules
 *  1. A name is where it was if its directory is the same and its own bytes are, whatever became of
 *     the directories above.  What has gained and lost names was renamed, in the order of their
 *     places; what is left over was linked or unlinked.  A name that has come back to its old path by way of
 *     another directory is no change.
 *  2. The time of modification of a directory counts only where no entry of it changed.  This is known
 *     only when all changes are.
 */
#include "compare/comparison.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"

/* In front of the others of the path, but behind what was removed. */
static int add_change(struct comparison *c, struct path_node *path, const struct change *what)
{
	struct change *it = arena_alloc(&c->arena, sizeof(*it));
	struct change **where = &path->changes;

	if (!it)
		return -ENOMEM;
	*it = *what;
	if (it->kind != CHANGE_REMOVED && *where && (*where)->kind == CHANGE_REMOVED)
		where = &(*where)->next;
	it->next = *where;
	*where = it;
	return 0;
}

int comparison_add_names(struct comparison *c, struct name *lost, size_t lost_count, struct name *gained,
			 size_t gained_count, bool same, const struct change *removed,
			 const struct change *now)
{
	size_t renamed = 0;
	int ret = 0;

	if (same)
		names_cancel(lost, &lost_count, gained, &gained_count, name_order_place);
	for (size_t i = 0; i < lost_count; i++)
		lost[i].dir->changed = true;
	for (size_t i = 0; i < gained_count; i++)
		gained[i].dir->changed = true;
	if (same) {
		names_cancel(lost, &lost_count, gained, &gained_count, name_order_path);
		if (lost_count)
			qsort(lost, lost_count, sizeof(*lost), name_order_place);
		if (gained_count)
			qsort(gained, gained_count, sizeof(*gained), name_order_place);
		renamed = min_u64(lost_count, gained_count);
	}
	for (size_t i = renamed; i < lost_count && !ret; i++)
		ret = add_change(c, lost[i].path, removed);
	for (size_t i = 0; i < gained_count && !ret; i++) {
		struct change it = *now;

		if (i < renamed) {
			it.kind = CHANGE_RENAMED;
			it.from = lost[i].path;
		} else {
			it = (struct change){.kind = CHANGE_ADDED, .ino = now->ino, .mode = now->mode};
		}
		ret = add_change(c, gained[i].path, &it);
	}
	return ret;
}

/* A change for one name, unless it has its own already, which then is the latest. */
static int add_modified(struct comparison *c, struct path_node *path, const struct change *what)
{
	const struct change *latest = path->changes;

	if (latest && latest->kind == CHANGE_REMOVED)
		latest = latest->next;
	if (latest && latest->kind != CHANGE_REMOVED && latest->ino == c->ino)
		return 0;
	return add_change(c, path, what);
}

int comparison_add_modified(struct comparison *c, const struct change *what)
{
	struct key key = key_of(c->ino, KEY_INODE_REF, 0);
	struct inode_name name;
	struct path_node *path;
	struct directory *dir;
	struct cursor links;
	int ret;

	if (side_is_top(&c->new, c->ino))
		return add_modified(c, c->paths.top, what);
	cursor_init(&links, &c->new.subvolume.tree);
	for (ret = cursor_seek(&links, &key); ret >= 0 && !cursor_at_end(&links); ret = cursor_next(&links)) {
		u32 pos = 0;

		key = cursor_key(&links);
		if (key.objectid != c->ino || key.type > KEY_INODE_EXTREF)
			break;
		while ((ret = inode_name_next(&key, cursor_data(&links), cursor_size(&links), &pos, &name)) > 0) {
			ret = side_directory(&c->new, name.parent, &dir);
			if (!ret)
				ret = paths_child(&c->paths, dir->path, name.name, name.name_len, &path);
			if (!ret)
				ret = add_modified(c, path, what);
			if (ret)
				break;
		}
		if (ret < 0)
			break;
	}
	cursor_release(&links);
	return ret < 0 ? ret : 0;
}

static bool entries_changed(const struct side *s, u64 ino)
{
	struct map_node *n = map_find(&s->directories, ino);

	return n && CONTAINER_OF(n, struct directory, in_directories)->changed;
}

/* Rule 2; returns whether a change is left. */
static bool is_left(const struct comparison *c, struct change *it)
{
	if (S_ISDIR(it->mode) && it->metadata & METADATA_MTIME &&
	    (entries_changed(&c->old, it->ino) || entries_changed(&c->new, it->ino)))
		it->metadata &= ~(u32)METADATA_MTIME;
	return it->kind != CHANGE_MODIFIED || it->content || it->metadata;
}

int comparison_next(struct comparison *c, const struct change **change, const char **path, const char **from)
{
	int ret;

	for (;;) {
		while (c->node && !c->next) {
			ret = paths_next(c->node, &c->node);
			if (ret)
				return ret;
			c->next = c->node ? c->node->changes : NULL;
		}
		if (!c->node)
			return 0;

		struct change *it = c->next;

		c->next = it->next;
		if (!is_left(c, it))
			continue;
		ret = path_text(c->node, &c->path);
		if (!ret && it->from)
			ret = path_text(it->from, &c->from);
		if (ret)
			return ret;
		*change = it;
		*path = (const char *)c->path.data;
		*from = it->from ? (const char *)c->from.data : NULL;
		return 1;
	}
}
