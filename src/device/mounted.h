/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the kernel uses a device too. */
#ifndef BTRFLY_DEVICE_MOUNTED_H
#define BTRFLY_DEVICE_MOUNTED_H

#include "device/device.h"

/*
 * Whether @d belongs to a btrfs that this kernel has mounted, anywhere: as the block device itself or
 * as the file behind a loop device.  Where /sys cannot be read the answer is no.
 */
bool device_is_mounted(const struct device *d);

#endif
