/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations on the data of regular files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

#define FILE_END_MAX (8ull << 20)

static int open_any(struct workload *w, int flags, u64 *size)
{
	struct entry *e = tree_pick(w, KIND_FILE);
	struct stat st;

	if (!e)
		return -ENOENT;
	int fd = openat(w->root, e->path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		close(fd);
		return -errno;
	}
	*size = st.st_size;
	workload_note(w, "  on", e->path, NULL);
	return fd;
}

int data_write(struct workload *w, int fd, u64 offset, u64 len)
{
	if (len > WORKLOAD_WRITE_MAX)
		len = WORKLOAD_WRITE_MAX;
	if (len > w->budget)
		return 0;
	w->budget -= len;
	random_bytes(w, w->scratch, len);
	return pwrite(fd, w->scratch, len, offset) < 0 ? -errno : 0;
}

/* Pieces with gaps between them. */
static int fill_sparse(struct workload *w, int fd)
{
	u64 at = random_chance(w, 50) ? random_below(w, 200000) : 0;
	unsigned pieces = 1 + random_below(w, 6);
	int ret = 0;

	for (unsigned i = 0; i < pieces && !ret; i++) {
		u64 len = 1 + random_below(w, 40000);

		ret = data_write(w, fd, at, len);
		at += len + random_below(w, 150000);
	}
	if (!ret && random_chance(w, 40) && ftruncate(fd, at))
		ret = -errno;
	return ret;
}

int data_fill(struct workload *w, int fd)
{
	if (random_chance(w, 15))
		return fill_sparse(w, fd);
	return data_write(w, fd, 0, random_length(w));
}

static int overwrite(struct workload *w)
{
	u64 size, len = random_chance(w, 60) ? 1 + random_below(w, 20000) : random_length(w);
	int ret, fd = open_any(w, O_RDWR, &size);

	if (fd < 0)
		return fd;
	u64 at = random_below(w, size + 1);

	if (random_chance(w, 40))
		at &= ~(u64)(WORKLOAD_SECTOR - 1);
	ret = data_write(w, fd, at, len);
	close(fd);
	return ret;
}

static int add_at_end(struct workload *w)
{
	u64 size;
	int ret, fd = open_any(w, O_RDWR, &size);

	if (fd < 0)
		return fd;
	if (size < FILE_END_MAX && random_chance(w, 30))
		size += random_below(w, 100000);
	ret = data_write(w, fd, size, random_length(w));
	close(fd);
	return ret;
}

/* Several small writes, each made durable on its own: extents of many generations side by side. */
static int scatter(struct workload *w)
{
	u64 size;
	int ret = 0, fd = open_any(w, O_RDWR, &size);

	if (fd < 0)
		return fd;
	for (unsigned i = 0; i < 12 && !ret; i++) {
		ret = data_write(w, fd, random_below(w, size + 1) & ~(u64)(WORKLOAD_SECTOR - 1),
				 WORKLOAD_SECTOR * (1 + random_below(w, 3)));
		if (!ret && i % 4 == 3 && fdatasync(fd))
			ret = -errno;
	}
	close(fd);
	return ret;
}

static int truncate_file(struct workload *w)
{
	u64 size;
	int ret = 0, fd = open_any(w, O_RDWR, &size);

	if (fd < 0)
		return fd;
	u64 to = random_chance(w, 60) ? random_below(w, size + 1) : size + random_below(w, 300000);

	if (random_chance(w, 30))
		to &= ~(u64)(WORKLOAD_SECTOR - 1);
	if (w->far && random_chance(w, 5))
		to = (1ull << 40) + random_below(w, 1 << 20);
	else if (to > FILE_END_MAX)
		to = FILE_END_MAX;
	if (ftruncate(fd, to))
		ret = -errno;
	close(fd);
	return ret;
}

static int allocate(struct workload *w)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
	};
	int mode = modes[random_below(w, ARRAY_SIZE(modes))];
	u64 size, len = 1 + random_below(w, random_chance(w, 70) ? 60000 : 600000);
	int ret = 0, fd = open_any(w, O_RDWR, &size);

	if (fd < 0)
		return fd;
	u64 at = random_below(w, size + (mode & FALLOC_FL_PUNCH_HOLE ? 1 : 100000));

	if (mode >= FALLOC_FL_COLLAPSE_RANGE || random_chance(w, 50)) {
		at &= ~(u64)(WORKLOAD_SECTOR - 1);
		len = (len | (WORKLOAD_SECTOR - 1)) + 1;
	}
	if (at + len > FILE_END_MAX)
		ret = -EFBIG;
	else if (len > w->budget)
		ret = -ENOSPC;
	else if (fallocate(fd, mode, at, len))
		ret = -errno;
	else if (!(mode & FALLOC_FL_PUNCH_HOLE))
		w->budget -= len;
	/* Data in the middle of what was only reserved. */
	if (!ret && random_chance(w, 50))
		ret = data_write(w, fd, at + random_below(w, len), 1 + random_below(w, 9000));
	close(fd);
	return ret;
}

