/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/dir.h"

#include <string.h>

#include "base/error.h"
#include "format/checksum.h"

bool name_is_valid(const char *name, size_t len)
{
	if (len < 1 || len > NAME_LEN_MAX || memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return name[0] != '.' || len > 2 || (len == 2 && name[1] != '.');
}

/* What is wrong with an entry that lies within its item; NULL: nothing. */
static const char *entry_fault(const struct key *key, const struct dir_entry *e)
{
	if (key->type == KEY_XATTR_ITEM) {
		if (e->type != FT_XATTR)
			return "not an extended attribute";
		if (e->name_len < 1 || e->name_len > NAME_LEN_MAX || memchr(e->name, '\0', e->name_len))
			return "invalid name";
		return NULL;
	}
	if (e->type == FT_UNKNOWN || e->type == FT_XATTR)
		return "not a directory entry";
	if (e->data_len)
		return "data behind a name";
	if (!name_is_valid(e->name, e->name_len))
		return "invalid name";
	return NULL;
}

int dir_entry_next(const struct key *key, const void *item, u32 size, u32 *pos,
		   struct dir_entry *out)
{
	const struct dir_item *d = (const void *)((const u8 *)item + *pos);
	u32 left = size - *pos;
	char text[KEY_TEXT_MAX];

	if (!left)
		return 0;
	if (left < sizeof(*d) ||
	    (u32)le16_get(d->name_len) + le16_get(d->data_len) > left - sizeof(*d))
		return error_set(EIO, "%s: the entry at %u does not end within %u bytes",
				 key_text(key, text), *pos, size);
	*out = (struct dir_entry){
		.location = key_from_disk(&d->location),
		.transid = le64_get(d->transid),
		.name = (const char *)(d + 1),
		.name_len = le16_get(d->name_len),
		.data = (const u8 *)(d + 1) + le16_get(d->name_len),
		.data_len = le16_get(d->data_len),
		.type = d->type,
	};
	if (out->type >= FT_MAX)
		return error_set(EOPNOTSUPP, "%s: unknown type %u of the entry at %u",
				 key_text(key, text), out->type, *pos);

	const char *fault = entry_fault(key, out);

	if (fault)
		return error_set(EIO, "%s: entry at %u: %s", key_text(key, text), *pos, fault);
	*pos += (u32)sizeof(*d) + out->name_len + out->data_len;
	return 1;
}

int dir_lookup(struct cursor *c, u64 dir, const char *name, u16 name_len, struct dir_entry *out)
{
	struct key key = key_of(dir, KEY_DIR_ITEM, name_hash(name, name_len));
	u32 pos = 0;
	int ret = cursor_seek(c, &key);

	if (ret < 0)
		return ret;
	if (ret)
		return -ENOENT;
	while ((ret = dir_entry_next(&key, cursor_data(c), cursor_size(c), &pos, out)) > 0)
		if (out->name_len == name_len && !memcmp(out->name, name, name_len))
			return 0;
	return ret ? ret : -ENOENT;
}

int dir_next(struct cursor *c, u64 dir, u64 *index, struct dir_entry *out)
{
	struct key key = key_of(dir, KEY_DIR_INDEX, *index);
	char text[KEY_TEXT_MAX];
	u32 pos = 0;
	int ret = cursor_seek(c, &key);

	if (ret < 0 || cursor_at_end(c))
		return ret < 0 ? ret : 0;
	key = cursor_key(c);
	if (key.objectid != dir || key.type != KEY_DIR_INDEX)
		return 0;
	ret = dir_entry_next(&key, cursor_data(c), cursor_size(c), &pos, out);
	if (!ret || key.offset == UINT64_MAX)
		return error_set(EIO, "%s: damaged entry", key_text(&key, text));
	*index = key.offset + 1;
	return ret;
}
