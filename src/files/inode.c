/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/inode.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "files/dir.h"

struct timestamp timestamp_from_disk(const struct disk_timespec *t)
{
	return (struct timestamp){(s64)le64_get(t->sec), le32_get(t->nsec)};
}

int inode_decode(u64 ino, const void *item, u32 size, struct inode *out)
{
	const struct inode_item *i = item;

	if (size < sizeof(*i))
		return error_set(EIO, "inode %" PRIu64 ": inode item of %u bytes, not %zu", ino, size,
				 sizeof(*i));
	*out = (struct inode){
		.ino = ino,
		.generation = le64_get(i->generation),
		.transid = le64_get(i->transid),
		.size = le64_get(i->size),
		.nbytes = le64_get(i->nbytes),
		.nlink = le32_get(i->nlink),
		.uid = le32_get(i->uid),
		.gid = le32_get(i->gid),
		.mode = le32_get(i->mode),
		.rdev = le64_get(i->rdev),
		.flags = le64_get(i->flags),
		.atime = timestamp_from_disk(&i->atime),
		.ctime = timestamp_from_disk(&i->ctime),
		.mtime = timestamp_from_disk(&i->mtime),
		.otime = timestamp_from_disk(&i->otime),
	};
	return 0;
}

int inode_read(struct cursor *c, u64 ino, struct inode *out)
{
	struct key key = key_of(ino, KEY_INODE_ITEM, 0);
	int ret = cursor_seek(c, &key);

	if (ret < 0)
		return ret;
	if (ret)
		return -ENOENT;
	return inode_decode(ino, cursor_data(c), cursor_size(c), out);
}

int inode_name_next(const struct key *key, const void *item, u32 size, u32 *pos,
		    struct inode_name *out)
{
	const u8 *at = (const u8 *)item + *pos;
	u32 left = size - *pos, head;
	char text[KEY_TEXT_MAX];

	if (!left)
		return 0;
	if (key->type == KEY_INODE_REF) {
		const struct inode_ref *ref = (const void *)at;

		head = sizeof(*ref);
		if (left < head)
			goto damaged;
		out->parent = key->offset;
		out->index = le64_get(ref->index);
		out->name_len = le16_get(ref->name_len);
	} else {
		const struct inode_extref *ref = (const void *)at;

		head = sizeof(*ref);
		if (left < head)
			goto damaged;
		out->parent = le64_get(ref->parent_objectid);
		out->index = le64_get(ref->index);
		out->name_len = le16_get(ref->name_len);
	}
	if (out->name_len > left - head)
		goto damaged;
	out->name = (const char *)at + head;
	if (!name_is_valid(out->name, out->name_len)) {
		bool root = out->parent == key->objectid && out->name_len == 2 &&
			    !memcmp(out->name, "..", 2);

		if (!root)
			return error_set(EIO, "%s: invalid name at %u", key_text(key, text), *pos + head);
	}
	*pos += head + out->name_len;
	return 1;

damaged:
	return error_set(EIO, "%s: the name at %u does not end within %u bytes", key_text(key, text),
			 *pos, size);
}

int inode_first_name(struct cursor *c, u64 ino, struct inode_name *out)
{
	struct key key = key_of(ino, KEY_INODE_REF, 0);
	u32 pos = 0;
	int ret = cursor_seek(c, &key);

	if (ret < 0)
		return ret;
	if (!cursor_at_end(c)) {
		key = cursor_key(c);
		if (key.objectid == ino && (key.type == KEY_INODE_REF || key.type == KEY_INODE_EXTREF))
			ret = inode_name_next(&key, cursor_data(c), cursor_size(c), &pos, out);
		if (ret < 0)
			return ret;
	}
	if (!pos)
		return error_set(EIO, "inode %" PRIu64 " has no name", ino);
	return 0;
}
