/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host in front of the running system: it counts the calls, and a test can let any of them fail, or end the
 * process there. */
#ifndef BTRFLY_TESTS_WATCHED_HOST_H
#define BTRFLY_TESTS_WATCHED_HOST_H

#include "receive/host.h"

enum host_call {
	HOST_OPEN, HOST_OPEN_BENEATH, HOST_OPEN_HANDLE, HOST_CLOSE,
	HOST_STAT, HOST_STATFS, HOST_PATH, HOST_READLINK, HOST_ENTRIES,
	HOST_MKDIR, HOST_MKNOD, HOST_SYMLINK, HOST_LINK, HOST_RENAME, HOST_UNLINK,
	HOST_CHMOD, HOST_CHOWN, HOST_UTIMENS,
	HOST_SETXATTR, HOST_REMOVEXATTR, HOST_GETXATTR, HOST_LISTXATTR,
	HOST_PREAD, HOST_PWRITE, HOST_COPY_RANGE, HOST_TRUNCATE, HOST_FALLOCATE, HOST_SEEK,
	HOST_IOCTL, HOST_SYNC, HOST_SYNCFS, HOST_LOCK,
	HOST_CALLS,
};

struct watched_host {
	struct host host;   /* what the code under test gets */
	struct host system; /* who makes the calls */
	u64 calls;          /* so many came, the one at hand included */
	u64 count[HOST_CALLS];

	/* Asked in front of each call: 0, or the errno that it fails with instead of being made; a close() is made
	 * in any case.  NULL: no call fails. */
	int (*before)(struct watched_host *w, enum host_call call);
};

void watched_host_init(struct watched_host *w);

const char *host_call_name(enum host_call call);

#endif
