/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host whose call number @at goes wrong.  A process that is killed behind a call is one that is killed in front of the
 * next, so one way to kill is enough; only a write can end half way.
 */
#ifndef BTRFLY_TESTS_FAULT_H
#define BTRFLY_TESTS_FAULT_H

#include "support/watched_host.h"

#define FAULT_CALLS_MAX 65536

enum fault_kind {
	FAULT_NONE,
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_EINTR,
	FAULT_SHORT,	 /* half of the bytes are written, and that is what the call says */
	FAULT_KILL,	 /* in front of the call */
	FAULT_KILL_HALF, /* behind half of the bytes */
};

struct fault {
	enum fault_kind kind;
	u64 at; /* from 1 on */
};

/* What the process that has it writes down for the one that started it: shared memory. */
struct fault_log {
	u64 calls;
	u8 call[FAULT_CALLS_MAX]; /* enum host_call of call 1, 2, 3 … */
};

struct faulty_host {
	struct watched_host watched;
	struct host_ops system; /* of watched.system */
	struct fault fault;
	bool half; /* the write at hand is one of half its bytes */
	struct fault_log *log;
};

void faulty_host_init(struct faulty_host *f, const struct fault *fault, struct fault_log *log);

/* Whether that can happen at such a call. */
bool fault_fits(enum fault_kind kind, enum host_call call);

#endif
