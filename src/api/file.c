/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface: file data. */
#include <limits.h>
#include <stdlib.h>

#include "api/handle.h"
#include "base/error.h"
#include "files/file.h"
#include "files/location.h"

struct btrfly_file {
	struct file_reader reader;
	struct data_reader *data;
	struct location at; /* the reader's tree lives here */
};

int btrfly_file_open(struct btrfly_filesystem *fs, const char *path, struct btrfly_file **out)
{
	struct btrfly_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return error_nomem(sizeof(*file));
	ret = location_find(fs->fs, path, &file->at);
	if (!ret && file->at.type != FT_REG_FILE)
		ret = error_set(EINVAL, "%s: is no regular file", path);
	if (!ret)
		ret = data_reader_new(fs->fs, &file->data);
	if (!ret) {
		ret = file_reader_init(&file->reader, fs->fs, file->data, &file->at.subvolume.tree,
				       file->at.ino);
		if (ret)
			error_wrap(ret, "%s", path);
	}
	if (ret) {
		data_reader_free(file->data);
		free(file);
		return ret;
	}
	*out = file;
	return 0;
}

void btrfly_file_close(struct btrfly_file *file)
{
	if (!file)
		return;
	file_reader_release(&file->reader);
	data_reader_free(file->data);
	free(file);
}

uint64_t btrfly_file_size(const struct btrfly_file *file)
{
	return file->reader.inode.size;
}

ssize_t btrfly_file_read(struct btrfly_file *file, void *buf, size_t len, uint64_t offset)
{
	size_t got;

	if (len > SSIZE_MAX)
		len = SSIZE_MAX;
	file->reader.pos = offset;
	int ret = file_read(&file->reader, buf, len, &got);

	return ret ? ret : (ssize_t)got;
}
