/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Not setxattr(): where there is room it then means that the filesystem has none for attributes, and they are left out
 * and counted. */
static bool needs_room(enum host_call call)
{
	switch (call) {
	case HOST_OPEN: /* with O_CREAT */
	case HOST_MKDIR:
	case HOST_MKNOD:
	case HOST_SYMLINK:
	case HOST_LINK:
	case HOST_RENAME:
	case HOST_UNLINK: /* of a filesystem that copies on write */
	case HOST_PWRITE:
	case HOST_COPY_RANGE:
	case HOST_TRUNCATE:
	case HOST_FALLOCATE:
	case HOST_IOCTL:
	case HOST_CLOSE:
	case HOST_SYNC:
	case HOST_SYNCFS: return true;
	default: return false;
	}
}

static bool can_be_interrupted(enum host_call call)
{
	switch (call) {
	case HOST_OPEN:
	case HOST_OPEN_BENEATH:
	case HOST_CLOSE:
	case HOST_PREAD:
	case HOST_PWRITE:
	case HOST_COPY_RANGE:
	case HOST_FALLOCATE:
	case HOST_IOCTL:
	case HOST_SYNC:
	case HOST_SYNCFS:
	case HOST_LOCK: return true;
	default: return false;
	}
}

bool fault_fits(enum fault_kind kind, enum host_call call)
{
	switch (kind) {
	case FAULT_ENOSPC: return needs_room(call);
	case FAULT_EINTR: return can_be_interrupted(call);
	case FAULT_SHORT:
	case FAULT_KILL_HALF: return call == HOST_PWRITE;
	default: return true;
	}
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	pause();
}

static int before(struct watched_host *w, enum host_call call)
{
	struct faulty_host *f = CONTAINER_OF(w, struct faulty_host, watched);

	f->log->calls = w->calls;
	if (w->calls <= FAULT_CALLS_MAX)
		f->log->call[w->calls - 1] = (u8)call;
	if (w->calls != f->fault.at || !fault_fits(f->fault.kind, call))
		return 0;
	switch (f->fault.kind) {
	case FAULT_NONE: return 0;
	case FAULT_EIO: return EIO;
	case FAULT_ENOSPC: return ENOSPC;
	case FAULT_EINTR: return EINTR;
	case FAULT_KILL: die(); return 0;
	case FAULT_SHORT:
	case FAULT_KILL_HALF: f->half = true;
	}
	return 0;
}

static ssize_t half_pwrite(struct host *h, int fd, const void *buf, size_t len, off_t offset)
{
	struct watched_host *w = CONTAINER_OF(h, struct watched_host, system);
	struct faulty_host *f = CONTAINER_OF(w, struct faulty_host, watched);
	ssize_t n;

	if (!f->half || len < 2)
		return pwrite(fd, buf, len, offset);
	f->half = false;
	n = pwrite(fd, buf, len / 2, offset);
	if (f->fault.kind == FAULT_KILL_HALF)
		die();
	return n;
}

void faulty_host_init(struct faulty_host *f, const struct fault *fault, struct fault_log *log)
{
	*f = (struct faulty_host){.fault = *fault, .log = log};
	watched_host_init(&f->watched);
	f->system = *f->watched.system.ops;
	f->system.pwrite = half_pwrite;
	f->watched.system.ops = &f->system;
	f->watched.before = before;
}
