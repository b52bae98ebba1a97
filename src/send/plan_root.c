/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trees that the plan looks into: cursors, and inodes already looked at. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "send/plan.h"

#define INODE_SLOTS 1024 /* a power of two */

struct inode_slot {
	u64 ino; /* 0: empty */
	bool missing;
	struct inode inode;
};

int plan_root_init(struct plan_root *r, const struct subvolume *sv)
{
	r->sv = *sv;
	r->inode_cache = calloc(INODE_SLOTS, sizeof(*r->inode_cache));
	if (!r->inode_cache)
		return error_nomem(INODE_SLOTS * sizeof(*r->inode_cache));
	cursor_init(&r->inodes, &r->sv.tree);
	cursor_init(&r->names, &r->sv.tree);
	cursor_init(&r->dirs, &r->sv.tree);
	cursor_init(&r->extents, &r->sv.tree);
	cursor_init(&r->xattrs, &r->sv.tree);
	cursor_init(&r->walk, &r->sv.tree);
	return 0;
}

void plan_root_release(struct plan_root *r)
{
	if (!r->inode_cache)
		return;
	cursor_release(&r->inodes);
	cursor_release(&r->names);
	cursor_release(&r->dirs);
	cursor_release(&r->extents);
	cursor_release(&r->xattrs);
	cursor_release(&r->walk);
	free(r->inode_cache);
	r->inode_cache = NULL;
}

int plan_inode(struct plan_root *r, u64 ino, const struct inode **out)
{
	struct inode_slot *s = &r->inode_cache[ino & (INODE_SLOTS - 1)];

	if (s->ino != ino) {
		struct key k = key_of(ino, KEY_INODE_ITEM, 0);
		int ret = cursor_seek(&r->inodes, &k);

		if (ret < 0)
			return ret;
		s->ino = 0;
		s->missing = ret;
		if (!ret) {
			ret = inode_decode(ino, cursor_data(&r->inodes), cursor_size(&r->inodes),
					   &s->inode);
			if (ret)
				return ret;
		}
		s->ino = ino;
	}
	*out = s->missing ? NULL : &s->inode;
	return 0;
}

int plan_inode_gen(struct plan_root *r, u64 ino, u64 *gen)
{
	const struct inode *i;
	int ret = plan_inode(r, ino, &i);

	if (ret)
		return ret;
	if (!i)
		return -ENOENT;
	*gen = i->generation;
	return 0;
}

int plan_missing(const struct plan_root *r, u64 ino)
{
	return error_set(EIO, "inode %" PRIu64 " is not in subvolume %" PRIu64, ino, r->sv.id);
}

static int on(const struct cursor *c, u64 objectid, u8 type)
{
	if (cursor_at_end(c))
		return 0;

	struct key k = cursor_key(c);

	return k.objectid == objectid && k.type == type;
}

int plan_first(struct cursor *c, u64 objectid, u8 type, u64 offset)
{
	struct key k = key_of(objectid, type, offset);
	int ret = cursor_seek(c, &k);

	return ret < 0 ? ret : on(c, objectid, type);
}

int plan_next(struct cursor *c, u64 objectid, u8 type)
{
	int ret = cursor_next(c);

	return ret < 0 ? ret : on(c, objectid, type);
}

int plan_dir_entry(struct plan_root *r, u64 dir, const char *name, u32 len, struct dir_entry *out)
{
	int ret = dir_lookup(&r->dirs, dir, name, (u16)len, out);

	return ret == -ENOENT ? 0 : ret ? ret : 1;
}
