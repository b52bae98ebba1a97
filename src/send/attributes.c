/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owner, mode, flags, times, size and extended attributes.
 *
 * Rules
 *  1. security.capability goes out last, behind chown: changing the owner would drop it.
 *  2. The times of a directory are put off while things happen in it, in a cache of 64 that is used as
 *     an LRU: the one that has been quiet for longest goes out first when an inode is finished, the
 *     rest at the end of the stream, most recent first.  (Since Linux 6.3.)
 *  3. An empty POSIX ACL is stored without a value but cannot be set so: it goes out as a header without
 *     entries.
 */
#include "send/attributes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "format/checksum.h"
#include "send/extents.h"
#include "send/moves.h"
#include "send/names.h"
#include "send/verity.h"

#define XATTR_CAPS "security.capability"
#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"
#define ACL_XATTR_VERSION 2

/* The kernel compares only as many bytes as the name has, so a name that is the start of one of ours
 * counts as it. */
static bool named(const struct dir_entry *e, const char *name)
{
	size_t len = strlen(name);

	return e->name_len <= len && !memcmp(e->name, name, e->name_len);
}

static int set_xattr(struct send_plan *p, const char *name, u16 name_len, const void *data,
		     size_t data_len)
{
	struct encoder c;
	int ret = plan_begin_here(p, &c, STREAM_C_SET_XATTR);

	if (ret)
		return ret;
	encoder_put(&c, STREAM_A_XATTR_NAME, name, name_len);
	encoder_put(&c, STREAM_A_XATTR_DATA, data, data_len);
	return plan_end(p, &c);
}

static int new_xattr(struct send_plan *p, const struct dir_entry *e)
{
	le32 empty_acl = le32_of(ACL_XATTR_VERSION);

	if (named(e, XATTR_CAPS))
		return 0;
	if (!e->data_len && (named(e, XATTR_ACL_ACCESS) || named(e, XATTR_ACL_DEFAULT)))
		return set_xattr(p, e->name, e->name_len, &empty_acl, sizeof(empty_acl));
	return set_xattr(p, e->name, e->name_len, e->data, e->data_len);
}

static int remove_xattr(struct send_plan *p, const struct dir_entry *e)
{
	struct encoder c;
	int ret = plan_begin_here(p, &c, STREAM_C_REMOVE_XATTR);

	if (ret)
		return ret;
	encoder_put(&c, STREAM_A_XATTR_NAME, e->name, e->name_len);
	return plan_end(p, &c);
}

/* One XATTR_ITEM; names whose hashes are equal lie in it together. */
struct xattr_item {
	struct key key;
	const void *data;
	u32 size;
};

static struct xattr_item item_of(const struct diff_side *s)
{
	return (struct xattr_item){s->key, leaf_data(s->node[0], s->slot[0]),
				   leaf_size(s->node[0], s->slot[0])};
}

/* 1 with the entry called as @like, 0, or an error. */
static int find_in_item(const struct xattr_item *item, const struct dir_entry *like,
			struct dir_entry *out)
{
	u32 pos = 0;
	int ret;

	while ((ret = dir_entry_next(&item->key, item->data, item->size, &pos, out)) > 0)
		if (out->name_len == like->name_len && !memcmp(out->name, like->name, like->name_len))
			return 1;
	return ret;
}

static int each_new(struct send_plan *p, const struct xattr_item *item)
{
	struct dir_entry e;
	u32 pos = 0;
	int ret, step;

	while ((step = dir_entry_next(&item->key, item->data, item->size, &pos, &e)) > 0) {
		ret = new_xattr(p, &e);
		if (ret)
			return ret;
	}
	return step;
}

/* Entries of @now that @before has not, or has with another value. */
static int each_changed(struct send_plan *p, const struct xattr_item *now,
			const struct xattr_item *before)
{
	struct dir_entry e, old;
	u32 pos = 0;
	int ret, step;

	while ((step = dir_entry_next(&now->key, now->data, now->size, &pos, &e)) > 0) {
		ret = find_in_item(before, &e, &old);
		if (ret < 0)
			return ret;
		if (ret && old.data_len == e.data_len && !memcmp(old.data, e.data, e.data_len))
			continue;
		ret = new_xattr(p, &e);
		if (ret)
			return ret;
	}
	return step;
}

