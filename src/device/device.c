/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/device.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/error.h"

static int check_range(const struct device *d, u64 offset, u64 len)
{
	if (range_within(offset, len, d->size))
		return 0;
	return error_set(EIO,
			 "[%" PRIu64 ", %" PRIu64 ") lies beyond the end of %s (%" PRIu64 " bytes)",
			 offset, offset + len, d->name, d->size);
}

int device_read(struct device *d, u64 offset, void *buf, size_t len)
{
	int ret = check_range(d, offset, len);

	return ret ? ret : d->ops->read(d, offset, buf, len);
}

int device_readv(struct device *d, u64 offset, struct iovec *iov, int count)
{
	u64 len = 0;
	int ret;

	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	ret = check_range(d, offset, len);
	if (!ret && d->ops->readv)
		return d->ops->readv(d, offset, iov, count);
	for (int i = 0; i < count && !ret; i++) {
		ret = d->ops->read(d, offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return ret;
}

void device_prefetch(struct device *d, u64 offset, u64 len)
{
	if (d->ops->prefetch && range_within(offset, len, d->size))
		d->ops->prefetch(d, offset, len);
}

void device_close(struct device *d)
{
	if (d)
		d->ops->close(d);
}
