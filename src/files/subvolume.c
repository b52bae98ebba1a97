/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/subvolume.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "files/dir.h"
#include "files/location.h"

static void decode_root_item(const struct root_item *item, u32 size, struct subvolume *out)
{
	out->root_dirid = le64_get(item->root_dirid);
	out->generation = le64_get(item->generation);
	out->last_snapshot = le64_get(item->last_snapshot);
	out->flags = le64_get(item->flags);
	out->refs = le32_get(item->refs);
	/* A kernel that did not know of the rest changed generation but not generation_v2. */
	if (size < sizeof(*item) || le64_get(item->generation_v2) != out->generation)
		return;
	memcpy(out->uuid, item->uuid, UUID_SIZE);
	memcpy(out->parent_uuid, item->parent_uuid, UUID_SIZE);
	memcpy(out->received_uuid, item->received_uuid, UUID_SIZE);
	out->ctransid = le64_get(item->ctransid);
	out->otransid = le64_get(item->otransid);
	out->stransid = le64_get(item->stransid);
	out->rtransid = le64_get(item->rtransid);
	out->ctime = timestamp_from_disk(&item->ctime);
	out->otime = timestamp_from_disk(&item->otime);
	out->stime = timestamp_from_disk(&item->stime);
	out->rtime = timestamp_from_disk(&item->rtime);
}

/* Where in which parent the subvolume hangs; not having a place is no error. */
static int read_backref(struct cursor *c, struct subvolume *s)
{
	struct key key = key_of(s->id, KEY_ROOT_BACKREF, 0);
	char text[KEY_TEXT_MAX];
	int ret = cursor_seek(c, &key);

	if (ret < 0 || cursor_at_end(c))
		return ret < 0 ? ret : 0;
	key = cursor_key(c);
	if (key.objectid != s->id || key.type != KEY_ROOT_BACKREF)
		return 0;

	const struct root_ref *ref = cursor_data(c);
	u32 size = cursor_size(c);
	const char *name = (const char *)(ref + 1);

	if (size < sizeof(*ref) || le16_get(ref->name_len) != size - sizeof(*ref) ||
	    !name_is_valid(name, size - sizeof(*ref)))
		return error_set(EIO, "%s: damaged name of a subvolume", key_text(&key, text));
	s->parent_id = key.offset;
	s->dirid = le64_get(ref->dirid);
	memcpy(s->name, name, size - sizeof(*ref));
	return 0;
}

int subvolume_get(struct filesystem *fs, u64 id, struct subvolume *out)
{
	struct key key = key_of(id, KEY_ROOT_ITEM, (u64)-1);
	struct cursor c;
	int ret;

	*out = (struct subvolume){.id = id};
	if (!is_subvolume_id(id))
		return error_set(ENOENT, "%" PRIu64 " is not the id of a subvolume", id);
	ret = filesystem_tree(fs, id, &out->tree);
	if (ret == -ENOENT)
		return error_set(ENOENT, "no subvolume has the id %" PRIu64, id);
	if (ret)
		return error_wrap(ret, "subvolume %" PRIu64, id);

	cursor_init(&c, &fs->root_tree);
	/* The very item that the tree was found by. */
	ret = cursor_seek_before(&c, &key);
	if (ret < 0)
		goto out;
	out->root_offset = cursor_key(&c).offset;
	decode_root_item(cursor_data(&c), cursor_size(&c), out);
	if (!out->refs) {
		ret = error_set(ENOENT, "subvolume %" PRIu64 " is deleted and waits to be cleaned up",
				id);
		goto out;
	}
	ret = read_backref(&c, out);
	if (ret)
		error_wrap(ret, "subvolume %" PRIu64, id);
out:
	cursor_release(&c);
	return ret;
}

static bool is_number(const char *word, u64 *out)
{
	u64 n = 0;

	for (const char *p = word; *p; p++)
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (u64)(*p - '0'), &n))
			return false;
	*out = n;
	return *word;
}