/* Entries of @before that are not in @now (NULL: in none). */
static int each_removed(struct send_plan *p, const struct xattr_item *before,
			const struct xattr_item *now)
{
	struct dir_entry e, still;
	u32 pos = 0;
	int ret, step;

	while ((step = dir_entry_next(&before->key, before->data, before->size, &pos, &e)) > 0) {
		ret = now ? find_in_item(now, &e, &still) : 0;
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		ret = remove_xattr(p, &e);
		if (ret)
			return ret;
	}
	return step;
}

int plan_xattr(struct send_plan *p, enum diff_kind kind)
{
	struct xattr_item now = {0}, before = {0};
	int ret;

	if (kind != DIFF_DELETED)
		now = item_of(&p->diff.left);
	if (kind != DIFF_NEW)
		before = item_of(&p->diff.right);
	switch (kind) {
	case DIFF_NEW:
		return each_new(p, &now);
	case DIFF_DELETED:
		return each_removed(p, &before, NULL);
	default:
		ret = each_changed(p, &now, &before);
		return ret ? ret : each_removed(p, &before, &now);
	}
}

int plan_all_xattrs(struct send_plan *p)
{
	struct cursor *c = &p->send.walk;
	int ret = plan_first(c, p->cur_ino, KEY_XATTR_ITEM, 0);

	for (; ret > 0; ret = plan_next(c, p->cur_ino, KEY_XATTR_ITEM)) {
		struct xattr_item item = {cursor_key(c), cursor_data(c), cursor_size(c)};
		int err = each_new(p, &item);

		if (err)
			return err;
	}
	return ret;
}

static int send_capabilities(struct send_plan *p)
{
	struct key k = key_of(p->cur_ino, KEY_XATTR_ITEM, name_hash(XATTR_CAPS, strlen(XATTR_CAPS)));
	struct cursor *c = &p->send.xattrs;
	int ret = cursor_seek(c, &k);

	if (ret)
		return ret < 0 ? ret : 0;

	const struct xattr_item item = {k, cursor_data(c), cursor_size(c)};
	const struct dir_entry like = {.name = XATTR_CAPS, .name_len = strlen(XATTR_CAPS)};
	struct dir_entry e;

	ret = find_in_item(&item, &like, &e);
	return ret > 0 ? set_xattr(p, e.name, e.name_len, e.data, e.data_len) : ret;
}

/* A command of the current inode's path and one or two numbers. */
static int send_numbers(struct send_plan *p, u16 cmd, u16 attr, u64 v, u16 attr2, u64 v2)
{
	struct encoder c;
	int ret = plan_begin_here(p, &c, cmd);

	if (ret)
		return ret;
	encoder_put_u64(&c, attr, v);
	if (attr2)
		encoder_put_u64(&c, attr2, v2);
	return plan_end(p, &c);
}

int plan_truncate(struct send_plan *p, u64 size)
{
	return send_numbers(p, STREAM_C_TRUNCATE, STREAM_A_SIZE, size, 0, 0);
}

static int send_utimes(struct send_plan *p, u64 ino, u64 gen)
{
	struct path other = {0};
	const struct path *path = &other;
	const struct inode *i;
	struct encoder c;
	int ret = plan_is_current(p, ino, gen) ? plan_current_path(p, &path)
					       : plan_path(p, ino, gen, &other);

	if (!ret)
		ret = plan_inode(&p->send, ino, &i);
	if (!ret && !i)
		ret = plan_missing(&p->send, ino);
	if (!ret) {
		plan_begin(p, &c, STREAM_C_UTIMES);
		plan_put_path(&c, STREAM_A_PATH, path);
		encoder_put_time(&c, STREAM_A_ATIME, i->atime.sec, i->atime.nsec);
		encoder_put_time(&c, STREAM_A_MTIME, i->mtime.sec, i->mtime.nsec);
		encoder_put_time(&c, STREAM_A_CTIME, i->ctime.sec, i->ctime.nsec);
		if (p->options.proto >= 2)
			encoder_put_time(&c, STREAM_A_OTIME, i->otime.sec, i->otime.nsec);
		ret = plan_end(p, &c);
	}
	path_release(&other);
	return ret;
}

