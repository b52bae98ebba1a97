/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device that passes reads on to another one, and fails where it is told to. */
#ifndef BTRFLY_TESTS_FAULTY_H
#define BTRFLY_TESTS_FAULTY_H

#include <stdatomic.h>

#include "device/device.h"

enum fault {
	FAULT_NONE,
	FAULT_FAIL,    /* a read that touches the range fails: "read of NAME fails on purpose" */
	FAULT_CORRUPT, /* the bytes of the range are inverted */
};

#define FAULTY_PREFETCHES 8u

struct faulty {
	struct device device;
	struct device *inner;
	enum fault fault;
	u64 start, end; /* the range */
	atomic_uint reads; /* one for each vector too */
	struct {
		u64 offset, len;
	} prefetch[FAULTY_PREFETCHES]; /* the first ones */
	atomic_uint prefetches;
};

/* Closing it closes @inner. */
struct faulty *faulty_new(struct device *inner);
void faulty_set(struct faulty *f, enum fault fault, u64 start, u64 len);

#endif
