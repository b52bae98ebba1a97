/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/kind.h"

#include <sys/stat.h>

static const struct kind {
	mode_t mode;
	char letter;
	const char *name;
} kinds[] = {
	{S_IFREG, '-', "file"},      {S_IFDIR, 'd', "directory"}, {S_IFLNK, 'l', "symlink"},
	{S_IFCHR, 'c', "character"}, {S_IFBLK, 'b', "block"},     {S_IFIFO, 'p', "fifo"},
	{S_IFSOCK, 's', "socket"},
}, unknown = {0, '?', "unknown"};

static const struct kind *kind_of(u32 mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].mode == (mode & S_IFMT))
			return &kinds[i];
	return &unknown;
}

char kind_letter(u32 mode)
{
	return kind_of(mode)->letter;
}

const char *kind_name(u32 mode)
{
	return kind_of(mode)->name;
}
