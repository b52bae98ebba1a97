/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/entries.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define BLOCK_SIZE 32768

int entries_init(struct entries *e, struct host *host)
{
	*e = (struct entries){.host = host, .fd = -1, .block = malloc(BLOCK_SIZE)};
	return e->block ? 0 : error_nomem(BLOCK_SIZE);
}

void entries_release(struct entries *e)
{
	free(e->block);
}

int entries_start(struct entries *e, int fd)
{
	e->fd = fd;
	e->at = e->len = 0;
	return e->host->ops->seek(e->host, fd, 0, SEEK_SET) < 0 ? error_errno(errno, "read the directory") : 0;
}

static int read_block(struct entries *e)
{
	ssize_t n = e->host->ops->entries(e->host, e->fd, e->block, BLOCK_SIZE);

	if (n < 0)
		return error_errno(errno, "read the directory");
	e->at = 0;
	e->len = (size_t)n;
	return n ? 1 : 0;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int entries_next(struct entries *e, const char **name)
{
	do {
		int ret = e->at < e->len ? 1 : read_block(e);

		if (ret <= 0)
			return ret;

		const struct dirent64 *d = (const struct dirent64 *)(e->block + e->at);

		*name = d->d_name;
		e->at += d->d_reclen;
	} while (is_dots(*name));
	return 1;
}
