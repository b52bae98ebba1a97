/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line for every file of a tree, in a canonical order: path, type, permissions, owner, mtime to the
 * nanosecond, the first path of the same inode where it has several, device number, size and sha256 of the
 * content, target, and extended attributes.  Access and change times, link counts of directories, sizes of
 * directories and inode numbers are left out: a copy cannot keep them.
 *
 * It shares no code with the program that it judges.
 */
#ifndef BTRFLY_TESTS_MANIFEST_H
#define BTRFLY_TESTS_MANIFEST_H

#include <stdbool.h>
#include <stdio.h>

enum manifest_column {
	MANIFEST_MODE,
	MANIFEST_OWNER,
	MANIFEST_MTIME,
	MANIFEST_LINK,
	MANIFEST_RDEV,
	MANIFEST_CONTENT,
	MANIFEST_XATTR,
	MANIFEST_SPECIAL, /* lines of device nodes */
	MANIFEST_COLUMNS,
};

struct manifest_options {
	bool without[MANIFEST_COLUMNS];
	bool holes;   /* where data lies, as SEEK_DATA sees it, in blocks of 4 KiB */
	bool changes; /* inode numbers and change times, of a tree that nobody may touch */
	bool flags;   /* chattr's, of files and directories */
	bool closed;  /* what may not be read is no error, and its content not compared */
};

/* gcry_check_version() has been called.  If the tree cannot be read the process ends. */
void manifest_write(FILE *out, const char *root, const struct manifest_options *options);

#endif
