/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool sysfs_read_line(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, buf, size - 1);
	close(fd);
	if (got < 0)
		return false;
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool sysfs_read_u64(int dir, const char *name, u64 *out)
{
	char line[32], *end;

	if (!sysfs_read_line(dir, name, line, sizeof(line)))
		return false;
	errno = 0;
	*out = strtoull(line, &end, 10);
	return !errno && end != line && !*end;
}
