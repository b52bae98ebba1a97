/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the handles of the public interface are made of. */
#ifndef BTRFLY_API_HANDLE_H
#define BTRFLY_API_HANDLE_H

#include "btrfly.h"
#include "files/filesystem.h"

struct btrfly_filesystem {
	struct filesystem *fs;
};

#endif