int subvolume_find(struct filesystem *fs, const char *word, struct subvolume *out)
{
	struct location at;
	u64 id;
	int ret = location_find(fs, word, &at);

	if (ret == -ENOENT && is_number(word, &id))
		return subvolume_get(fs, id, out);
	if (ret)
		return ret;
	if (at.ino != at.subvolume.root_dirid)
		return error_set(EINVAL, "%s is not a subvolume", word);
	*out = at.subvolume;
	return 0;
}

/* Paths are collected from the end, back to front, and turned round when they are whole. */
static int push_name(struct buffer *b, const char *name, size_t len)
{
	int ret = buffer_reserve(b, len + 1);

	if (ret)
		return ret;
	if (b->len + len >= PATH_LENGTH_MAX)
		return error_set(EIO, "directories contain each other, or a path is longer than %u bytes",
				 PATH_LENGTH_MAX);
	if (b->len)
		b->data[b->len++] = '/';
	while (len)
		b->data[b->len++] = (u8)name[--len];
	return 0;
}

static int push_directories(struct buffer *b, const struct subvolume *in, u64 dir)
{
	struct inode_name name;
	struct cursor c;
	int ret = 0;

	cursor_init(&c, &in->tree);
	while (!ret && dir != in->root_dirid) {
		ret = inode_first_name(&c, dir, &name);
		if (!ret)
			ret = push_name(b, name.name, name.name_len);
		dir = name.parent;
	}
	cursor_release(&c);
	return ret;
}

int subvolume_path(struct filesystem *fs, const struct subvolume *s, struct buffer *out)
{
	struct subvolume child = *s, parent;
	int ret = 0;

	buffer_clear(out);
	while (!ret && child.id != FS_TREE_OBJECTID) {
		if (!child.parent_id) {
			ret = error_set(EIO, "subvolume %" PRIu64 " has no name", child.id);
			break;
		}
		ret = subvolume_get(fs, child.parent_id, &parent);
		if (!ret)
			ret = push_name(out, child.name, strlen(child.name));
		if (!ret)
			ret = push_directories(out, &parent, child.dirid);
		child = parent;
	}
	if (!ret)
		ret = buffer_reserve(out, 1);
	if (ret)
		return error_wrap(ret, "path of subvolume %" PRIu64, s->id);
	for (size_t i = 0, k = out->len; i + 1 < k; i++) {
		u8 byte = out->data[i];

		out->data[i] = out->data[--k];
		out->data[k] = byte;
	}
	out->data[out->len] = '\0';
	return 0;
}

/* Step to the next subvolume behind @id: 0 with the new @id, 1 when there are no more, or an error. */
static int next_id(struct cursor *c, u64 *id)
{
	struct key key = key_of(*id + 1, KEY_ROOT_ITEM, 0);
	int ret = cursor_seek(c, &key);

	while (ret >= 0 && !cursor_at_end(c)) {
		key = cursor_key(c);
		if (key.objectid > LAST_FREE_OBJECTID)
			break;
		*id = key.objectid;
		if (key.type == KEY_ROOT_ITEM)
			return 0;
		/* Other items of this id, or those of a later one before its root item. */
		key = key.type < KEY_ROOT_ITEM ? key_of(key.objectid, KEY_ROOT_ITEM, 0)
					       : key_of(key.objectid + 1, KEY_ROOT_ITEM, 0);
		ret = cursor_seek(c, &key);
	}
	return ret < 0 ? ret : 1;
}

int subvolume_each(struct filesystem *fs,
		   int (*each)(const struct subvolume *s, const char *path, void *arg), void *arg)
{
	struct buffer path = {0};
	struct subvolume s;
	struct cursor c;
	u64 id = FIRST_FREE_OBJECTID - 1;
	int ret;

	cursor_init(&c, &fs->root_tree);
	while (!(ret = next_id(&c, &id))) {
		ret = subvolume_get(fs, id, &s);
		if (ret == -ENOENT)
			continue;
		if (!ret)
			ret = subvolume_path(fs, &s, &path);
		if (!ret)
			ret = each(&s, (const char *)path.data, arg);
		if (ret)
			goto out;
	}
	ret = ret < 0 ? ret : 0;
out:
	cursor_release(&c);
	buffer_release(&path);
	return ret;
}
