/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/device.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/error.h"

int device_read(struct device *d, u64 offset, void *buf, size_t len)
{
	if (!range_within(offset, len, d->size))
		return error_set(EIO,
				 "[%" PRIu64 ", %" PRIu64 ") lies beyond the end of %s (%" PRIu64
				 " bytes)",
				 offset, offset + len, d->name, d->size);
	return d->ops->read(d, offset, buf, len);
}

void device_close(struct device *d)
{
	if (d)
		d->ops->close(d);
}
