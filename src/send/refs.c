/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of the inode at hand: made, moved, linked, unlinked.
 *
 * Rules
 *  1. The difference of the trees tells new and lost names mixed; they are noted first, a name that is
 *     both (an item moved) is neither, and they go out together when the last one is known.
 *  2. A new inode is made under its orphan name; its first new name is a rename from there, further ones
 *     are links.  A directory has one name, and only moves.
 *  3. A name that an inode not yet processed still has at the receiver is freed first: by a
 *     move to that inode's orphan name if it is its first name, else by an unlink.  This is done
 *     for all new names before the first is given, as a path may lead through an inode that is moved away.
 *  4. A parent directory with a higher number does not exist yet: it is made, under its orphan name, when the
 *     first inode needs it.
 *  5. A directory that may not be moved yet waits (moves.c).
 *  6. Lost names are unlinked unless something else has them already.  A lost directory is removed, or
 *     goes by its orphan name until it is empty.
 *  7. Last, the directories that lost or gained a name have their times noted, or are removed if they
 *     were waiting for that.
 */
#include "send/refs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "format/checksum.h"
#include "send/attributes.h"
#include "send/moves.h"
#include "send/names.h"

static const char *ref_name(const struct ref *r)
{
	return r->full_path.buf + r->name_at;
}

static u32 ref_name_len(const struct ref *r)
{
	return r->full_path.len - r->name_at;
}

/* --- making inodes --- */

struct created_dir {
	struct lru_entry lru;
};

static int note_created(struct send_plan *p, u64 dir)
{
	struct created_dir *d = malloc(sizeof(*d));
	struct lru_entry *old;

	if (!d)
		return error_nomem(sizeof(*d));
	old = lru_store(&p->dirs_created, &d->lru, dir, 0);
	if (old)
		free(CONTAINER_OF(old, struct created_dir, lru));
	return 0;
}

/* Whether a directory was made ahead of its turn: something processed already is in it.  1, 0, or an error. */
static int did_create_dir(struct send_plan *p, u64 dir)
{
	struct cursor *c = &p->send.dirs;
	int ret;

	if (lru_find(&p->dirs_created, dir, 0))
		return 1;
	for (ret = plan_first(c, dir, KEY_DIR_INDEX, 0); ret > 0;
	     ret = plan_next(c, dir, KEY_DIR_INDEX)) {
		struct key k = cursor_key(c);
		struct dir_entry e;
		u32 pos = 0;
		int err = dir_entry_next(&k, cursor_data(c), cursor_size(c), &pos, &e);

		if (err < 0)
			return err;
		if (err && e.location.type != KEY_ROOT_ITEM && e.location.objectid < p->progress) {
			err = note_created(p, dir);
			return err ? err : 1;
		}
	}
	return ret;
}

/* The target of a symlink, which lies in its one, inline, extent. */
static int read_symlink(struct send_plan *p, u64 ino, struct file_range *out)
{
	struct cursor *c = &p->send.extents;
	struct key k = key_of(ino, KEY_EXTENT_DATA, 0);
	int ret = cursor_seek(c, &k);

	if (ret > 0)
		return error_set(EIO, "symlink inode %" PRIu64 " is empty", ino);
	if (!ret)
		ret = file_range_decode(&k, cursor_data(c), cursor_size(c),
					p->fs->facts->sectorsize, out);
	if (ret)
		return ret;
	if (out->type != FILE_EXTENT_INLINE || out->compression != COMPRESSION_NONE)
		return error_set(EIO, "symlink inode %" PRIu64 ": its extent is not plain inline data",
				 ino);
	return 0;
}

static u16 create_command(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return STREAM_C_MKFILE;
	case S_IFDIR:
		return STREAM_C_MKDIR;
	case S_IFLNK:
		return STREAM_C_SYMLINK;
	case S_IFCHR:
	case S_IFBLK:
		return STREAM_C_MKNOD;
	case S_IFIFO:
		return STREAM_C_MKFIFO;
	case S_IFSOCK:
		return STREAM_C_MKSOCK;
	default:
		return STREAM_C_UNSPEC;
	}
}

