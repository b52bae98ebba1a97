/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inode at hand: what became of it from the one subvolume to the other.
 *
 * Rules
 *  1. An inode without links is not there: it waits to be deleted, or has no name yet.
 *  2. An item of a name can be equal in both subvolumes, and yet its directory be another one that got
 *     the same inode number.
 *  3. The time of modification of a file counts only where its bytes are the same.
 */
#include "compare/comparison.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "files/dir.h"

static bool has_content(const struct comparison *c)
{
	return c->same && (S_ISREG(c->new_inode.mode) || S_ISLNK(c->new_inode.mode));
}

/* The content at hand goes into @what, its ranges into the arena. */
static int settle_content(struct comparison *c, struct change *what)
{
	const struct content *content = &c->content;
	int ret = content_finish(&c->content);

	if (ret || !content->changed)
		return ret;
	what->content = true;
	what->metadata &= ~(u32)METADATA_MTIME;
	if (content->count) {
		size_t size = content->count * sizeof(*content->ranges);
		struct byte_range *ranges = arena_alloc(&c->arena, size);

		if (!ranges)
			return -ENOMEM;
		memcpy(ranges, content->ranges, size);
		what->ranges = ranges;
		what->range_count = content->count;
	}
	return 0;
}

int comparison_finish_inode(struct comparison *c)
{
	struct change removed = {.kind = CHANGE_REMOVED, .ino = c->ino, .mode = c->old_inode.mode};
	struct change now = {.kind = CHANGE_MODIFIED,
			     .ino = c->ino,
			     .mode = c->new_inode.mode,
			     .metadata = c->metadata};
	int ret = 0;

	if (has_content(c))
		ret = settle_content(c, &now);
	if (!ret)
		ret = comparison_add_names(c, c->lost.v, c->lost.count, c->gained.v, c->gained.count, c->same,
				       &removed, &now);
	if (!ret && (now.content || now.metadata))
		ret = comparison_add_modified(c, &now);
	c->lost.count = c->gained.count = 0;
	return ret;
}

static bool same_inode(const struct comparison *c, const struct inode *old, const struct inode *new)
{
	if (side_is_top(&c->old, old->ino) && side_is_top(&c->new, new->ino))
		return true;
	return old->generation == new->generation && old->otime.sec == new->otime.sec &&
	       old->otime.nsec == new->otime.nsec && !((old->mode ^ new->mode) & S_IFMT);
}

/* The inode on one side, which has the item @data of it, or, where the item at hand is another one, may have
 * one that is not in the difference. */
static int look_up(struct side *s, const struct key *key, const void *data, u32 size, struct inode *out)
{
	int ret;

	if (key->type != KEY_INODE_ITEM)
		return side_inode(s, key->objectid, out);
	if (!data)
		return 0;
	ret = inode_decode(key->objectid, data, size, out);
	return ret ? ret : 1;
}

int comparison_begin_inode(struct comparison *c, const struct item_pair *p)
{
	int old, new;

	c->ino = p->key.objectid;
	c->old_inode = c->new_inode = (struct inode){0};
	c->metadata = 0;
	old = look_up(&c->old, &p->key, p->old, p->old_size, &c->old_inode);
	if (old < 0)
		return old;
	new = look_up(&c->new, &p->key, p->new, p->new_size, &c->new_inode);
	if (new < 0)
		return new;
	if (!old && !new)
		return error_set(EIO, "it has no inode item, but others");
	c->old_here = old && c->old_inode.nlink;
	c->new_here = new && c->new_inode.nlink;
	c->same = c->old_here && c->new_here && same_inode(c, &c->old_inode, &c->new_inode);
	if (c->same)
		c->metadata = metadata_changes(&c->old_inode, &c->new_inode);
	if (has_content(c))
		content_begin(&c->content, &c->old_inode, &c->new_inode);
	return 0;
}

/* --- items --- */

