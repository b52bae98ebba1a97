/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariant: while count is not 0 the cursor stands on the item that the finder describes, and so keeps
 * its leaf alive.
 */
#include "files/csum.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/error.h"

void csum_finder_init(struct csum_finder *f, struct filesystem *fs)
{
	*f = (struct csum_finder){.fs = fs};
	cursor_init(&f->cursor, &fs->csum_tree);
}

void csum_finder_release(struct csum_finder *f)
{
	cursor_release(&f->cursor);
	f->count = 0;
}

/* Take the item under the cursor, if it is one of checksums. */
static int take_item(struct csum_finder *f)
{
	const struct volume_facts *facts = f->fs->facts;
	struct key key;
	char text[KEY_TEXT_MAX];
	u64 end;

	f->count = 0;
	if (cursor_at_end(&f->cursor))
		return 0;
	key = cursor_key(&f->cursor);
	if (key.objectid != EXTENT_CSUM_OBJECTID || key.type != KEY_EXTENT_CSUM)
		return 0;

	u64 count = cursor_size(&f->cursor) / facts->csum_size;

	if (key.offset % facts->sectorsize || cursor_size(&f->cursor) % facts->csum_size ||
	    !add_ok(key.offset, count * facts->sectorsize, &end))
		return error_set(EIO, "csum tree: damaged item %s of %u bytes", key_text(&key, text),
				 cursor_size(&f->cursor));
	f->logical = key.offset;
	f->sums = cursor_data(&f->cursor);
	f->count = count;
	return 0;
}

static bool holds(const struct csum_finder *f, u64 logical)
{
	return logical >= f->logical && (logical - f->logical) / f->fs->facts->sectorsize < f->count;
}

int csum_find(struct csum_finder *f, u64 logical, const u8 **sums, u64 *count)
{
	const struct volume_facts *facts = f->fs->facts;
	int ret = 0;

	if (!f->fs->csum_tree.logical)
		return error_set(EIO, "data at logical %" PRIu64 ": the filesystem has no csum tree", logical);
	if (f->count && logical == f->logical + f->count * facts->sectorsize) {
		ret = cursor_next(&f->cursor);
		ret = ret < 0 ? ret : take_item(f);
	}
	if (!ret && !holds(f, logical)) {
		struct key key = key_of(EXTENT_CSUM_OBJECTID, KEY_EXTENT_CSUM, logical);

		f->count = 0;
		ret = cursor_seek_before(&f->cursor, &key);
		ret = ret < 0 ? ret : take_item(f);
	}
	if (ret) {
		f->count = 0;
		return error_wrap(ret, "checksum of data at logical %" PRIu64, logical);
	}
	if (!holds(f, logical))
		return error_set(EIO, "data at logical %" PRIu64 ": no checksum in the csum tree", logical);

	u64 skip = (logical - f->logical) / facts->sectorsize;

	*sums = f->sums + skip * facts->csum_size;
	*count = f->count - skip;
	return 0;
}
