/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories that wait for each other.
 *
 * Inodes are sent by rising number, but a directory cannot always be moved when its turn comes.
 *
 * Rules
 *  1. A directory waits for one with a higher number, above its new place, that is itself renamed
 *     or moved: a path through that one would name a place that does not exist yet.
 *
 *         before  a(257)/b(258)/c(259)/d(260), b/c2(261)     after  a/b/c2/d2(260)/cc(259)
 *
 *     259 is to go below 260, which is still inside 259: 259 waits for 260.
 *  2. It waits for a directory that already waits and is above its new place, but only if it is itself
 *     an ancestor of that one in the parent snapshot; else the two would wait for each other.
 *  3. It waits for the directory that has its new name now, when that one waits (and has not been moved
 *     out of the way to an orphan name).
 *  4. When a directory has moved, those that wait for it move, in the order in which they came to
 *     wait, and then those that wait for them.  If the path would still run in a circle, the move waits
 *     again, for the ancestor that closes the circle.
 *  5. A deleted directory is removed when its last entry has been sent, moved or deleted.  Until then
 *     it goes by its orphan name; an entry that waits (1) takes the removal along.  An entry that is a
 *     subvolume counts by that one's number, and if no inode that is sent has a higher one, the
 *     directory keeps its orphan name at the receiver, as Linux 6.18 has it.
 *
 * States of a directory:
 *   placed --plan_wait_for_*--> pending --plan_apply_moves--> placed | pending again (4)
 *   deleted --plan_can_rmdir: no--> orphan --plan_can_rmdir: yes--> removed
 */
#include "send/moves.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "send/attributes.h"
#include "send/names.h"

struct pending_move {
	struct list list;
	u64 ino, gen;
	struct list update_dirs; /* whose times change with the move */
};

/* The moves that wait for one directory. */
struct move_group {
	struct map_node node; /* by the directory's inode number */
	struct list moves;
};

struct update_dir {
	struct list list;
	u64 dir, gen;
};

struct waiting_move *plan_waiting_move(const struct send_plan *p, u64 ino)
{
	struct map_node *n = p->waiting_moves.count ? map_find(&p->waiting_moves, ino) : NULL;

	return n ? CONTAINER_OF(n, struct waiting_move, node) : NULL;
}

struct orphan_dir *plan_waiting_rmdir(const struct send_plan *p, u64 ino, u64 gen)
{
	struct map_node *n = p->orphan_dirs.count ? map_find(&p->orphan_dirs, ino) : NULL;

	for (; n; n = map_next_same(n)) {
		struct orphan_dir *o = CONTAINER_OF(n, struct orphan_dir, node);

		if (o->gen == gen)
			return o;
	}
	return NULL;
}

static int entry_location(struct cursor *c, struct key *location)
{
	struct dir_entry e;
	struct key k = cursor_key(c);
	u32 pos = 0;
	int ret = dir_entry_next(&k, cursor_data(c), cursor_size(c), &pos, &e);

	if (ret == 0)
		return error_set(EIO, "directory %" PRIu64 ": index %" PRIu64 " is empty",
				 k.objectid, k.offset);
	if (ret < 0)
		return ret;
	*location = e.location;
	return 0;
}

/* The inode of the directory's last entry: 1, 0 if it has no entries, or an error.  It has most likely
 * the highest number of all, and until it is processed nothing need be looked at. */
static int last_entry(struct plan_root *r, u64 dir, u64 *ino)
{
	struct key k = key_of(dir, KEY_DIR_INDEX, UINT64_MAX), location;
	int ret = cursor_seek_before(&r->dirs, &k);

	if (ret < 0)
		return ret;
	if (cursor_at_end(&r->dirs))
		return 0;
	k = cursor_key(&r->dirs);
	if (k.objectid != dir || k.type != KEY_DIR_INDEX)
		return 0;
	ret = entry_location(&r->dirs, &location);
	*ino = location.objectid;
	return ret ? ret : 1;
}

