/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faulty.h"

#include <stdlib.h>

#include "base/error.h"

static int pass_on(struct faulty *f, u64 offset, void *buf, size_t len)
{
	u64 start = max_u64(offset, f->start), end = min_u64(offset + len, f->end);

	if (f->fault == FAULT_FAIL && start < end)
		return error_set(EIO, "read of %s fails on purpose", f->device.name);

	int ret = f->inner->ops->read(f->inner, offset, buf, len);

	if (f->fault == FAULT_CORRUPT)
		for (u64 at = start; at < end; at++)
			((u8 *)buf)[at - offset] ^= 0xff;
	return ret;
}

static int faulty_read(struct device *d, u64 offset, void *buf, size_t len)
{
	struct faulty *f = CONTAINER_OF(d, struct faulty, device);

	atomic_fetch_add(&f->reads, 1);
	return pass_on(f, offset, buf, len);
}

/* One read, whatever the device below makes of it. */
static int faulty_readv(struct device *d, u64 offset, struct iovec *iov, int count)
{
	struct faulty *f = CONTAINER_OF(d, struct faulty, device);
	int ret = 0;

	atomic_fetch_add(&f->reads, 1);
	for (int i = 0; i < count && !ret; i++) {
		ret = pass_on(f, offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return ret;
}

static void faulty_prefetch(struct device *d, u64 offset, u64 len)
{
	struct faulty *f = CONTAINER_OF(d, struct faulty, device);
	unsigned i = atomic_fetch_add(&f->prefetches, 1);

	if (i < FAULTY_PREFETCHES) {
		f->prefetch[i].offset = offset;
		f->prefetch[i].len = len;
	}
}

static void faulty_close(struct device *d)
{
	struct faulty *f = CONTAINER_OF(d, struct faulty, device);

	device_close(f->inner);
	free(f);
}

static const struct device_ops faulty_ops = {.read = faulty_read,
					      .readv = faulty_readv,
					      .prefetch = faulty_prefetch,
					      .close = faulty_close};

struct faulty *faulty_new(struct device *inner)
{
	struct faulty *f = calloc(1, sizeof(*f));

	f->device = *inner;
	f->device.ops = &faulty_ops;
	f->inner = inner;
	return f;
}

void faulty_set(struct faulty *f, enum fault fault, u64 start, u64 len)
{
	f->fault = fault;
	f->start = start;
	f->end = start + len;
}