/* On disk a device number is the kernel's own, in the stream what user space knows. */
static u64 stream_rdev(u64 rdev)
{
	u32 minor = inode_minor(rdev), major = inode_major(rdev);

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

static int send_create(struct send_plan *p, u64 ino, u64 gen, u32 mode, u64 rdev)
{
	const u16 cmd = create_command(mode);
	struct file_range target = {0};
	struct path name = {0};
	struct encoder c;
	int ret;

	if (!cmd)
		return error_set(EOPNOTSUPP, "inode %" PRIu64 ": unknown file type in mode %o", ino,
				 mode);
	ret = plan_orphan_name(p, ino, gen, &name);
	if (!ret && cmd == STREAM_C_SYMLINK)
		ret = read_symlink(p, ino, &target);
	if (!ret) {
		plan_begin(p, &c, cmd);
		plan_put_path(&c, STREAM_A_PATH, &name);
		encoder_put_u64(&c, STREAM_A_INO, ino);
		if (cmd == STREAM_C_SYMLINK) {
			encoder_put(&c, STREAM_A_PATH_LINK, target.inline_data, target.ram_bytes);
		} else if (cmd != STREAM_C_MKFILE && cmd != STREAM_C_MKDIR) {
			encoder_put_u64(&c, STREAM_A_RDEV, stream_rdev(rdev));
			encoder_put_u64(&c, STREAM_A_MODE, mode);
		}
		ret = plan_end(p, &c);
	}
	path_release(&name);
	return ret;
}

/* Make a directory ahead of its turn. */
static int create_dir_early(struct send_plan *p, u64 dir)
{
	const struct inode *i;
	int ret = plan_inode(&p->send, dir, &i);

	if (!ret && !i)
		ret = plan_missing(&p->send, dir);
	if (!ret)
		ret = send_create(p, dir, i->generation, i->mode, i->rdev);
	return ret ? ret : note_created(p, dir);
}

int plan_create_inode(struct send_plan *p)
{
	int ret;

	if (S_ISDIR(p->cur_mode)) {
		ret = did_create_dir(p, p->cur_ino);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	ret = send_create(p, p->cur_ino, p->cur_gen, p->cur_mode, p->cur_rdev);
	if (!ret && S_ISDIR(p->cur_mode))
		ret = note_created(p, p->cur_ino);
	return ret;
}

/* --- noting names --- */

static u64 ref_hash(u64 dir, u64 gen, const char *name, u32 len)
{
	return (dir * 31 + gen) * 31 + name_hash(name, len);
}

static void free_ref(struct map *index, struct ref *r)
{
	if (index)
		map_remove(index, &r->node);
	list_remove(&r->list);
	path_release(&r->full_path);
	free(r);
}

static struct ref *find_ref(const struct map *index, u64 dir, u64 gen, const struct inode_name *n)
{
	struct map_node *m = map_find(index, ref_hash(dir, gen, n->name, n->name_len));

	for (; m; m = map_next_same(m)) {
		struct ref *r = CONTAINER_OF(m, struct ref, node);

		if (r->dir == dir && r->dir_gen == gen && ref_name_len(r) == n->name_len &&
		    !memcmp(ref_name(r), n->name, n->name_len))
			return r;
	}
	return NULL;
}

/* The path of a noted name, by what its directory is called now. */
static int set_ref_path(struct send_plan *p, struct ref *r, const char *name, u32 len)
{
	struct path path = {0};
	int ret = plan_path(p, r->dir, r->dir_gen, &path);

	if (!ret)
		ret = path_add(&path, name, len);
	if (ret) {
		path_release(&path);
		return ret;
	}
	path_release(&r->full_path);
	r->full_path = path;
	r->name_at = path.len - len;
	return 0;
}

static int refresh_ref(struct send_plan *p, struct ref *r)
{
	struct path old = r->full_path;
	int ret;

	/* The name is in the path that is replaced. */
	r->full_path = (struct path){0};
	ret = set_ref_path(p, r, old.buf + r->name_at, old.len - r->name_at);
	if (ret)
		r->full_path = old;
	else
		path_release(&old);
	return ret;
}

/* Note a name, unless the other side has noted the same. */
static int note_ref(struct send_plan *p, struct plan_root *root, bool is_new,
		    const struct inode_name *n)
{
	struct map *index = is_new ? &p->new_index : &p->deleted_index;
	struct map *other = is_new ? &p->deleted_index : &p->new_index;
	struct ref *r;
	u64 gen;
	int ret = plan_inode_gen(root, n->parent, &gen);

	if (ret)
		return ret == -ENOENT ? plan_missing(root, n->parent) : ret;
	r = find_ref(other, n->parent, gen, n);
	if (r) {
		free_ref(other, r);
		return 0;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_nomem(sizeof(*r));
	r->dir = n->parent;
	r->dir_gen = gen;
	ret = set_ref_path(p, r, n->name, n->name_len);
	if (ret) {
		free(r);
		return ret;
	}
	list_add_tail(is_new ? &p->new_refs : &p->deleted_refs, &r->list);
	map_add(index, &r->node, ref_hash(r->dir, gen, n->name, n->name_len));
	return 0;
}

static int note_item(struct send_plan *p, bool is_new, const struct key *k, const void *item, u32 size)
{
	struct plan_root *root = is_new ? &p->send : p->parent;
	struct inode_name n;
	u32 pos = 0;
	int ret, step;

	while ((step = inode_name_next(k, item, size, &pos, &n)) > 0) {
		ret = note_ref(p, root, is_new, &n);
		if (ret)
			return ret;
	}
	return step;
}

static int note_side(struct send_plan *p, bool is_new)
{
	const struct diff_side *s = is_new ? &p->diff.left : &p->diff.right;

	return note_item(p, is_new, &s->key, leaf_data(s->node[0], s->slot[0]),
			 leaf_size(s->node[0], s->slot[0]));
}

int plan_ref_item(struct send_plan *p, enum diff_kind kind)
{
	int ret = 0;

	if (kind != DIFF_DELETED)
		ret = note_side(p, true);
	if (!ret && kind != DIFF_NEW)
		ret = note_side(p, false);
	return ret;
}

int plan_all_refs(struct send_plan *p, enum diff_kind kind)
{
	const bool is_new = kind == DIFF_NEW;
	struct cursor *c = is_new ? &p->send.walk : &p->parent->walk;
	struct key k = key_of(p->cur_ino, KEY_INODE_REF, 0);
	bool pending = false;
	int ret;

	for (ret = cursor_seek(c, &k); ret >= 0 && !cursor_at_end(c); ret = cursor_next(c)) {
		k = cursor_key(c);
		if (k.objectid != p->cur_ino ||
		    (k.type != KEY_INODE_REF && k.type != KEY_INODE_EXTREF))
			break;

		int err = note_item(p, is_new, &k, cursor_data(c), cursor_size(c));

		if (err)
			return err;
	}
	return ret < 0 ? ret : plan_process_refs(p, &pending);
}

static int dir_changed(struct send_plan *p, u64 dir)
{
	u64 now, before;
	int ret = plan_inode_gen(&p->send, dir, &now);

	if (ret == -ENOENT)
		return plan_missing(&p->send, dir);
	if (!ret)
		ret = plan_inode_gen(p->parent, dir, &before);
	if (ret == -ENOENT)
		return plan_missing(p->parent, dir);
	return ret ? ret : now != before;
}

int plan_ref_dir_changed(struct send_plan *p)
{
	const struct diff_side *s = &p->diff.left;
	const void *item = leaf_data(s->node[0], s->slot[0]);
	struct inode_name n;
	u64 last = 0;
	u32 pos = 0;
	int ret, step;

	if (s->key.type == KEY_INODE_REF)
		return dir_changed(p, s->key.offset);
	while ((step = inode_name_next(&s->key, item, leaf_size(s->node[0], s->slot[0]), &pos,
				       &n)) > 0) {
		if (n.parent == last)
			continue;
		ret = dir_changed(p, n.parent);
		if (ret)
			return ret;
		last = n.parent;
	}
	return step;
}

static void clear_refs(struct list *refs, struct map *index)
{
	LIST_FOR_EACH_SAFE(l, refs)
		free_ref(index, LIST_ENTRY(l, struct ref, list));
}

/* --- sending what they ask for --- */

/* What goes on while the names of one inode are sent. */
struct ref_job {
	struct path valid; /* what the inode is called now */
	bool is_orphan;    /* `valid` is its orphan name */
	bool can_move;
	bool orphanized_dir;      /* a directory has been moved away: paths may be stale */
	bool orphanized_ancestor; /* one above the inode itself */
	struct list check_dirs;   /* struct ref without a name */
	struct map check_index;
};

static int check_dir(struct ref_job *j, const struct ref *r)
{
	const u64 hash = ref_hash(r->dir, r->dir_gen, "", 0);
	struct map_node *m = map_find(&j->check_index, hash);

	for (; m; m = map_next_same(m)) {
		const struct ref *known = CONTAINER_OF(m, struct ref, node);

		if (known->dir == r->dir && known->dir_gen == r->dir_gen)
			return 0;
	}

	struct ref *d = calloc(1, sizeof(*d));

	if (!d)
		return error_nomem(sizeof(*d));
	d->dir = r->dir;
	d->dir_gen = r->dir_gen;
	list_add_tail(&j->check_dirs, &d->list);
	map_add(&j->check_index, &d->node, hash);
	return 0;
}

static int orphanize(struct send_plan *p, u64 ino, u64 gen, const struct path *path)
{
	struct path orphan = {0};
	int ret = plan_orphan_name(p, ino, gen, &orphan);

	if (!ret)
		ret = plan_send_paths(p, STREAM_C_RENAME, path, STREAM_A_PATH_TO, &orphan);
	if (!ret && plan_is_current(p, ino, gen))
		ret = path_copy(&p->cur_path, &orphan);
	path_release(&orphan);
	return ret;
}

/* What the inode is called before anything is done. */
static int find_valid_path(struct send_plan *p, struct ref_job *j)
{
	int ret = p->cur_new ? 1 : plan_did_overwrite_first(p, p->cur_ino, p->cur_gen);

	if (ret < 0)
		return ret;
	j->is_orphan = ret;
	if (ret)
		return plan_orphan_name(p, p->cur_ino, p->cur_gen, &j->valid);
	return plan_path(p, p->cur_ino, p->cur_gen, &j->valid);
}

/* Move the inode that has the name @r, its first one, out of the way. */
static int move_away(struct send_plan *p, struct ref_job *j, const struct ref *r, u64 who, u64 gen,
		     u32 mode)
{
	struct waiting_move *w;
	int ret = orphanize(p, who, gen, &r->full_path);

	if (ret)
		return ret;
	if (S_ISDIR(mode))
		j->orphanized_dir = true;
	/* Its own move, if it waits for one, starts from the orphan name now. */
	w = plan_waiting_move(p, who);
	if (w)
		w->orphanized = true;
	plan_forget_name(p, who, gen);
	ret = plan_is_ancestor(p->parent, who, gen, p->cur_ino);
	if (ret <= 0)
		return ret;
	j->orphanized_ancestor = true;
	path_clear(&p->cur_path);
	return plan_path(p, p->cur_ino, p->cur_gen, &j->valid);
}

/* Rule 3 for one new name. */
static int free_name(struct send_plan *p, struct ref_job *j, struct ref *r)
{
	u64 who, gen;
	u32 mode;
	int first, ret = plan_inode_state(p, r->dir, r->dir_gen, NULL, NULL);

	if (ret < 0 || ret == INODE_WILL_CREATE)
		return ret < 0 ? ret : 0;
	ret = plan_will_overwrite(p, r->dir, r->dir_gen, ref_name(r), ref_name_len(r), &who, &gen,
				  &mode);
	if (ret <= 0)
		return ret;
	first = plan_is_first_ref(p, p->parent, who, r->dir, ref_name(r), ref_name_len(r));
	if (first < 0)
		return first;
	if (j->orphanized_dir) {
		ret = refresh_ref(p, r);
		if (ret)
			return ret;
	}
	if (first)
		return move_away(p, j, r, who, gen, mode);
	return plan_send_paths(p, STREAM_C_UNLINK, &r->full_path, 0, NULL);
}

/* Rule 4: have the directory of a new name at the receiver. */
static int have_directory(struct send_plan *p, const struct ref *r)
{
	int ret = plan_inode_state(p, r->dir, r->dir_gen, NULL, NULL);

	if (ret != INODE_WILL_CREATE)
		return ret < 0 ? ret : 0;
	LIST_FOR_EACH(l, &p->new_refs) {
		const struct ref *before = LIST_ENTRY(l, struct ref, list);

		if (before == r)
			break;
		if (before->dir == r->dir)
			return 0;
	}
	ret = did_create_dir(p, r->dir);
	if (ret)
		return ret < 0 ? ret : 0;
	return create_dir_early(p, r->dir);
}

static int move_to(struct send_plan *p, struct ref_job *j, const struct ref *r)
{
	int ret = plan_send_paths(p, STREAM_C_RENAME, &j->valid, STREAM_A_PATH_TO, &r->full_path);

	if (!ret)
		ret = path_copy(&p->cur_path, &r->full_path);
	return ret ? ret : path_copy(&j->valid, &r->full_path);
}

/* Give the inode one new name. */
static int give_name(struct send_plan *p, struct ref_job *j, struct ref *r, bool *pending)
{
	const bool is_dir = S_ISDIR(p->cur_mode);
	int ret = have_directory(p, r);

	if (ret)
		return ret;
	if (is_dir && p->parent) {
		ret = plan_wait_for_name(p, r, j->is_orphan);
		if (ret < 0)
			return ret;
		if (ret)
			j->can_move = false;
		if (j->can_move) {
			ret = plan_wait_for_parent(p, r, j->is_orphan);
			if (ret < 0)
				return ret;
			if (ret)
				j->can_move = false;
		}
		if (!j->can_move)
			*pending = true;
	}
	ret = 0;
	if (j->can_move && (j->is_orphan || is_dir)) {
		ret = move_to(p, j, r);
		j->is_orphan = false;
	} else if (j->can_move) {
		if (j->orphanized_dir)
			ret = refresh_ref(p, r);
		if (!ret)
			ret = plan_send_paths(p, STREAM_C_LINK, &r->full_path, STREAM_A_PATH_LINK,
					      &j->valid);
	}
	return ret ? ret : check_dir(j, r);
}

static int check_deleted_dirs(struct send_plan *p, struct ref_job *j, bool first_only)
{
	int ret = 0;

	LIST_FOR_EACH(l, &p->deleted_refs) {
		ret = check_dir(j, LIST_ENTRY(l, struct ref, list));
		if (ret || first_only)
			break;
	}
	return ret;
}

static int drop_directory(struct send_plan *p, struct ref_job *j)
{
	int ret = plan_can_rmdir(p, p->cur_ino, p->cur_gen);

	if (ret < 0)
		return ret;
	if (ret) {
		ret = plan_send_paths(p, STREAM_C_RMDIR, &j->valid, 0, NULL);
	} else if (!j->is_orphan) {
		ret = orphanize(p, p->cur_ino, p->cur_gen, &j->valid);
		j->is_orphan = true;
	}
	return ret ? ret : check_deleted_dirs(p, j, false);
}

/* Unlink the lost names of a file that nothing else has taken. */
static int drop_names(struct send_plan *p, struct ref_job *j)
{
	LIST_FOR_EACH(l, &p->deleted_refs) {
		struct ref *r = LIST_ENTRY(l, struct ref, list);
		int ret = plan_did_overwrite(p, r->dir, r->dir_gen, p->cur_ino, p->cur_gen,
					     ref_name(r), ref_name_len(r));

		if (ret < 0)
			return ret;
		if (!ret) {
			if (j->orphanized_ancestor)
				ret = refresh_ref(p, r);
			if (!ret)
				ret = plan_send_paths(p, STREAM_C_UNLINK, &r->full_path, 0, NULL);
			if (ret)
				return ret;
			/* Linux 6.18 compares as many bytes as the current path has, so the loss of
			 * "qux/f" makes it look again what "q" is called now. */
			if (path_begins(&r->full_path, &p->cur_path))
				path_clear(&p->cur_path);
		}
		ret = check_dir(j, r);
		if (ret)
			return ret;
	}
	/* Its first name was taken and it has got no new one: the orphan name goes.  Other links to it may
	 * live on. */
	return j->is_orphan ? plan_send_paths(p, STREAM_C_UNLINK, &j->valid, 0, NULL) : 0;
}

/* Rule 7. */
static int settle_dirs(struct send_plan *p, struct ref_job *j)
{
	LIST_FOR_EACH(l, &j->check_dirs) {
		const struct ref *r = LIST_ENTRY(l, struct ref, list);
		int ret;

		if (r->dir > p->cur_ino)
			continue; /* its turn is still to come */
		ret = plan_inode_state(p, r->dir, r->dir_gen, NULL, NULL);
		if (ret < 0)
			return ret;
		if (ret == INODE_DID_CREATE || ret == INODE_NO_CHANGE) {
			ret = plan_dir_utimes(p, r->dir, r->dir_gen);
		} else if (ret == INODE_DID_DELETE) {
			ret = plan_can_rmdir(p, r->dir, r->dir_gen);
			if (ret > 0)
				ret = plan_path(p, r->dir, r->dir_gen, &j->valid);
			else if (!ret)
				continue;
			if (!ret)
				ret = plan_send_paths(p, STREAM_C_RMDIR, &j->valid, 0, NULL);
		} else {
			ret = 0;
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int process(struct send_plan *p, struct ref_job *j, bool *pending)
{
	int ret = find_valid_path(p, j);

	LIST_FOR_EACH(l, &p->new_refs) {
		if (!ret)
			ret = free_name(p, j, LIST_ENTRY(l, struct ref, list));
	}
	LIST_FOR_EACH(l, &p->new_refs) {
		if (!ret)
			ret = give_name(p, j, LIST_ENTRY(l, struct ref, list), pending);
	}
	if (ret)
		return ret;
	if (!S_ISDIR(p->cur_mode))
		ret = drop_names(p, j);
	else if (p->cur_deleted)
		ret = drop_directory(p, j);
	else
		ret = check_deleted_dirs(p, j, true); /* a directory has moved: its old parent */
	return ret ? ret : settle_dirs(p, j);
}

int plan_process_refs(struct send_plan *p, bool *pending)
{
	struct ref_job j = {.can_move = true};
	int ret;

	if (p->cur_ino <= FIRST_FREE_OBJECTID)
		return error_set(EIO, "inode %" PRIu64 ": the top directory has changed its name",
				 p->cur_ino);
	list_init(&j.check_dirs);
	ret = map_init(&j.check_index);
	if (!ret)
		ret = process(p, &j, pending);
	clear_refs(&j.check_dirs, NULL);
	map_release(&j.check_index);
	path_release(&j.valid);
	clear_refs(&p->new_refs, &p->new_index);
	clear_refs(&p->deleted_refs, &p->deleted_index);
	return ret;
}

int plan_refs_init(struct send_plan *p)
{
	int ret;

	list_init(&p->new_refs);
	list_init(&p->deleted_refs);
	ret = map_init(&p->new_index);
	if (!ret)
		ret = map_init(&p->deleted_index);
	if (!ret)
		ret = lru_init(&p->dirs_created, DIR_CREATED_MAX);
	return ret;
}

void plan_refs_release(struct send_plan *p)
{
	struct lru_entry *e;

	clear_refs(&p->new_refs, &p->new_index);
	clear_refs(&p->deleted_refs, &p->deleted_index);
	while ((e = lru_pop(&p->dirs_created)))
		free(CONTAINER_OF(e, struct created_dir, lru));
	map_release(&p->new_index);
	map_release(&p->deleted_index);
	lru_release(&p->dirs_created);
}
