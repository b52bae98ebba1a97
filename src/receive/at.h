/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls on a name in an open directory that never follow a symlink, for what older kernels have no
 * call of that kind.  @name has no slash; "." is the directory itself, even one that may not be
 * searched.  @dir is open for reading.  Each returns -1 and sets errno like a system call.
 */
#ifndef BTRFLY_RECEIVE_AT_H
#define BTRFLY_RECEIVE_AT_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/types.h"

int at_stat(int dir, const char *name, struct stat *st);
int at_chown(int dir, const char *name, uid_t uid, gid_t gid);
int at_utimens(int dir, const char *name, const struct timespec times[2]);

/* EOPNOTSUPP for a symlink. */
int at_chmod(int dir, const char *name, mode_t mode);

int at_setxattr(int dir, const char *name, const char *key, const void *value, size_t size);
int at_removexattr(int dir, const char *name, const char *key);
ssize_t at_getxattr(int dir, const char *name, const char *key, void *value, size_t size);
ssize_t at_listxattr(int dir, const char *name, char *list, size_t size);

#endif
