/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   output_open() ──▶ output_begin() ──▶ output_finish()   the file is the stream
 *        │                  │                  │
 *        └──────────────────┴──────────────────┴── output_fail()   the file is what it was
 *
 * Invariant: before output_begin() nothing that is there has been changed, but that an earlier draft was removed
 * where it is not to be kept.
 */
#include "cli/output.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "volume/output.h"

/* A descriptor of ours is used as it stands, not opened again: it may be a socket, or append. */
static int open_again(struct output *o, const char *file)
{
	const struct place *p = &o->place;
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (p->is_descriptor ? 0 : O_NOFOLLOW);
	struct stat st;

	o->fd = p->descriptor >= 0 ? fcntl(p->descriptor, F_DUPFD_CLOEXEC, 3) : openat(p->dir, p->name, flags);
	if (o->fd < 0 || fstat(o->fd, &st))
		return error_errno(errno, "cannot create '%s'", file);
	/* What was found of it is not said of another file. */
	if (!p->is_descriptor && (st.st_dev != p->st.st_dev || st.st_ino != p->st.st_ino))
		return error_set(EBUSY, "cannot create '%s': another file has taken its place meanwhile", file);
	return 0;
}

static int open_in_place(struct output *o, const char *file, const struct volume *inputs)
{
	int ret = open_again(o, file);

	return ret ? ret : volume_check_output_fd(inputs, o->fd, file);
}

/* @file is there, and no other can be put in its place: that is as good where nothing is in it. */
static int open_unreplaceable(struct output *o, const char *file, const struct volume *inputs, const char *why)
{
	if (o->place.st.st_size)
		return error_set(EACCES, "cannot replace '%s', which is not empty: %s", file, why);
	return open_in_place(o, file, inputs);
}

static int open_draft(struct output *o, const char *file, bool resume, const struct volume *inputs)
{
	const struct place *p = &o->place;
	bool denied;
	int ret;

	if (p->exists) {
		ret = volume_check_output(inputs, &p->st, p->path, file);
		if (ret)
			return ret;
		if (faccessat(p->dir, p->name, W_OK, AT_EACCESS))
			return error_errno(errno, "cannot create '%s'", file);
		if (!place_replaceable(p))
			return open_unreplaceable(o, file, inputs,
						  "it is a mount point, or another user's in a directory for all");
	}
	ret = draft_open(&o->draft, p, resume, inputs, &denied);
	if (!ret) {
		o->drafted = true;
		o->fd = o->draft.fd;
		return 0;
	}
	if (denied && p->exists)
		return open_unreplaceable(o, file, inputs, "its directory lets no file be made");
	return denied ? error_errno(-ret, "cannot create '%s'", file) : ret;
}

static int open_named(struct output *o, const char *file, bool resume, const struct volume *inputs)
{
	const struct place *p = &o->place;
	int ret = place_find(&o->place, file);

	if (ret)
		return ret;
	o->named = true;
	if (p->is_descriptor)
		return open_in_place(o, file, inputs);
	if (p->exists && place_is_trap(p->dir, &p->st))
		return error_set(EACCES, "cannot create '%s': it belongs to user %u, in a directory for all", file,
				 (unsigned)p->st.st_uid);
	if (!p->exists || S_ISREG(p->st.st_mode))
		return open_draft(o, file, resume, inputs);
	/* It is looked at before it is opened: that alone is noticed by some devices, and waited for by pipes. */
	ret = volume_check_output(inputs, &p->st, p->path, file);
	return ret ? ret : open_in_place(o, file, inputs);
}

int output_open(struct output *o, const char *file, bool resume, const struct volume *inputs)
{
	int ret = 0;

	*o = (struct output){.fd = STDOUT_FILENO, .name = file ? file : "standard output", .place.dir = -1, .draft.fd = -1};
	if (file) {
		o->fd = -1;
		ret = open_named(o, file, resume, inputs);
	}
	if (!ret && isatty(o->fd))
		ret = error_set(EINVAL, "not dumping send stream into a terminal, redirect it into a file");
	return ret;
}

int output_begin(struct output *o, u64 keep)
{
	struct stat st;

	o->begun = true;
	/* What stands where our own descriptors do stays; another process's file is written anew. */
	if (!o->drafted && (!o->named || o->place.descriptor >= 0 || fstat(o->fd, &st) || !S_ISREG(st.st_mode)))
		return 0;
	if (ftruncate(o->fd, (off_t)keep) || lseek(o->fd, (off_t)keep, SEEK_SET) < 0)
		return error_errno(errno, "cannot go on behind byte %llu of '%s'", (unsigned long long)keep, o->name);
	return 0;
}

/* EINVAL, EROFS: a pipe, a terminal, a special device: nothing that could be flushed. */
static int flush(const struct output *o)
{
	if (fsync(o->fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return error_errno(errno, "write to %s", o->name);
	return 0;
}

int output_finish(struct output *o)
{
	int ret, fd = o->fd;

	if (o->drafted)
		return draft_publish(&o->draft);
	if (!o->named)
		return 0;
	ret = flush(o);
	if (ret)
		return ret;
	o->fd = -1;
	return close(fd) ? error_errno(errno, "write to %s", o->name) : 0;
}

/* An empty file that could not be replaced is empty again: it can then be written another time. */
static int empty_again(const struct output *o, int ret)
{
	struct stat st;

	if (o->fd >= 0 && o->named && !o->place.is_descriptor && !fstat(o->fd, &st) && S_ISREG(st.st_mode) &&
	    ftruncate(o->fd, 0))
		error_set(-ret, "%s; %s, empty before, is so no more", error_message(), o->name);
	return ret;
}

int output_fail(struct output *o, int ret, bool resumable)
{
	if (!o->begun)
		return ret;
	if (!o->drafted)
		return empty_again(o, ret);
	if (!draft_is_left(&o->draft))
		return ret;
	error_set(-ret, "%s; what came so far is in %s%s", error_message(), o->draft.path,
		  resumable ? ", the same command with --resume goes on behind it" : "");
	return ret;
}

void output_release(struct output *o)
{
	if (o->drafted)
		draft_release(&o->draft);
	else if (o->named && o->fd >= 0)
		close(o->fd);
	place_release(&o->place);
}