int plan_dir_utimes(struct send_plan *p, u64 dir, u64 gen)
{
	if (lru_find(&p->dir_utimes, dir, gen))
		return 0;

	struct lru_entry *e = malloc(sizeof(*e));

	if (!e)
		return error_nomem(sizeof(*e));
	lru_store(&p->dir_utimes, e, dir, gen);
	return 0;
}

int plan_flush_dir_utimes(struct send_plan *p, bool all)
{
	while (lru_count(&p->dir_utimes) > (all ? 0 : DIR_UTIMES_MAX)) {
		struct lru_entry *e = all ? lru_newest(&p->dir_utimes) : lru_oldest(&p->dir_utimes);
		int ret = send_utimes(p, lru_key(e), e->gen);

		if (ret)
			return ret;
		lru_remove(&p->dir_utimes, e);
		free(e);
	}
	return 0;
}

static int send_times(struct send_plan *p)
{
	if (plan_waiting_move(p, p->cur_ino))
		return 0; /* with the move, when it is made */

	int ret = plan_apply_moves(p);

	if (ret)
		return ret;
	p->progress = p->cur_ino + 1;
	if (S_ISDIR(p->cur_mode) && p->cur_size)
		return plan_dir_utimes(p, p->cur_ino, p->cur_gen);
	return send_utimes(p, p->cur_ino, p->cur_gen);
}

int plan_finish_attributes(struct send_plan *p)
{
	bool chown = true, chmod = !S_ISLNK(p->cur_mode), fileattr = false, truncate;
	const struct inode *i;
	struct inode now;
	int ret = plan_inode(&p->send, p->cur_ino, &i);

	if (!ret && !i)
		ret = plan_missing(&p->send, p->cur_ino);
	if (ret)
		return ret;
	now = *i;
	truncate = p->next_write_offset != p->cur_size;
	if (p->parent && !p->cur_new) {
		ret = plan_inode(p->parent, p->cur_ino, &i);
		if (!ret && !i)
			ret = plan_missing(p->parent, p->cur_ino);
		if (ret)
			return ret;
		chown = now.uid != i->uid || now.gid != i->gid;
		fileattr = chmod && now.flags != i->flags;
		chmod = chmod && now.mode != i->mode;
		truncate = p->cur_size != i->size && (p->cur_size < i->size || truncate);
	}
	if (S_ISREG(p->cur_mode)) {
		ret = plan_last_hole(p);
		if (!ret && truncate)
			ret = plan_truncate(p, p->cur_size);
	}
	if (!ret && chown)
		ret = send_numbers(p, STREAM_C_CHOWN, STREAM_A_UID, now.uid, STREAM_A_GID, now.gid);
	if (!ret && chmod)
		ret = send_numbers(p, STREAM_C_CHMOD, STREAM_A_MODE, now.mode & 07777, 0, 0);
	if (!ret && fileattr && p->options.proto >= 2)
		ret = send_numbers(p, STREAM_C_FILEATTR, STREAM_A_FILEATTR, now.flags, 0, 0);
	if (!ret && p->cur_verity && p->options.proto >= 3)
		ret = plan_verity(p);
	if (!ret)
		ret = send_capabilities(p);
	return ret ? ret : send_times(p);
}

void plan_attributes_release(struct send_plan *p)
{
	struct lru_entry *e;

	while ((e = lru_pop(&p->dir_utimes)))
		free(e);
	lru_release(&p->dir_utimes);
}