/* Look through the entries from o->last_index on: 1 if each one's inode has been processed. */
static int entries_done(struct send_plan *p, u64 dir, u64 gen, struct orphan_dir *o)
{
	struct cursor *c = &p->parent->dirs;
	int ret = plan_first(c, dir, KEY_DIR_INDEX, o->last_index);

	for (; ret > 0; ret = plan_next(c, dir, KEY_DIR_INDEX)) {
		struct key location;
		int err = entry_location(c, &location);

		if (err)
			return err;
		o->highest_ino = max_u64(o->highest_ino, location.objectid);
		o->last_index = cursor_key(c).offset;

		struct waiting_move *w = plan_waiting_move(p, location.objectid);

		if (w) {
			w->rmdir_ino = dir;
			w->rmdir_gen = gen;
			return 0;
		}
		if (location.objectid > p->cur_ino)
			return 0;
	}
	return ret < 0 ? ret : 1;
}

int plan_can_rmdir(struct send_plan *p, u64 dir, u64 gen)
{
	struct orphan_dir fresh = {.gen = gen}, *known;
	int ret;

	if (dir == FIRST_FREE_OBJECTID)
		return 0;
	known = plan_waiting_rmdir(p, dir, gen);
	if (known && p->cur_ino < known->highest_ino)
		return 0;
	if (!known) {
		ret = last_entry(p->parent, dir, &fresh.highest_ino);
		if (ret <= 0)
			return ret < 0 ? ret : 1;
	}
	if (known || p->cur_ino >= fresh.highest_ino) {
		ret = entries_done(p, dir, gen, known ? known : &fresh);
		if (ret < 0)
			return ret;
		if (ret) {
			if (known) {
				map_remove(&p->orphan_dirs, &known->node);
				free(known);
			}
			return 1;
		}
	}
	if (!known) {
		known = malloc(sizeof(*known));
		if (!known)
			return error_nomem(sizeof(*known));
		*known = fresh;
		map_add(&p->orphan_dirs, &known->node, dir);
	}
	return 0;
}

static void free_update_dirs(struct list *dirs)
{
	LIST_FOR_EACH_SAFE(l, dirs) {
		struct update_dir *u = LIST_ENTRY(l, struct update_dir, list);

		list_remove(&u->list);
		free(u);
	}
}

static void free_move(struct pending_move *m)
{
	list_remove(&m->list);
	free_update_dirs(&m->update_dirs);
	free(m);
}

static int add_update_dirs(struct list *to, const struct list *refs)
{
	LIST_FOR_EACH(l, refs) {
		const struct ref *r = LIST_ENTRY(l, struct ref, list);
		struct update_dir *u = malloc(sizeof(*u));

		if (!u)
			return error_nomem(sizeof(*u));
		u->dir = r->dir;
		u->gen = r->dir_gen;
		list_add_tail(to, &u->list);
	}
	return 0;
}

static struct move_group *group_of(struct send_plan *p, u64 waits_for)
{
	struct map_node *n = map_find(&p->pending_moves, waits_for);

	return n ? CONTAINER_OF(n, struct move_group, node) : NULL;
}

/* Put @m down as waiting for directory @waits_for.  On failure @m is still the caller's. */
static int add_pending(struct send_plan *p, struct pending_move *m, u64 waits_for, bool is_orphan)
{
	if (plan_waiting_move(p, m->ino))
		return error_set(EEXIST, "directory %" PRIu64 " waits to be moved twice", m->ino);

	struct move_group *g = group_of(p, waits_for);
	struct waiting_move *w = calloc(1, sizeof(*w));

	if (w && !g) {
		g = malloc(sizeof(*g));
		if (g) {
			list_init(&g->moves);
			map_add(&p->pending_moves, &g->node, waits_for);
		}
	}
	if (!w || !g) {
		free(w);
		return error_nomem(sizeof(*w) + sizeof(*g));
	}
	w->orphanized = is_orphan;
	map_add(&p->waiting_moves, &w->node, m->ino);
	list_add_tail(&g->moves, &m->list);
	return 0;
}

