/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/root_note.h"

#include <errno.h>

#include "receive/entry.h"

static void note(struct root_note *n, enum root_part part, bool from_parent)
{
	const u8 bit = (u8)(1u << part);

	n->noted |= bit;
	n->from_parent = (u8)(from_parent ? n->from_parent | bit : n->from_parent & ~bit);
}

void root_note_set_owner(struct root_note *n, u64 uid, u64 gid, bool from_parent)
{
	note(n, ROOT_OWNER, from_parent);
	n->uid = uid;
	n->gid = gid;
}

void root_note_set_mode(struct root_note *n, u32 mode, bool from_parent)
{
	note(n, ROOT_MODE, from_parent);
	n->mode = mode & 07777;
	n->access_last = false;
}

int root_note_set_access(struct root_note *n, const void *list, size_t len, bool from_parent)
{
	buffer_clear(&n->access);

	int ret = buffer_append(&n->access, list, len);

	if (ret)
		return ret;
	note(n, ROOT_ACCESS, from_parent);
	n->access_last = true;
	return 0;
}

int root_note_write_part(const struct root_note *n, enum root_part part, struct buffer *out)
{
	static const enum entry_type types[] = {ENTRY_ROOT_OWNER, ENTRY_ROOT_MODE, ENTRY_ROOT_ACCESS};
	struct entry_writer w;

	entry_begin(&w, out, types[part]);
	entry_put_u8(&w, root_note_inherits(n, part));
	switch (part) {
	case ROOT_OWNER:
		entry_put_u64(&w, n->uid);
		entry_put_u64(&w, n->gid);
		break;
	case ROOT_MODE:
		entry_put_u32(&w, n->mode);
		break;
	case ROOT_ACCESS:
		entry_put(&w, n->access.data, n->access.len);
	}
	return entry_end(&w);
}

int root_note_write(const struct root_note *n, struct buffer *out)
{
	const enum root_part order[] = {ROOT_OWNER, n->access_last ? ROOT_MODE : ROOT_ACCESS,
					n->access_last ? ROOT_ACCESS : ROOT_MODE};
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(order); i++)
		if (root_note_has(n, order[i]))
			ret = root_note_write_part(n, order[i], out);
	return ret;
}

int root_note_read(struct root_note *n, enum root_part part, struct entry *e)
{
	bool from_parent = entry_u8(e);
	u64 uid, gid;
	u32 mode;
	const char *list;
	size_t len;

	switch (part) {
	case ROOT_OWNER:
		uid = entry_u64(e);
		gid = entry_u64(e);
		root_note_set_owner(n, uid, gid, from_parent);
		return 0;
	case ROOT_MODE:
		mode = entry_u32(e);
		root_note_set_mode(n, mode, from_parent);
		return 0;
	case ROOT_ACCESS:
		list = entry_rest(e, &len);
		return root_note_set_access(n, list, len, from_parent);
	}
	return -EINVAL;
}

void root_note_release(struct root_note *n)
{
	buffer_release(&n->access);
	*n = (struct root_note){0};
}
