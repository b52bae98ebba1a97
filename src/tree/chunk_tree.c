/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree/chunk_tree.h"

#include "base/error.h"

static int load_item(struct volume *v, const struct cursor *c)
{
	struct key k = cursor_key(c);

	if (k.type == KEY_DEV_ITEM)
		return volume_add_device(v, cursor_data(c), cursor_size(c));
	if (k.type == KEY_CHUNK_ITEM)
		return volume_add_chunk(v, k.offset, cursor_data(c), cursor_size(c));
	return 0;
}

int chunk_tree_load(const struct tree *t)
{
	struct volume *v = extent_cache_volume(t->cache);
	struct key start = key_of(0, 0, 0);
	struct cursor c;
	int ret;

	cursor_init(&c, t);
	ret = cursor_seek(&c, &start);
	while (ret >= 0 && !cursor_at_end(&c)) {
		ret = load_item(v, &c);
		if (!ret)
			ret = cursor_next(&c);
	}
	cursor_release(&c);
	if (ret >= 0)
		ret = volume_complete(v);
	return ret < 0 ? error_wrap(ret, "chunk tree") : 0;
}