static int wait_for(struct send_plan *p, u64 waits_for, bool is_orphan)
{
	struct pending_move *m = malloc(sizeof(*m));

	if (!m)
		return error_nomem(sizeof(*m));
	m->ino = p->cur_ino;
	m->gen = p->cur_gen;
	list_init(&m->list);
	list_init(&m->update_dirs);

	int ret = add_update_dirs(&m->update_dirs, &p->deleted_refs);

	if (!ret)
		ret = add_update_dirs(&m->update_dirs, &p->new_refs);
	if (!ret)
		ret = add_pending(p, m, waits_for, is_orphan);
	if (ret)
		free_move(m);
	return ret ? ret : 1;
}

int plan_wait_for_name(struct send_plan *p, const struct ref *ref, bool is_orphan)
{
	struct dir_entry e;
	u64 before, after;

	if (!p->waiting_moves.count)
		return 0;

	int ret = plan_dir_entry(p->parent, ref->dir, ref->full_path.buf + ref->name_at,
				 ref->full_path.len - ref->name_at, &e);

	if (ret <= 0 || e.location.type != KEY_INODE_ITEM)
		return ret < 0 ? ret : 0;

	u64 other = e.location.objectid;

	ret = plan_inode_gen(p->parent, other, &before);
	if (ret)
		return ret == -ENOENT ? plan_missing(p->parent, other) : ret;
	ret = plan_inode_gen(&p->send, other, &after);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (before != after)
		return 0;

	const struct waiting_move *w = plan_waiting_move(p, other);

	return w && !w->orphanized ? wait_for(p, other, is_orphan) : 0;
}

/* Whether @ino1 is @ino2 or above it, by first names. */
static int is_in_path(struct plan_root *r, u64 ino1, u64 gen1, u64 ino2, u64 gen2,
		      struct path *scratch)
{
	if (ino1 == ino2)
		return gen1 == gen2;
	for (u32 depth = 0; ino2 > FIRST_FREE_OBJECTID; depth++) {
		u64 dir, gen;
		int ret = depth > PATH_LEN_MAX
				  ? error_set(ELOOP, "directory %" PRIu64 " is its own ancestor",
					      ino2)
				  : plan_first_ref(r, ino2, &dir, &gen, scratch);

		if (ret)
			return ret == -ENOENT ? plan_missing(r, ino2) : ret;
		if (dir == ino1)
			return gen == gen1;
		ino2 = dir;
	}
	return 0;
}

int plan_is_ancestor(struct plan_root *r, u64 ino1, u64 gen1, u64 ino2)
{
	struct path scratch = {0};
	struct key k = key_of(ino2, KEY_INODE_REF, 0);
	struct cursor c; /* of its own: is_in_path() moves those of the root */
	int ret, found = 0;

	cursor_init(&c, &r->sv.tree);
	for (ret = cursor_seek(&c, &k); ret >= 0 && !cursor_at_end(&c) && !found;
	     ret = cursor_next(&c)) {
		struct inode_name n;
		u32 pos = 0;
		u64 gen;

		k = cursor_key(&c);
		if (k.objectid != ino2 || (k.type != KEY_INODE_REF && k.type != KEY_INODE_EXTREF))
			break;
		while (!found && (ret = inode_name_next(&k, cursor_data(&c), cursor_size(&c), &pos,
							&n)) > 0) {
			ret = plan_inode_gen(r, n.parent, &gen);
			if (ret == -ENOENT)
				ret = plan_missing(r, n.parent);
			if (ret)
				break;
			found = is_in_path(r, ino1, gen1, n.parent, gen, &scratch);
			/* All names of an INODE_REF item are in one directory. */
			if (k.type == KEY_INODE_REF)
				break;
		}
		if (ret < 0)
			break;
	}
	cursor_release(&c);
	path_release(&scratch);
	return found ? found : ret < 0 ? ret : 0;
}

