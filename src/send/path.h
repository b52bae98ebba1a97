/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A path of the stream: growable, NUL-terminated, bounded as the kernel's are. */
#ifndef BTRFLY_SEND_PATH_H
#define BTRFLY_SEND_PATH_H

#include "base/types.h"

/* The kernel builds paths in at most PATH_MAX bytes, the NUL included. */
#define PATH_LEN_MAX 4095u

struct path {
	char *buf; /* NULL while empty and never used */
	u32 len;
	u32 capacity;
};

void path_release(struct path *p);
static inline void path_clear(struct path *p) { p->len = 0; }

/* 0, -ENOMEM, or -ENAMETOOLONG with a sentence. */
int path_set(struct path *p, const char *bytes, u32 len);
int path_add(struct path *p, const char *name, u32 len); /* behind a '/' unless empty */

static inline int path_copy(struct path *p, const struct path *from)
{
	return path_set(p, from->buf, from->len);
}

bool path_equal(const struct path *a, const struct path *b);

/* Whether the first bytes of @p are those of @start. */
bool path_begins(const struct path *p, const struct path *start);

#endif
