/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an inode is called at this point of the stream.
 *
 * Rules
 *  1. Inodes are sent by rising number; `progress` is the first whose names are not yet those of the send
 *     snapshot.  Below it names come from the send snapshot, from it on from the parent.
 *  2. An inode without a valid name goes by its orphan name in the top directory: one that has just been
 *     made, one whose name an earlier inode has taken, and a deleted directory that is not empty yet.
 *  3. A directory whose move waits for another (moves.c) is still where the parent snapshot has it.
 *  4. Names are cached as the kernel caches them (256, least recently used goes): a name looked up
 *     before its inode was processed holds until then.
 */
#include "send/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "send/moves.h"

struct cached_name {
	struct lru_entry lru;
	u64 dir, dir_gen;
	bool orphan;
	bool until_processed;
	u32 len;
	char name[];
};

static struct cached_name *cached(struct lru_entry *e)
{
	return e ? CONTAINER_OF(e, struct cached_name, lru) : NULL;
}

int plan_inode_state(struct send_plan *p, u64 ino, u64 gen, u64 *send_gen, u64 *parent_gen)
{
	const struct inode *i = NULL;
	u64 left = 0, right = 0;
	bool in_left, in_right = false;
	int ret = plan_inode(&p->send, ino, &i);

	if (ret)
		return ret;
	in_left = i && i->nlink;
	if (in_left)
		left = i->generation;
	if (send_gen)
		*send_gen = left;
	if (p->parent) {
		ret = plan_inode(p->parent, ino, &i);
		if (ret)
			return ret;
		in_right = i && i->nlink;
		if (in_right)
			right = i->generation;
		if (parent_gen)
			*parent_gen = right;
	}

	bool done = ino < p->progress;

	if (in_left && left == gen) {
		if (in_right && right == gen)
			return INODE_NO_CHANGE;
		return done ? INODE_DID_CREATE : INODE_WILL_CREATE;
	}
	if (in_right && right == gen)
		return done ? INODE_DID_DELETE : INODE_WILL_DELETE;
	return error_set(ENOENT,
			 "inode %" PRIu64 " of generation %" PRIu64 " is in neither snapshot", ino,
			 gen);
}

static int inode_existent(struct send_plan *p, u64 ino, u64 gen, u64 *send_gen, u64 *parent_gen)
{
	if (ino == FIRST_FREE_OBJECTID)
		return 1;

	int ret = plan_inode_state(p, ino, gen, send_gen, parent_gen);

	if (ret < 0)
		return ret;
	return ret == INODE_NO_CHANGE || ret == INODE_DID_CREATE || ret == INODE_WILL_DELETE;
}

/* @mark and @n in decimal, at the end of a name; every inode needs three of them. */
static char *put_number(char *end, char mark, u64 n)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	*end = mark;
	return mempcpy(end + 1, p, (size_t)(digits + sizeof(digits) - p));
}

int plan_orphan_name(struct send_plan *p, u64 ino, u64 gen, struct path *dest)
{
	char name[3 * 21], *number = put_number(put_number(name, 'o', ino), '-', gen);
	struct dir_entry e;

	for (u64 n = 0;; n++) {
		u32 len = (u32)(put_number(number, '-', n) - name);
		int ret = plan_dir_entry(&p->send, FIRST_FREE_OBJECTID, name, len, &e);

		if (!ret && p->parent)
			ret = plan_dir_entry(p->parent, FIRST_FREE_OBJECTID, name, len, &e);
		if (ret < 0)
			return ret;
		if (!ret)
			return path_add(dest, name, len);
	}
}

int plan_first_ref(struct plan_root *r, u64 ino, u64 *dir, u64 *dir_gen, struct path *name)
{
	struct key k = key_of(ino, KEY_INODE_REF, 0);
	int ret = cursor_seek(&r->names, &k);

	if (ret < 0)
		return ret;
	if (cursor_at_end(&r->names))
		return -ENOENT;
	k = cursor_key(&r->names);
	if (k.objectid != ino || (k.type != KEY_INODE_REF && k.type != KEY_INODE_EXTREF))
		return -ENOENT;

	struct inode_name n;
	u32 pos = 0;

	ret = inode_name_next(&k, cursor_data(&r->names), cursor_size(&r->names), &pos, &n);
	if (ret < 0)
		return ret;
	if (!ret)
		return -ENOENT;
	path_clear(name);
	ret = path_add(name, n.name, n.name_len);
	*dir = n.parent;
	if (!ret && dir_gen) {
		ret = plan_inode_gen(r, n.parent, dir_gen);
		if (ret == -ENOENT)
			ret = plan_missing(r, n.parent);
	}
	return ret;
}

int plan_is_first_ref(struct send_plan *p, struct plan_root *r, u64 ino, u64 dir, const char *name,
		      u32 len)
{
	u64 first_dir;
	int ret = plan_first_ref(r, ino, &first_dir, NULL, &p->scratch);

	if (ret == -ENOENT)
		return plan_missing(r, ino);
	if (ret)
		return ret;
	return dir == first_dir && len == p->scratch.len && !memcmp(p->scratch.buf, name, len);
}