int plan_wait_for_parent(struct send_plan *p, const struct ref *ref, bool is_orphan)
{
	struct path before = {0}, after = {0};
	u64 ino = ref->dir, gen = ref->dir_gen;
	int ret = 0;

	for (u32 depth = 0; ino > FIRST_FREE_OBJECTID; depth++) {
		u64 dir_before, dir_after, dir_after_gen, gen_before;

		if (depth > PATH_LEN_MAX) {
			ret = error_set(ELOOP, "directory %" PRIu64 " is its own ancestor", ino);
			break;
		}
		if (plan_waiting_move(p, ino)) {
			ret = plan_is_ancestor(p->parent, p->cur_ino, p->cur_gen, ino);
			if (ret)
				break;
		}
		ret = plan_first_ref(&p->send, ino, &dir_after, &dir_after_gen, &after);
		if (ret == -ENOENT)
			ret = plan_missing(&p->send, ino);
		if (ret)
			break;
		ret = plan_first_ref(p->parent, ino, &dir_before, NULL, &before);
		if (ret == -ENOENT) {
			ret = 0;
			break;
		}
		if (ret)
			break;
		if (ino > p->cur_ino && (dir_before != dir_after || !path_equal(&before, &after))) {
			ret = plan_inode_gen(p->parent, ino, &gen_before);
			if (ret == -ENOENT)
				ret = plan_missing(p->parent, ino);
			if (ret)
				break;
			if (gen == gen_before) {
				ret = 1;
				break;
			}
		}
		ino = dir_after;
		gen = dir_after_gen;
	}
	path_release(&before);
	path_release(&after);
	return ret == 1 ? wait_for(p, ino, is_orphan) : ret;
}

/* Whether the path of directory @ino leads back to itself: 1 with the ancestor to wait for, 0, or an error.
 * An orphan name ends it: it hangs in the top directory. */
static int path_circles(struct send_plan *p, u64 ino, u64 gen, u64 *ancestor)
{
	const u64 start = ino;
	u64 dir = 0, dir_gen = 0;
	int ret;

	*ancestor = 0;
	for (u32 depth = 0; ino != FIRST_FREE_OBJECTID; depth++) {
		if (depth > PATH_LEN_MAX)
			return error_set(ELOOP, "directory %" PRIu64 " is its own ancestor", ino);
		if (plan_waiting_rmdir(p, ino, gen))
			return 0;
		if (plan_waiting_move(p, ino)) {
			if (!*ancestor)
				*ancestor = ino;
			ret = plan_first_ref(p->parent, ino, &dir, &dir_gen, &p->scratch);
			/* A new one goes by its orphan name.  (Linux 6.18 ends with ENOENT here.) */
			if (ret == -ENOENT)
				return 0;
		} else {
			ret = plan_name_and_parent(p, ino, gen, &dir, &dir_gen, &p->scratch);
			if (ret > 0)
				return 0;
		}
		if (ret < 0)
			return ret;
		if (dir == start) {
			if (!*ancestor)
				*ancestor = ino;
			return 1;
		}
		ino = dir;
		gen = dir_gen;
	}
	return 0;
}

/* Where the directory of a pending move is now. */
static int path_before_move(struct send_plan *p, const struct pending_move *m, bool is_orphan,
			    struct path *from)
{
	struct path name = {0};
	u64 dir, gen;
	int ret;

	if (is_orphan)
		return plan_orphan_name(p, m->ino, m->gen, from);
	ret = plan_first_ref(p->parent, m->ino, &dir, &gen, &name);
	if (ret == -ENOENT)
		ret = plan_missing(p->parent, m->ino);
	if (!ret)
		ret = plan_path(p, dir, gen, from);
	if (!ret)
		ret = path_add(from, name.buf, name.len);
	path_release(&name);
	return ret;
}

/* Remove the directory that waited for the one just moved, if nothing else is in it. */
static int rmdir_after_move(struct send_plan *p, u64 ino, u64 gen)
{
	struct path path = {0};

	if (!ino || !plan_waiting_rmdir(p, ino, gen))
		return 0;

	int ret = plan_can_rmdir(p, ino, gen);

	if (ret <= 0)
		return ret;
	ret = plan_path(p, ino, gen, &path);
	if (!ret)
		ret = plan_send_paths(p, STREAM_C_RMDIR, &path, 0, NULL);
	path_release(&path);
	return ret;
}

/* The times of the moved directory and of those that it left and came to. */
static int update_times(struct send_plan *p, const struct pending_move *m)
{
	int ret = plan_dir_utimes(p, m->ino, m->gen);

	LIST_FOR_EACH(l, &m->update_dirs) {
		const struct update_dir *u = LIST_ENTRY(l, struct update_dir, list);
		const struct inode *i;

		if (!ret)
			ret = plan_inode(&p->send, u->dir, &i);
		if (!ret && i)
			ret = plan_dir_utimes(p, u->dir, u->gen);
	}
	return ret;
}

