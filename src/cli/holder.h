/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds a lock. */
#ifndef BTRFLY_CLI_HOLDER_H
#define BTRFLY_CLI_HOLDER_H

#include <sys/types.h>

/* The process that has locked (flock) the file open as @fd, as /proc/locks tells; 0 where it is not to be known. */
pid_t lock_holder(int fd);

#endif