/* The inode behind a name: 1 found, 0 not there or a subvolume, or an error. */
static int entry_inode(struct plan_root *r, u64 dir, const char *name, u32 len, u64 *ino)
{
	struct dir_entry e;
	int ret = plan_dir_entry(r, dir, name, len, &e);

	if (ret <= 0 || e.location.type == KEY_ROOT_ITEM)
		return ret < 0 ? ret : 0;
	*ino = e.location.objectid;
	return 1;
}

int plan_will_overwrite(struct send_plan *p, u64 dir, u64 dir_gen, const char *name, u32 len,
			u64 *who, u64 *who_gen, u32 *who_mode)
{
	u64 gen_in_parent = 0, other;

	if (!p->parent)
		return 0;

	int ret = inode_existent(p, dir, dir_gen, NULL, &gen_in_parent);

	if (ret == -ENOENT || !ret)
		return 0;
	if (ret < 0)
		return ret;
	/* A directory that was deleted and made anew: nothing of the old one's names is in the way. */
	if (dir != FIRST_FREE_OBJECTID && gen_in_parent != dir_gen)
		return 0;
	ret = entry_inode(p->parent, dir, name, len, &other);
	if (ret <= 0)
		return ret;
	/* Processed already, then it has given up the name. */
	if (other <= p->progress && !plan_waiting_move(p, other))
		return 0;

	const struct inode *i;

	ret = plan_inode(p->parent, other, &i);
	if (ret)
		return ret;
	if (!i)
		return plan_missing(p->parent, other);
	*who = other;
	*who_gen = i->generation;
	*who_mode = i->mode;
	return 1;
}

int plan_did_overwrite(struct send_plan *p, u64 dir, u64 dir_gen, u64 ino, u64 gen, const char *name,
		       u32 len)
{
	u64 gen_in_send = 0, by, by_gen = 0;

	if (!p->parent)
		return 0;

	int ret = inode_existent(p, dir, dir_gen, &gen_in_send, NULL);

	if (ret <= 0)
		return ret;
	if (dir != FIRST_FREE_OBJECTID && gen_in_send != dir_gen)
		return 0;
	ret = entry_inode(&p->send, dir, name, len, &by);
	if (ret <= 0)
		return ret;
	if (by == ino || by == p->cur_ino) {
		ret = plan_inode_gen(&p->send, by, &by_gen);
		if (ret)
			return ret == -ENOENT ? plan_missing(&p->send, by) : ret;
	}
	if (by == ino && by_gen == gen)
		return 0;
	/* It is or will be overwritten.  Before now, or by the inode at hand? */
	if (by < p->progress)
		return 1;
	return ino != p->cur_ino && by == p->cur_ino && by_gen == p->cur_gen;
}

int plan_did_overwrite_first(struct send_plan *p, u64 ino, u64 gen)
{
	struct path name = {0};
	u64 dir, dir_gen;

	if (!p->parent)
		return 0;

	int ret = plan_first_ref(p->parent, ino, &dir, &dir_gen, &name);

	if (ret == -ENOENT)
		ret = plan_missing(p->parent, ino);
	if (!ret)
		ret = plan_did_overwrite(p, dir, dir_gen, ino, gen, name.buf, name.len);
	path_release(&name);
	return ret;
}

static int remember(struct send_plan *p, u64 ino, u64 gen, u64 dir, u64 dir_gen, bool orphan,
		    const struct path *name)
{
	struct cached_name *c = malloc(sizeof(*c) + name->len);

	if (!c)
		return error_nomem(sizeof(*c) + name->len);
	c->dir = dir;
	c->dir_gen = dir_gen;
	c->orphan = orphan;
	c->until_processed = ino >= p->progress;
	c->len = name->len;
	memcpy(c->name, name->buf, name->len);
	free(cached(lru_store(&p->name_cache, &c->lru, ino, gen)));
	return 0;
}

int plan_name_and_parent(struct send_plan *p, u64 ino, u64 gen, u64 *dir, u64 *dir_gen,
			 struct path *name)
{
	struct cached_name *c = cached(lru_find(&p->name_cache, ino, gen));
	int ret;

	path_clear(name);
	if (c && c->until_processed && ino < p->progress) {
		lru_remove(&p->name_cache, &c->lru);
		free(c);
	} else if (c) {
		*dir = c->dir;
		*dir_gen = c->dir_gen;
		ret = path_add(name, c->name, c->len);
		return ret ? ret : c->orphan;
	}

	int orphan;