static int direct(struct workload *w)
{
	u64 size;
	int ret, fd = open_any(w, O_RDWR | O_DIRECT, &size);

	if (fd < 0)
		return fd;
	ret = data_write(w, fd, random_below(w, size + 1) & ~(u64)(WORKLOAD_SECTOR - 1),
			 WORKLOAD_SECTOR * (1 + random_below(w, 40)));
	close(fd);
	return ret;
}

static int clone(int to, u64 to_at, int from, u64 from_at, u64 len)
{
	struct file_clone_range range = {
		.src_fd = from, .src_offset = from_at, .src_length = len, .dest_offset = to_at};

	return ioctl(to, FICLONERANGE, &range) ? -errno : 0;
}

/* Share some or all of a file with another, or with itself, at the same or another offset, up to an
 * end that need not be a whole sector. */
static int reflink(struct workload *w)
{
	u64 size, to_size, len = 0;
	int ret = 0, to, from = open_any(w, O_RDONLY, &size);

	if (from < 0)
		return from;
	if (random_chance(w, 30)) {
		char path[WORKLOAD_PATH_MAX + 1];

		to = -ENAMETOOLONG;
		if (!tree_new_path(w, NULL, path)) {
			workload_note(w, "  new", path, NULL);
			to = openat(w->root, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
			if (to >= 0)
				tree_add(w, path, KIND_FILE);
			else
				to = -errno;
		}
		to_size = 0;
	} else {
		to = open_any(w, O_RDWR, &to_size);
	}
	if (to < 0) {
		close(from);
		return to;
	}
	u64 from_at = 0, to_at = 0;

	if (random_chance(w, 60)) {
		from_at = random_below(w, size + 1) & ~(u64)(WORKLOAD_SECTOR - 1);
		to_at = random_chance(w, 30)
				? from_at
				: random_below(w, to_size + 50000) & ~(u64)(WORKLOAD_SECTOR - 1);
	}
	if (random_chance(w, 50) && size - from_at > WORKLOAD_SECTOR)
		len = (1 + random_below(w, (size - from_at) / WORKLOAD_SECTOR)) * WORKLOAD_SECTOR;
	if (to_at + (len ? len : size - from_at) > FILE_END_MAX)
		ret = -EFBIG;
	else
		ret = clone(to, to_at, from, from_at, len);
	close(from);
	close(to);
	return ret;
}

/* One extent in many places of one file, from several offsets: references inside the extent item,
 * beside it, and, at the rarest, more than the kernel's send cares to look at. */
static int spread(struct workload *w)
{
	static const unsigned counts[] = {3, 10, 40, 40, 120, 120, 1100};
	unsigned count = counts[random_below(w, ARRAY_SIZE(counts))];
	u64 size, to_size;
	int ret = 0, from = open_any(w, O_RDONLY, &size);

	if (from < 0)
		return from;
	int to = open_any(w, O_RDWR, &to_size);

	if (to < 0) {
		close(from);
		return to;
	}
	u64 sectors = size / WORKLOAD_SECTOR;

	if (sectors > 8)
		sectors = 8;
	for (unsigned i = 0; i < count && sectors && !ret; i++)
		ret = clone(to, random_below(w, 2 * count) * WORKLOAD_SECTOR, from,
			    random_below(w, sectors) * WORKLOAD_SECTOR, WORKLOAD_SECTOR);
	close(from);
	close(to);
	return ret;
}

static int sync_all(struct workload *w)
{
	return syncfs(w->root) ? -errno : 0;
}

const struct operation data_operations[] = {
	{"overwrite", 50, overwrite}, {"append", 35, add_at_end},    {"scatter", 6, scatter},
	{"truncate", 30, truncate_file}, {"allocate", 30, allocate}, {"direct", 10, direct},
	{"reflink", 45, reflink},     {"spread", 4, spread},	     {"sync", 3, sync_all},
	{0},
};