/* Rule 2. */
static int parent_is_same(struct comparison *c, u64 ino)
{
	struct inode old, new;
	int ret;

	if (c->parent == ino)
		return c->parent_same;
	ret = side_inode(&c->old, ino, &old);
	if (ret > 0)
		ret = side_inode(&c->new, ino, &new);
	if (ret < 0)
		return ret;
	c->parent = ino;
	c->parent_same = ret && same_inode(c, &old, &new);
	return c->parent_same;
}

static int add_names(struct comparison *c, struct side *s, struct names *to, const struct item_pair *p,
		     const void *item, u32 size)
{
	const bool equal = c->same && p->equal;
	struct inode_name name;
	u32 pos = 0;
	int ret;

	if (side_is_top(s, c->ino))
		return 0;
	while ((ret = inode_name_next(&p->key, item, size, &pos, &name)) > 0) {
		ret = equal ? parent_is_same(c, name.parent) : 0;
		if (!ret)
			ret = names_add(to, s, 0, name.parent, name.name, name.name_len);
		if (ret < 0)
			return ret;
	}
	return ret;
}

/* A subvolume in the directory at hand. */
static int add_subvolume(struct comparison *c, struct side *s, struct names *to, const struct item_pair *p,
			 const void *item, u32 size)
{
	struct dir_entry entry;
	u32 pos = 0;
	int ret = dir_entry_next(&p->key, item, size, &pos, &entry);

	if (ret < 0 || entry.location.type != KEY_ROOT_ITEM)
		return ret < 0 ? ret : 0;
	return names_add(to, s, entry.location.objectid, c->ino, entry.name, entry.name_len);
}

static int walk_xattr(struct comparison *c, const struct item_pair *p)
{
	int ret = 0;

	if (p->old && p->new)
		ret = metadata_same_xattrs(&p->key, p->old, p->old_size, p->new, p->new_size);
	if (!ret)
		c->metadata |= METADATA_XATTRS;
	return ret < 0 ? ret : 0;
}

int comparison_inode_item(struct comparison *c, const struct item_pair *p)
{
	const bool old = c->old_here && p->old, new = c->new_here && p->new;
	int ret = 0;

	switch (p->key.type) {
	case KEY_INODE_REF:
	case KEY_INODE_EXTREF:
		if (old)
			ret = add_names(c, &c->old, &c->lost, p, p->old, p->old_size);
		if (new && !ret)
			ret = add_names(c, &c->new, &c->gained, p, p->new, p->new_size);
		return ret;
	case KEY_DIR_INDEX:
		if (c->same && p->equal)
			return 0;
		if (old)
			ret = add_subvolume(c, &c->old, &c->lost_subvolumes, p, p->old, p->old_size);
		if (new && !ret)
			ret = add_subvolume(c, &c->new, &c->gained_subvolumes, p, p->new, p->new_size);
		return ret;
	case KEY_XATTR_ITEM:
		return c->same && !p->equal ? walk_xattr(c, p) : 0;
	case KEY_EXTENT_DATA:
		if (!has_content(c) || p->equal)
			return 0;
		if (old)
			ret = content_suspect(&c->content, &p->key, p->old, p->old_size);
		if (new && !ret)
			ret = content_suspect(&c->content, &p->key, p->new, p->new_size);
		return ret;
	default:
		return 0;
	}
}

int comparison_inode_failed(struct comparison *c, int ret)
{
	struct side *s = c->new_here ? &c->new : &c->old;
	struct inode_name name;
	struct error first;
	bool named;

	error_save(&first, ret);
	c->gained.count = 0;
	named = !inode_first_name(&s->names, c->ino, &name);
	if (named) {
		char bytes[NAME_LEN_MAX];

		memcpy(bytes, name.name, name.name_len);
		named = !names_add(&c->gained, s, 0, name.parent, bytes, name.name_len) &&
			!path_text(c->gained.v->path, &c->path) && c->path.len < ERROR_TEXT_MAX / 2;
	}
	error_restore(&first);
	if (named)
		return error_wrap(ret, "%s (inode %" PRIu64 ")", c->path.data, c->ino);
	return error_wrap(ret, "inode %" PRIu64, c->ino);
}