	ret = inode_existent(p, ino, gen, NULL, NULL);
	if (ret < 0)
		return ret;
	orphan = !ret;
	if (!orphan) {
		struct plan_root *r = ino < p->progress ? &p->send : p->parent;

		/* Without a parent every inode that exists has been processed. */
		ret = r ? plan_first_ref(r, ino, dir, dir_gen, name) : -ENOENT;
		if (ret == -ENOENT)
			ret = plan_missing(r ? r : &p->send, ino);
		if (ret)
			return ret;
		orphan = plan_did_overwrite(p, *dir, *dir_gen, ino, gen, name->buf, name->len);
		if (orphan < 0)
			return orphan;
	}
	if (orphan) {
		path_clear(name);
		ret = plan_orphan_name(p, ino, gen, name);
		if (ret)
			return ret;
	}
	ret = remember(p, ino, gen, *dir, *dir_gen, orphan, name);
	return ret ? ret : orphan;
}

void plan_forget_name(struct send_plan *p, u64 ino, u64 gen)
{
	struct cached_name *c = cached(lru_find(&p->name_cache, ino, gen));

	if (!c)
		return;
	lru_remove(&p->name_cache, &c->lru);
	free(c);
}

/* A path that is built from its end. */
struct reversed {
	char buf[PATH_LEN_MAX];
	u32 start;
};

static int put_before(struct reversed *r, const struct path *name)
{
	u32 used = PATH_LEN_MAX - r->start;
	u32 slash = used ? 1 : 0;

	if (name->len + slash > r->start)
		return error_set(ENAMETOOLONG, "a path is longer than the %u bytes of a stream",
				 PATH_LEN_MAX);
	if (slash)
		r->buf[--r->start] = '/';
	r->start -= name->len;
	memcpy(r->buf + r->start, name->buf, name->len);
	return 0;
}

int plan_path(struct send_plan *p, u64 ino, u64 gen, struct path *dest)
{
	bool current = plan_is_current(p, ino, gen);
	struct reversed rev;
	u64 dir = 0, dir_gen = 0;
	bool stop = false;
	int ret = 0;

	rev.start = PATH_LEN_MAX;
	if (current && p->cur_path.len)
		return dest == &p->cur_path ? 0 : path_copy(dest, &p->cur_path);

	/* Damage could tie directories into a ring: a path has fewer parts than bytes. */
	for (u32 depth = 0; !stop && ino != FIRST_FREE_OBJECTID; depth++) {
		struct waiting_move *w = plan_waiting_move(p, ino);

		if (depth > PATH_LEN_MAX)
			return error_set(ELOOP, "directory %" PRIu64 " is its own ancestor", ino);
		path_clear(&p->scratch);
		if (plan_waiting_rmdir(p, ino, gen) || (w && w->orphanized)) {
			ret = plan_orphan_name(p, ino, gen, &p->scratch);
			stop = true;
		} else if (w) {
			ret = plan_first_ref(p->parent, ino, &dir, &dir_gen, &p->scratch);
			if (ret == -ENOENT)
				ret = plan_missing(p->parent, ino);
		} else {
			ret = plan_name_and_parent(p, ino, gen, &dir, &dir_gen, &p->scratch);
			stop = ret > 0;
		}
		if (ret < 0)
			return ret;
		ret = put_before(&rev, &p->scratch);
		if (ret)
			return ret;
		ino = dir;
		gen = dir_gen;
	}
	ret = path_set(dest, rev.buf + rev.start, PATH_LEN_MAX - rev.start);
	if (!ret && current && dest != &p->cur_path)
		ret = path_copy(&p->cur_path, dest);
	return ret;
}

int plan_current_path(struct send_plan *p, const struct path **out)
{
	*out = &p->cur_path;
	if (p->cur_path.len)
		return 0;
	return plan_path(p, p->cur_ino, p->cur_gen, &p->cur_path);
}

int plan_begin_here(struct send_plan *p, struct encoder *c, u16 cmd)
{
	const struct path *path;
	int ret = plan_current_path(p, &path);

	if (ret)
		return ret;
	plan_begin(p, c, cmd);
	plan_put_path(c, STREAM_A_PATH, path);
	return 0;
}

int plan_snapshot_path(struct plan_root *r, u64 ino, struct path *dest)
{
	struct reversed rev;
	struct path name = {0};
	u64 dir = 0;
	int ret = 0;

	rev.start = PATH_LEN_MAX;
	for (u32 depth = 0; ino != FIRST_FREE_OBJECTID && !ret; depth++) {
		ret = depth > PATH_LEN_MAX
			      ? error_set(ELOOP, "directory %" PRIu64 " is its own ancestor", ino)
			      : plan_first_ref(r, ino, &dir, NULL, &name);
		if (ret == -ENOENT)
			ret = plan_missing(r, ino);
		if (!ret)
			ret = put_before(&rev, &name);
		ino = dir;
	}
	path_release(&name);
	return ret ? ret : path_set(dest, rev.buf + rev.start, PATH_LEN_MAX - rev.start);
}

void plan_names_release(struct send_plan *p)
{
	struct lru_entry *e;

	while ((e = lru_pop(&p->name_cache)))
		free(cached(e));
	lru_release(&p->name_cache);
}
