/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads around the page cache, in flight ahead of their use. */
#ifndef BTRFLY_DEVICE_DIRECT_H
#define BTRFLY_DEVICE_DIRECT_H

#include "device/device.h"

/*
 * A device that reads as @plain does, and brings what was announced by device_prefetch() into at most @bytes of
 * memory of its own, with O_DIRECT through an io_uring.  What lies in the page cache is left to @plain, and so is
 * what was not announced or could not be read.  Owns @plain.
 *
 * Where this cannot be had (no liburing, no ring, no O_DIRECT, too little memory, a device that is written) the
 * answer is @plain itself.
 */
#ifdef HAVE_LIBURING
struct device *device_direct(struct device *plain, size_t bytes);
#else
static inline struct device *device_direct(struct device *plain, size_t bytes)
{
	return plain;
}
#endif

#endif
