/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/filesystem.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "format/inode.h"
#include "tree/chunk_tree.h"

#define MEMORY_DEFAULT (256u << 20)
/* A sixteenth of the memory is for data on its way from block devices, but some frames' worth of it. */
#define READ_AHEAD_MIN (4u << 20)

/* A tree without which most of the others can still be read. */
static int open_optional(struct filesystem *fs, u64 objectid, struct tree *out)
{
	int ret = filesystem_tree(fs, objectid, out);

	if (ret == -ENOENT) {
		*out = (struct tree){.cache = fs->cache, .objectid = objectid};
		ret = 0;
	}
	return ret;
}

static int open_trees(struct filesystem *fs)
{
	const struct volume_facts *f = fs->facts;
	int ret;

	fs->chunk_tree = (struct tree){
		.cache = fs->cache,
		.objectid = CHUNK_TREE_OBJECTID,
		.logical = f->chunk_root,
		.generation = f->chunk_root_generation,
		.level = f->chunk_root_level,
	};
	fs->root_tree = (struct tree){
		.cache = fs->cache,
		.objectid = ROOT_TREE_OBJECTID,
		.logical = f->root,
		.generation = f->generation,
		.level = f->root_level,
	};
	ret = chunk_tree_load(&fs->chunk_tree);
	if (!ret)
		ret = open_optional(fs, EXTENT_TREE_OBJECTID, &fs->extent_tree);
	if (!ret)
		ret = open_optional(fs, CSUM_TREE_OBJECTID, &fs->csum_tree);
	return ret;
}

int filesystem_open(const char *const *paths, size_t count, const struct filesystem_options *options,
		    struct filesystem **out)
{
	size_t memory = options && options->memory ? options->memory : MEMORY_DEFAULT;
	struct filesystem *fs = calloc(1, sizeof(*fs));
	int ret;

	if (!fs)
		return error_nomem(sizeof(*fs));
	ret = volume_open_paths(paths, count, &fs->volume);
	if (ret)
		goto out;
	fs->facts = volume_facts(fs->volume);
	fs->memory = memory;
	ret = extent_cache_new(fs->volume, memory / 2, &fs->cache);
	if (ret)
		goto out;
	ret = open_trees(fs);
	if (ret)
		error_wrap(ret, "%s", paths[0]);
	else
		volume_read_ahead(fs->volume, max_u64(memory / 16, READ_AHEAD_MIN));
out:
	if (ret) {
		filesystem_free(fs);
		return ret;
	}
	*out = fs;
	return 0;
}

void filesystem_free(struct filesystem *fs)
{
	if (!fs)
		return;
	extent_cache_free(fs->cache);
	volume_free(fs->volume);
	free(fs);
}

static int decode_root(const struct filesystem *fs, const struct cursor *c, struct tree *out)
{
	const struct root_item *item = cursor_data(c);
	u64 logical;

	if (cursor_size(c) < ROOT_ITEM_SIZE_V0)
		return error_set(EIO, "only %u bytes", cursor_size(c));
	logical = le64_get(item->bytenr);
	if (!logical || logical % fs->facts->sectorsize)
		return error_set(EIO, "root at logical %" PRIu64, logical);
	if (item->level >= LEVEL_MAX)
		return error_set(EIO, "root has level %u", item->level);
	*out = (struct tree){
		.cache = fs->cache,
		.objectid = cursor_key(c).objectid,
		.logical = logical,
		.generation = le64_get(item->generation),
		.level = item->level,
	};
	return 0;
}

int filesystem_tree(struct filesystem *fs, u64 objectid, struct tree *out)
{
	/* A snapshot's root item has the generation of its making as offset, the others 0. */
	struct key last = key_of(objectid, KEY_ROOT_ITEM, (u64)-1), k;
	char text[KEY_TEXT_MAX];
	struct cursor c;
	int ret;

	cursor_init(&c, &fs->root_tree);
	ret = cursor_seek_before(&c, &last);
	if (ret < 0)
		goto out;
	if (!cursor_at_end(&c))
		k = cursor_key(&c);
	if (cursor_at_end(&c) || k.objectid != objectid || k.type != KEY_ROOT_ITEM) {
		ret = error_set(ENOENT, "tree %" PRIu64 " does not exist", objectid);
		goto out;
	}
	ret = decode_root(fs, &c, out);
	if (ret)
		error_wrap(ret, "root item %s", key_text(&k, text));
out:
	cursor_release(&c);
	return ret;
}
