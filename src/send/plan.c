/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk: item by item through the difference of the two snapshots, inode by inode into commands.
 *
 * Stages
 *   BEGIN --header, SUBVOL or SNAPSHOT--> WALK --last item--> FINISH --times, END--> DONE
 *
 * Rules
 *  1. An inode's items come in the order inode, names, xattrs, extents.  Its names go out when the first
 *     item behind them is met, its attributes when the next inode is.
 *  2. An inode whose number was given to another file since (other generation) is first deleted, then
 *     made anew, at once when its inode item is met: the items that follow belong to two files, and
 *     are passed over.
 *  3. An inode without links is passed over where it is new, counts as deleted where it had links, and
 *     as new where it had none.
 */
#include "send/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "send/attributes.h"
#include "send/clone.h"
#include "send/extents.h"
#include "send/moves.h"
#include "send/names.h"
#include "send/refs.h"

#define FREE_SPACE_OBJECTID ((u64)-11)
#define FREE_INO_OBJECTID ((u64)-12)

/* --- commands --- */

void plan_begin(struct send_plan *p, struct encoder *c, u16 cmd)
{
	encoder_begin(c, &p->batch->bytes, p->options.proto, cmd);
}

int plan_end_data(struct send_plan *p, struct encoder *c, const struct slice *s, u32 data_len)
{
	int ret = encoder_end(c, data_len);

	return ret ? ret : batch_add(p->batch, c->start, c->cmd, s, data_len);
}

int plan_end(struct send_plan *p, struct encoder *c)
{
	return plan_end_data(p, c, NULL, 0);
}

int plan_send_paths(struct send_plan *p, u16 cmd, const struct path *path, u16 attr,
		    const struct path *second)
{
	struct encoder c;

	plan_begin(p, &c, cmd);
	plan_put_path(&c, STREAM_A_PATH, path);
	if (second)
		plan_put_path(&c, attr, second);
	return plan_end(p, &c);
}

/* --- life --- */