/* Make one move.  1: it is done and @m may go; 0: it waits again, @m has been handed on; or an error. */
static int apply_move(struct send_plan *p, struct pending_move *m)
{
	struct waiting_move *w = plan_waiting_move(p, m->ino);
	const u64 rmdir_ino = w->rmdir_ino, rmdir_gen = w->rmdir_gen;
	const bool is_orphan = w->orphanized;
	const u64 progress = p->progress;
	struct path from = {0}, to = {0};
	u64 ancestor;
	int ret;

	map_remove(&p->waiting_moves, &w->node);
	free(w);
	ret = path_before_move(p, m, is_orphan, &from);
	if (ret)
		goto out;
	p->progress = p->cur_ino + 1;
	ret = path_circles(p, m->ino, m->gen, &ancestor);
	if (ret < 0)
		goto out;
	if (ret) {
		list_remove(&m->list);
		ret = add_pending(p, m, ancestor, is_orphan);
		if (!ret) {
			w = plan_waiting_move(p, m->ino);
			w->rmdir_ino = rmdir_ino;
			w->rmdir_gen = rmdir_gen;
		}
		goto out;
	}
	ret = plan_path(p, m->ino, m->gen, &to);
	if (!ret)
		ret = plan_send_paths(p, STREAM_C_RENAME, &from, STREAM_A_PATH_TO, &to);
	if (!ret)
		ret = rmdir_after_move(p, rmdir_ino, rmdir_gen);
	if (!ret)
		ret = update_times(p, m);
	if (!ret)
		ret = 1;
out:
	p->progress = progress;
	path_release(&from);
	path_release(&to);
	return ret;
}

/* Put the moves that wait for directory @ino behind those on the stack. */
static void take_group(struct send_plan *p, u64 ino, struct list *stack)
{
	struct move_group *g = p->pending_moves.count ? group_of(p, ino) : NULL;

	if (!g)
		return;
	list_splice_tail(stack, &g->moves);
	map_remove(&p->pending_moves, &g->node);
	free(g);
}

int plan_apply_moves(struct send_plan *p)
{
	struct list stack;
	int ret = 1;

	list_init(&stack);
	take_group(p, p->cur_ino, &stack);
	while (!list_empty(&stack) && ret >= 0) {
		struct pending_move *m = LIST_ENTRY(stack.next, struct pending_move, list);
		const u64 ino = m->ino;

		ret = apply_move(p, m);
		if (ret)
			free_move(m);
		if (ret >= 0)
			take_group(p, ino, &stack);
	}
	LIST_FOR_EACH_SAFE(l, &stack)
		free_move(LIST_ENTRY(l, struct pending_move, list));
	return ret < 0 ? ret : 0;
}

int plan_moves_check_done(const struct send_plan *p)
{
	if (!p->pending_moves.count && !p->waiting_moves.count)
		return 0;
	return error_set(EIO, "%zu directories are still waiting to be moved", p->waiting_moves.count);
}

void plan_moves_release(struct send_plan *p)
{
	struct map_node *n;

	while ((n = map_iterate(&p->pending_moves, NULL))) {
		struct move_group *g = CONTAINER_OF(n, struct move_group, node);

		LIST_FOR_EACH_SAFE(l, &g->moves)
			free_move(LIST_ENTRY(l, struct pending_move, list));
		map_remove(&p->pending_moves, n);
		free(g);
	}
	while ((n = map_iterate(&p->waiting_moves, NULL))) {
		map_remove(&p->waiting_moves, n);
		free(CONTAINER_OF(n, struct waiting_move, node));
	}
	while ((n = map_iterate(&p->orphan_dirs, NULL))) {
		map_remove(&p->orphan_dirs, n);
		free(CONTAINER_OF(n, struct orphan_dir, node));
	}
	map_release(&p->pending_moves);
	map_release(&p->waiting_moves);
	map_release(&p->orphan_dirs);
}
