/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int reserve(struct path *p, u32 len)
{
	if (len > PATH_LEN_MAX)
		return error_set(ENAMETOOLONG, "a path of %u bytes is longer than the %u of a stream",
				 len, PATH_LEN_MAX);
	if (p->capacity > len)
		return 0;

	u32 capacity = p->capacity ? p->capacity : 128;

	while (capacity <= len)
		capacity *= 2;

	char *buf = realloc(p->buf, capacity);

	if (!buf)
		return error_nomem(capacity);
	p->buf = buf;
	p->capacity = capacity;
	return 0;
}

void path_release(struct path *p)
{
	free(p->buf);
	*p = (struct path){0};
}

int path_set(struct path *p, const char *bytes, u32 len)
{
	int ret = reserve(p, len);

	if (ret)
		return ret;
	if (len)
		memcpy(p->buf, bytes, len);
	p->buf[len] = '\0';
	p->len = len;
	return 0;
}

int path_add(struct path *p, const char *name, u32 len)
{
	u32 slash = p->len ? 1 : 0;
	int ret = reserve(p, p->len + slash + len);

	if (ret)
		return ret;
	if (slash)
		p->buf[p->len++] = '/';
	memcpy(p->buf + p->len, name, len);
	p->len += len;
	p->buf[p->len] = '\0';
	return 0;
}

bool path_equal(const struct path *a, const struct path *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->buf, b->buf, a->len));
}

bool path_begins(const struct path *p, const struct path *start)
{
	return p->len >= start->len && (!start->len || !memcmp(p->buf, start->buf, start->len));
}
