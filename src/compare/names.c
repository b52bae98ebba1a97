/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/names.h"

#include <stdlib.h>

#include "base/error.h"

int names_add(struct names *n, struct side *s, u64 owner, u64 dir, const char *name, size_t len)
{
	struct name it = {.owner = owner, .dir_ino = dir};
	int ret = side_directory(s, dir, &it.dir);

	if (!ret)
		ret = paths_child(s->paths, it.dir->path, name, len, &it.path);
	if (ret)
		return ret;
	if (n->count == n->capacity) {
		size_t capacity = n->capacity ? 2 * n->capacity : 16;
		struct name *grown = reallocarray(n->v, capacity, sizeof(*grown));

		if (!grown)
			return error_nomem(capacity * sizeof(*grown));
		n->v = grown;
		n->capacity = capacity;
	}
	n->v[n->count++] = it;
	return 0;
}

void names_release(struct names *n)
{
	free(n->v);
	*n = (struct names){0};
}

static int order_u64(u64 a, u64 b)
{
	return (a > b) - (a < b);
}

int name_order_owner(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return order_u64(x->owner, y->owner);
}

int name_order_place(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	const struct directory *d = x->dir, *e = y->dir;
	int order = order_u64(x->dir_ino, y->dir_ino);

	if (!order)
		order = order_u64(d->generation, e->generation);
	if (!order)
		order = order_u64((u64)d->otime.sec, (u64)e->otime.sec);
	if (!order)
		order = order_u64(d->otime.nsec, e->otime.nsec);
	return order ? order : path_name_order(x->path, y->path);
}

int name_order_path(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return order_u64((uintptr_t)x->path, (uintptr_t)y->path);
}

void names_cancel(struct name *a, size_t *a_count, struct name *b, size_t *b_count,
		  int (*order)(const void *, const void *))
{
	size_t i = 0, j = 0, a_left = 0, b_left = 0;

	if (*a_count)
		qsort(a, *a_count, sizeof(*a), order);
	if (*b_count)
		qsort(b, *b_count, sizeof(*b), order);
	while (i < *a_count || j < *b_count) {
		int c = i == *a_count ? 1 : j == *b_count ? -1 : order(&a[i], &b[j]);

		if (c < 0)
			a[a_left++] = a[i++];
		else if (c > 0)
			b[b_left++] = b[j++];
		else
			i++, j++;
	}
	*a_count = a_left;
	*b_count = b_left;
}
