/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/file.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

int file_reader_init(struct file_reader *f, struct filesystem *fs, struct data_reader *data,
		     const struct tree *tree, u64 ino)
{
	int ret;

	*f = (struct file_reader){.data = data, .sectorsize = fs->facts->sectorsize};
	cursor_init(&f->cursor, tree);
	ret = inode_read(&f->cursor, ino, &f->inode);
	if (ret == -ENOENT)
		error_set(ENOENT, "tree %" PRIu64 " has no inode %" PRIu64, tree->objectid, ino);
	if (ret)
		cursor_release(&f->cursor);
	return ret;
}

void file_reader_release(struct file_reader *f)
{
	cursor_release(&f->cursor);
}

int file_read(struct file_reader *f, void *buf, size_t len, size_t *got)
{
	bool verify = !(f->inode.flags & INODE_NODATASUM);
	u64 pos = f->pos, n, end;
	struct file_range r;
	u8 *p = buf;

	len = pos < f->inode.size ? min_u64(len, f->inode.size - pos) : 0;
	*got = 0;
	for (size_t left = len; left; left -= n, pos += n, p += n) {
		int ret = file_range_at(&f->cursor, f->inode.ino, pos, f->sectorsize, &r, &end);

		n = min_u64(left, end - pos);
		if (ret == 1) {
			memset(p, 0, n);
			continue;
		}
		if (!ret)
			ret = data_read(f->data, &r, pos - r.file_offset, p, n, verify);
		if (ret)
			return error_wrap(ret, "inode %" PRIu64 " at %" PRIu64, f->inode.ino, pos);
	}
	f->pos = pos;
	*got = len;
	return 0;
}

int file_read_link(struct file_reader *f, char *buf, size_t size)
{
	size_t got;
	int ret;

	if (!f->inode.size || f->inode.size >= size)
		return error_set(EIO, "inode %" PRIu64 ": symbolic link of %" PRIu64 " bytes", f->inode.ino,
				 f->inode.size);
	ret = file_read(f, buf, size - 1, &got);
	if (!ret)
		buf[got] = '\0';
	return ret;
}
