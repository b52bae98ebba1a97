/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file or block device stands on: itself and every layer beneath it, down to the whole disk, through loop
 * devices and the filesystems of the files behind them.  Two names mean the same bytes where one has a layer of the other.
 */
#ifndef BTRFLY_DEVICE_STORAGE_H
#define BTRFLY_DEVICE_STORAGE_H

#include <sys/stat.h>

#include "base/types.h"

#define STORAGE_LAYERS_MAX 64

/* Bytes [from, to) of a regular file or of a block device. */
struct storage_layer {
	bool is_block;
	bool mapped; /* by rules that are not known here (dm, md, a filesystem): some of the bytes, not which */
	dev_t dev;   /* of the block device itself, or of the file's filesystem */
	ino_t ino;   /* 0 for a block device */
	u64 from, to;
};

struct storage {
	struct storage_layer layer[STORAGE_LAYERS_MAX];
	size_t count; /* 0: neither a regular file nor a block device */
};

/* As far as /sys tells; layers that it does not show are left out. */
void storage_find(const struct stat *st, struct storage *out);

/* Whether writing to one changes the other.  Two volumes that are mapped from the same disk do not, nor
 * do two files. */
bool storage_shared(const struct storage *a, const struct storage *b);

#endif