int send_plan_new(struct filesystem *fs, const struct subvolume *send,
		  const struct subvolume *parent, const struct subvolume *clones,
		  size_t clone_count, const struct plan_options *options, struct send_plan **out)
{
	struct send_plan *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_nomem(sizeof(*p));
	p->fs = fs;
	p->options = *options;
	/* From the first failure on send_plan_free() finds what is made, and the rest zero. */
	ret = plan_refs_init(p);
	if (!ret)
		ret = plan_root_init(&p->send, send);
	if (!ret && parent) {
		p->parent = calloc(1, sizeof(*p->parent));
		ret = p->parent ? plan_root_init(p->parent, parent)
				: error_nomem(sizeof(*p->parent));
	}
	if (!ret)
		ret = lru_init(&p->name_cache, NAME_CACHE_MAX);
	if (!ret)
		ret = lru_init(&p->dir_utimes, 0);
	if (!ret)
		ret = map_init(&p->pending_moves);
	if (!ret)
		ret = map_init(&p->waiting_moves);
	if (!ret)
		ret = map_init(&p->orphan_dirs);
	if (!ret)
		ret = clone_sources_new(p, clones, clone_count, &p->sources);
	if (ret) {
		send_plan_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

void send_plan_free(struct send_plan *p)
{
	if (!p)
		return;
	if (p->diff_ready)
		tree_diff_release(&p->diff);
	clone_sources_free(p->sources);
	plan_moves_release(p);
	plan_refs_release(p);
	plan_attributes_release(p);
	plan_names_release(p);
	plan_root_release(&p->send);
	if (p->parent)
		plan_root_release(p->parent);
	free(p->parent);
	path_release(&p->scratch);
	path_release(&p->cur_path);
	free(p);
}

/* --- the walk --- */

/* What the receiver knows the snapshot by. */
static const u8 *stream_uuid(const struct subvolume *sv)
{
	static const u8 none[UUID_SIZE];

	return memcmp(sv->received_uuid, none, UUID_SIZE) ? sv->received_uuid : sv->uuid;
}

static int begin_stream(struct send_plan *p)
{
	const struct subvolume *sv = &p->send.sv;
	const char *name = *sv->name ? sv->name : "toplevel";
	struct encoder c;
	int ret;

	if (!p->options.omit_header) {
		size_t start = p->batch->bytes.len;

		ret = stream_put_header(&p->batch->bytes, p->options.proto);
		if (!ret)
			ret = batch_add(p->batch, start, 0, NULL, 0);
		if (ret)
			return ret;
	}
	plan_begin(p, &c, p->parent ? STREAM_C_SNAPSHOT : STREAM_C_SUBVOL);
	encoder_put(&c, STREAM_A_PATH, name, strlen(name));
	encoder_put(&c, STREAM_A_UUID, stream_uuid(sv), UUID_SIZE);
	encoder_put_u64(&c, STREAM_A_CTRANSID, sv->ctransid);
	if (p->parent) {
		encoder_put(&c, STREAM_A_CLONE_UUID, stream_uuid(&p->parent->sv), UUID_SIZE);
		encoder_put_u64(&c, STREAM_A_CLONE_CTRANSID, p->parent->sv.ctransid);
	}
	ret = plan_end(p, &c);
	if (!ret)
		ret = tree_diff_init(&p->diff, &sv->tree, p->parent ? &p->parent->sv.tree : NULL);
	if (!ret)
		p->diff_ready = true;
	return ret;
}

/* The inode at hand may be complete with its names, or altogether, before the item at hand. */
static int finish_inode(struct send_plan *p, bool at_end)
{
	const bool same_inode = !at_end && p->cmp_key.objectid == p->cur_ino;
	bool pending = false;
	int ret = 0;

	if (p->cur_ignored)
		return 0;
	if (p->cur_ino && plan_has_refs(p) &&
	    !(same_inode && p->cmp_key.type <= KEY_INODE_EXTREF)) {
		ret = plan_process_refs(p, &pending);
		if (ret)
			return ret;
		/* A directory that waits keeps its old path for what follows. */
		if (!pending)
			p->progress = p->cur_ino + 1;
	}
	if (p->cur_ino && !p->cur_deleted && !same_inode)
		ret = plan_finish_attributes(p);
	return ret ? ret : plan_flush_dir_utimes(p, false);
}

static void be_at(struct send_plan *p, const struct inode *i, bool is_new, bool deleted)
{
	p->cur_gen = i->generation;
	p->cur_size = i->size;
	p->cur_mode = i->mode;
	p->cur_flags = i->flags;
	if (!deleted)
		p->cur_rdev = i->rdev;
	p->cur_new = is_new;
	p->cur_deleted = deleted;
}

/* Rule 2: the number belongs to another file now. */
static int replace_inode(struct send_plan *p, const struct inode *now, const struct inode *before)
{
	int ret = 0;

	if (before->nlink) {
		be_at(p, before, false, true);
		ret = plan_all_refs(p, DIFF_DELETED);
	}
	if (ret || !now->nlink)
		return ret;
	be_at(p, now, true, false);
	ret = plan_create_inode(p);
	if (!ret)
		ret = plan_all_refs(p, DIFF_NEW);
	if (ret)
		return ret;
	p->progress = p->cur_ino + 1;
	ret = plan_all_extents(p);
	return ret ? ret : plan_all_xattrs(p);
}

static int decode_side(const struct diff_side *s, struct inode *out)
{
	return inode_decode(s->key.objectid, leaf_data(s->node[0], s->slot[0]),
			    leaf_size(s->node[0], s->slot[0]), out);
}

static int inode_item(struct send_plan *p, enum diff_kind kind)
{
	struct inode now = {0}, before = {0};
	int ret = 0;

	p->cur_ino = p->cmp_key.objectid;
	p->cur_new_gen = false;
	p->cur_verity = false;
	p->last_extent = UINT64_MAX;
	p->next_write_offset = 0;
	p->cur_ignored = false;
	path_clear(&p->cur_path);
	p->progress = p->cur_ino;
	p->inodes_done++;

	if (kind != DIFF_DELETED)
		ret = decode_side(&p->diff.left, &now);
	if (!ret && kind != DIFF_NEW)
		ret = decode_side(&p->diff.right, &before);
	if (ret)
		return ret;
	switch (kind) {
	case DIFF_NEW:
		if (!now.nlink) {
			p->cur_ignored = true;
			return 0;
		}
		be_at(p, &now, true, false);
		return p->cur_ino == FIRST_FREE_OBJECTID ? 0 : plan_create_inode(p);
	case DIFF_DELETED:
		be_at(p, &before, false, true);
		return 0;
	default:
		if (!now.nlink && !before.nlink) {
			p->cur_ignored = true;
			return 0;
		}
		/* The top directory is never another one. */
		p->cur_new_gen = !now.nlink || !before.nlink ||
				 (now.generation != before.generation &&
				  p->cur_ino != FIRST_FREE_OBJECTID);
		if (p->cur_new_gen)
			return replace_inode(p, &now, &before);
		be_at(p, &now, false, false);
		return 0;
	}
}

static int inconsistent(const struct send_plan *p)
{
	char key[KEY_TEXT_MAX];

	return error_set(EIO, "item %s has changed but its inode has not",
			 key_text(&p->cmp_key, key));
}

static struct extent_at left_extent(const struct send_plan *p)
{
	const struct diff_side *s = &p->diff.left;

	return (struct extent_at){.leaf = s->node[0], .slot = s->slot[0], .key = s->key};
}

static int inode_part(struct send_plan *p, enum diff_kind kind)
{
	const bool here = p->cur_ino == p->cmp_key.objectid;
	const bool skip = p->cur_new_gen || p->cur_deleted;
	struct extent_at at;

	switch (p->cmp_key.type) {
	case KEY_INODE_REF:
	case KEY_INODE_EXTREF:
		if (!here)
			return inconsistent(p);
		if (p->cur_new_gen || p->cur_ino == FIRST_FREE_OBJECTID)
			return 0;
		return plan_ref_item(p, kind);
	case KEY_XATTR_ITEM:
		if (!here)
			return inconsistent(p);
		return skip ? 0 : plan_xattr(p, kind);
	case KEY_EXTENT_DATA:
		/* Relocation and deduplication change extents without changing inodes. */
		if (!here || skip || kind == DIFF_DELETED)
			return 0;
		at = left_extent(p);
		return plan_extent(p, &at);
	case KEY_VERITY_DESC_ITEM:
		if (here && !skip && kind == DIFF_NEW && !p->cmp_key.offset)
			p->cur_verity = true;
		return 0;
	default:
		return 0;
	}
}

static int walk_item(struct send_plan *p, enum diff_kind kind)
{
	const struct key key = kind == DIFF_DELETED ? p->diff.right.key : p->diff.left.key;
	int ret;

	/* A full send begins at the top directory. */
	if (!p->parent && key.objectid < FIRST_FREE_OBJECTID)
		return 0;
	if (kind == DIFF_SAME) {
		struct extent_at at;

		switch (key.type) {
		case KEY_INODE_REF:
		case KEY_INODE_EXTREF:
			ret = plan_ref_dir_changed(p);
			if (ret <= 0)
				return ret;
			kind = DIFF_CHANGED;
			break;
		case KEY_EXTENT_DATA:
			at = left_extent(p);
			return plan_hole_before(p, &at);
		default:
			return 0;
		}
	}
	p->cmp_key = key;
	ret = finish_inode(p, false);
	if (ret || key.objectid == FREE_INO_OBJECTID || key.objectid == FREE_SPACE_OBJECTID)
		return ret;
	if (key.type == KEY_INODE_ITEM)
		return inode_item(p, kind);
	return p->cur_ignored ? 0 : inode_part(p, kind);
}

static int finish_stream(struct send_plan *p)
{
	struct encoder c;
	int ret = plan_flush_dir_utimes(p, true);

	if (!ret)
		ret = plan_moves_check_done(p);
	if (ret || p->options.omit_end)
		return ret;
	plan_begin(p, &c, STREAM_C_END);
	return plan_end(p, &c);
}

static int step(struct send_plan *p)
{
	enum diff_kind kind;
	int ret;

	switch (p->stage) {
	case PLAN_BEGIN:
		ret = begin_stream(p);
		if (!ret)
			p->stage = PLAN_WALK;
		break;
	case PLAN_WALK:
		ret = tree_diff_next(&p->diff, &kind);
		if (ret > 0) {
			ret = walk_item(p, kind);
		} else if (!ret) {
			ret = finish_inode(p, true);
			p->stage = PLAN_FINISH;
		}
		break;
	case PLAN_FINISH:
		ret = finish_stream(p);
		p->stage = PLAN_DONE;
		break;
	default:
		return 0;
	}
	if (ret && p->cur_ino)
		error_wrap(ret, "inode %" PRIu64, p->cur_ino);
	return ret ? ret : p->stage != PLAN_DONE;
}

int send_plan_step(struct send_plan *p, struct batch *b)
{
	int ret;

	p->batch = b;
	ret = step(p);
	p->batch = NULL;
	return ret;
}
