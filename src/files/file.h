/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a file or a symbolic link from start to end, its holes as zeros. */
#ifndef BTRFLY_FILES_FILE_H
#define BTRFLY_FILES_FILE_H

#include "files/data.h"
#include "files/inode.h"

struct file_reader {
	struct data_reader *data;
	struct cursor cursor;
	struct inode inode;
	u64 pos;
	u32 sectorsize;
};

/* Stand at the start of inode @ino of @tree; -ENOENT with a sentence if there is none.  @data and @tree must
 * outlive the reader, and @data is the reader's alone while it is in use. */
int file_reader_init(struct file_reader *f, struct filesystem *fs, struct data_reader *data,
		     const struct tree *tree, u64 ino);
void file_reader_release(struct file_reader *f);

/*
 * The next bytes, *@got of them: @len, or fewer at the end of the file, 0 behind it.  On failure the place
 * stays as it was, so that a shorter read may be tried; what is in @buf then is not to be used.
 */
int file_read(struct file_reader *f, void *buf, size_t len, size_t *got);

/* The target of a symbolic link into @buf of @size bytes, NUL-terminated.  -EIO if it is empty or does not
 * fit. */
int file_read_link(struct file_reader *f, char *buf, size_t size);

#endif
