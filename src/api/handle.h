/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the handles of the public interface are made of. */
#ifndef BTRFLY_API_HANDLE_H
#define BTRFLY_API_HANDLE_H

#include "btrfly.h"
#include "files/filesystem.h"

struct btrfly_filesystem {
	struct filesystem *fs;
};

/* A struct of the caller's that is shorter than the first version of it cannot be filled or read. */
#define API_CHECK_SIZE(given, type)                                                                \
	((given)->struct_size < sizeof(type)                                                       \
		 ? error_set(EINVAL, "struct_size of " #type " is %zu: start with its initializer",  \
			     (given)->struct_size)                                                  \
		 : 0)

#endif
