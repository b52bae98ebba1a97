/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of a stream: which commands, in which order, how long each.  It follows from metadata alone;
 * file data is never read here.
 *
 * The plan is one thread and deterministic: the same subvolumes give the same commands, and they are
 * the kernel's (Linux 6.18), byte for byte.  Where its choice follows from a cache of a fixed size, the
 * cache is kept here too, with that size.
 *
 * Rooms: plan.c (the walk, inode by inode), names.c (what a name is at this point of the stream),
 * refs.c (links, renames, unlinks of one inode), moves.c (directories that wait for each other),
 * attributes.c (owner, mode, times, xattrs), extents.c (data and holes), clone.c (where data can be cloned
 * from), sources.c (who else refers to an extent, in the kernel's order).
 */
#ifndef BTRFLY_SEND_PLAN_H
#define BTRFLY_SEND_PLAN_H

#include "base/list.h"
#include "base/lru.h"
#include "files/dir.h"
#include "files/inode.h"
#include "files/subvolume.h"
#include "send/batch.h"
#include "send/path.h"
#include "stream/encode.h"
#include "tree/diff.h"

/* Sizes of the kernel's caches. */
#define NAME_CACHE_MAX 256
#define DIR_UTIMES_MAX 64
#define DIR_CREATED_MAX 64

/* One of the trees that the plan looks into, with a cursor for each kind of item, so that each stays
 * where it last was. */
struct plan_root {
	struct subvolume sv;
	struct cursor inodes, names, dirs, extents, xattrs;
	struct cursor walk; /* over one inode's items, while the others look things up */
	struct inode_slot *inode_cache; /* direct-mapped: snapshots do not change */
};

struct plan_options {
	u32 proto; /* 1 to 3 */
	bool no_data;
	bool compressed_data;
	bool omit_header; /* a further stream in the same file */
	bool omit_end;
	bool clone_all; /* no cap on an extent's references */
};

/* A name that the current inode has gained or lost. */
struct ref {
	struct list list;
	struct map_node node; /* new and deleted references: by hash of name and directory */
	struct path full_path;
	u32 name_at; /* the name is the last part of full_path */
	u64 dir, dir_gen;
};

struct send_plan {
	struct filesystem *fs;
	struct plan_options options;
	struct plan_root send;
	struct plan_root *parent; /* NULL for a full send */
	struct clone_sources *sources;

	struct tree_diff diff;
	bool diff_ready;
	struct batch *batch; /* where commands go during a step */

	/* Where the walk stands.  cmp_* is the item at hand, cur_* the inode that it belongs to. */
	enum { PLAN_BEGIN, PLAN_WALK, PLAN_FINISH, PLAN_DONE } stage;
	struct key cmp_key;
	u64 cur_ino, cur_gen, cur_size, cur_rdev;
	u32 cur_mode;
	u64 cur_flags;
	u64 last_extent;       /* end of the last extent seen; UINT64_MAX: not known */
	u64 next_write_offset; /* how far the file has been written at the receiver */
	bool cur_new, cur_new_gen, cur_deleted, cur_ignored, cur_verity;
	u64 progress; /* inodes below have their names as in the send root */
	struct path cur_path; /* empty: not known */

	/* names.c */
	struct lru name_cache;
	struct path scratch; /* one name */
	/* attributes.c */
	struct lru dir_utimes;
	/* refs.c */
	struct lru dirs_created;
	struct list new_refs, deleted_refs;
	struct map new_index, deleted_index;
	/* moves.c */
	struct map pending_moves, waiting_moves, orphan_dirs;

	u64 inodes_done; /* for progress */
};

/* @parent may be NULL.  @clones: @clone_count clone sources, without the send root.  The subvolumes' trees
 * belong to @fs, which must outlive the plan. */
int send_plan_new(struct filesystem *fs, const struct subvolume *send,
		  const struct subvolume *parent, const struct subvolume *clones,
		  size_t clone_count, const struct plan_options *options, struct send_plan **out);
void send_plan_free(struct send_plan *p); /* NULL is fine */

/* Append the next commands to @b: 1 if there may be more, 0 when the stream is complete, or an error.
 * One step handles one item; several steps may fill one batch. */
int send_plan_step(struct send_plan *p, struct batch *b);

/* --- shared by the plan's rooms --- */

int plan_root_init(struct plan_root *r, const struct subvolume *sv);
void plan_root_release(struct plan_root *r);

/* The inode, or NULL if there is none.  The pointer is good until the next few look-ups. */
int plan_inode(struct plan_root *r, u64 ino, const struct inode **out);

/* Generation of an inode: 0, -ENOENT without a sentence, or an error. */
int plan_inode_gen(struct plan_root *r, u64 ino, u64 *gen);

/* "inode 257 is not in subvolume 5": for a missing inode that must be there. */
int plan_missing(const struct plan_root *r, u64 ino);

/* Walk the entries of a tree: on the first item not less than (@objectid, @type, @offset) of @c.
 * 1: on an item of that objectid and type; 0: there is none (more); or an error. */
int plan_first(struct cursor *c, u64 objectid, u8 type, u64 offset);
int plan_next(struct cursor *c, u64 objectid, u8 type);

/* The entry @name of @dir; 1 found, 0 not, or an error. */
int plan_dir_entry(struct plan_root *r, u64 dir, const char *name, u32 len, struct dir_entry *out);

/* Start and end a command in the plan's batch. */
void plan_begin(struct send_plan *p, struct encoder *c, u16 cmd);
int plan_end(struct send_plan *p, struct encoder *c);
int plan_end_data(struct send_plan *p, struct encoder *c, const struct slice *s, u32 data_len);
static inline void plan_put_path(struct encoder *c, u16 attr, const struct path *path)
{
	encoder_put(c, attr, path->buf, path->len);
}

/* A command of paths alone: RENAME, LINK, UNLINK, RMDIR. */
int plan_send_paths(struct send_plan *p, u16 cmd, const struct path *path, u16 attr,
		    const struct path *second);

static inline bool plan_is_current(const struct send_plan *p, u64 ino, u64 gen)
{
	return ino == p->cur_ino && gen == p->cur_gen;
}

#endif
