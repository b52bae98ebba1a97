/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. d->fd is locked (flock) from draft_open() to draft_release(), and d->name leads to it: a lock on what
 *     has been renamed or removed meanwhile does not count.
 *  2. A draft that is not kept is not written to but removed: it may have other names, or another owner.
 */
#include "cli/draft.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/holder.h"
#include "format/checksum.h"
#include "volume/output.h"

/* How often others may get in between opening and locking. */
#define TRIES_MAX 100

/* The checksum of a name stands for it where the whole would be too long. */
static void make_name(char *out, const struct place *p)
{
	const long max = fpathconf(p->dir, _PC_NAME_MAX);
	u8 sum[CHECKSUM_SIZE_MAX];

	if (snprintf(out, NAME_MAX + 1, ".%s.btrfly-partial", p->name) <=
	    (max > 0 && max < NAME_MAX ? max : NAME_MAX))
		return;
	checksum_compute(CHECKSUM_XXHASH64, p->name, strlen(p->name), sum);
	snprintf(out, NAME_MAX + 1, ".%016" PRIx64 ".btrfly-partial", get_le64(sum));
}

/* Whether its name leads to it. */
static bool is_there(const struct draft *d)
{
	struct stat here, there;

	return !fstat(d->fd, &here) && !fstatat(d->place->dir, d->name, &there, AT_SYMLINK_NOFOLLOW) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Lock the draft: 1, 0 if its name does not lead to it any more, or an error. */
static int lock(struct draft *d)
{
	if (flock(d->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		pid_t pid = lock_holder(d->fd);

		if (pid)
			return error_set(EBUSY, "'%s' is being written by process %d", d->path, (int)pid);
		return error_set(EBUSY, "'%s' is being written by another process", d->path);
	}
	/* A filesystem without locks is as good as it can be. */
	return is_there(d);
}

/* An earlier draft: 1 it is gone on with, 0 it is gone, or an error. */
static int take_over(struct draft *d, bool keep, const struct volume *inputs)
{
	struct stat st;
	int ret;

	if (fstat(d->fd, &st))
		return error_errno(errno, "'%s'", d->path);
	if (!S_ISREG(st.st_mode))
		return error_set(EEXIST, "'%s' is in the way: not a regular file", d->path);
	ret = volume_check_output_fd(inputs, d->fd, d->path);
	if (!ret)
		ret = lock(d);
	if (ret <= 0)
		return ret;
	if (keep && place_is_trap(d->place->dir, &st))
		return error_set(EPERM, "'%s' belongs to user %u: it is not gone on with", d->path,
				 (unsigned)st.st_uid);
	/* What another name leads to is somebody's, too: an earlier stream, a backup of it. */
	if (keep && st.st_nlink > 1)
		return error_set(EMLINK, "'%s' has other names (hard links): it is not gone on with", d->path);
	if (keep) {
		d->kept = (u64)st.st_size;
		return 1;
	}
	if (unlinkat(d->place->dir, d->name, 0))
		return error_errno(errno, "cannot replace '%s'", d->path);
	return 0;
}

/* One try: 1 done, 0 to be tried again, or an error. */
static int try_open(struct draft *d, bool keep, const struct volume *inputs, bool *denied)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	d->fd = openat(d->place->dir, d->name, flags);
	if (d->fd >= 0)
		return take_over(d, keep, inputs);
	if (errno == ELOOP || errno == EISDIR || errno == ENXIO)
		return error_set(EEXIST, "'%s' is in the way: not a regular file", d->path);
	if (errno != ENOENT)
		return error_errno(errno, "cannot open '%s'", d->path);
	d->fd = openat(d->place->dir, d->name, flags | O_CREAT | O_EXCL, 0600);
	if (d->fd >= 0)
		return lock(d);
	if (errno == EEXIST)
		return 0;
	*denied = errno == EACCES || errno == EPERM || errno == EROFS;
	return error_errno(errno, "cannot create '%s'", d->path);
}

static void close_fd(struct draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

int draft_open(struct draft *d, const struct place *place, bool keep, const struct volume *inputs, bool *denied)
{
	int ret = 0;

	*denied = false;
	*d = (struct draft){.place = place, .fd = -1};
	make_name(d->name, place);
	d->path = place_beside(place, d->name);
	if (!d->path)
		return error_nomem(strlen(place->path) + NAME_MAX);
	for (int i = 0; !ret && i < TRIES_MAX; i++) {
		close_fd(d);
		ret = try_open(d, keep, inputs, denied);
	}
	if (!ret)
		ret = error_set(EBUSY, "'%s' is made and removed by others all the time", d->path);
	if (ret > 0)
		return 0;
	draft_release(d);
	return ret;
}

/*
 * Mode and owner of the file that is to be replaced; another's bits are worth nothing to a file of ours.  What has been
 * put there since says nothing: whoever did would get the stream for his own.
 */
static int resemble(const struct draft *d)
{
	const struct stat *before = &d->place->st;
	struct stat st, now;
	mode_t mode;

	if (fstatat(d->place->dir, d->place->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : error_errno(errno, "'%s'", d->place->path);
	if (!d->place->exists || st.st_dev != before->st_dev || st.st_ino != before->st_ino ||
	    st.st_uid != before->st_uid)
		return 0;
	mode = st.st_mode & 07777;
	if (fchown(d->fd, st.st_uid, st.st_gid)) {
		mode &= 0777;
		/* The group alone may be possible; if it is not, either, so be it. */
		if (fchown(d->fd, (uid_t)-1, st.st_gid))
			mode &= 0707;
	}
	/* Not every filesystem has modes that can be set. */
	if (!fstat(d->fd, &now) && (now.st_mode & 07777) == mode)
		return 0;
	return fchmod(d->fd, mode) ? error_errno(errno, "cannot set the mode of '%s'", d->path) : 0;
}

/* A filesystem that knows no flushing (some in user space) is as good as it can be. */
static bool knows_no_flush(int err)
{
	return err == EINVAL || err == ENOTSUP;
}

/* A directory that may be written but not read cannot be flushed. */
static int flush_directory(const struct place *p)
{
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return 0;
	if (fsync(fd) && !knows_no_flush(errno))
		ret = error_errno(errno, "flush the directory of '%s'", p->path);
	close(fd);
	return ret;
}

int draft_publish(struct draft *d)
{
	const struct place *p = d->place;
	int ret = resemble(d);

	if (!ret && fsync(d->fd) && !knows_no_flush(errno))
		ret = error_errno(errno, "flush '%s'", d->path);
	if (!ret && !is_there(d))
		ret = error_set(ESTALE, "'%s' has been removed or replaced meanwhile", d->path);
	if (!ret && renameat(p->dir, d->name, p->dir, p->name))
		ret = error_errno(errno, "rename '%s' to '%s'", d->path, p->path);
	return ret ? ret : flush_directory(p);
}

bool draft_is_left(const struct draft *d)
{
	struct stat st;

	if (!is_there(d))
		return false;
	return fstat(d->fd, &st) || st.st_size || unlinkat(d->place->dir, d->name, 0);
}

void draft_release(struct draft *d)
{
	close_fd(d);
	free(d->path);
	d->path = NULL;
}
