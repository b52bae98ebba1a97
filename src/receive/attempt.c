/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/attempt.h"

#include <errno.h>

#include "receive/grant.h"

static int by_name(struct attempt *a)
{
	a->dir = beneath_parent(&a->h->beneath, a->op->path);
	a->name = tree_path_name(a->op->path);
	return a->dir < 0 ? a->dir : 0;
}

int attempt_init(struct attempt *a, struct host_tree *h, const struct operation *op)
{
	*a = (struct attempt){.h = h, .op = op, .host = h->host};
	if (!host_tree_has_open(h, op->path))
		return by_name(a);
	a->dir = h->file;
	a->name = ".";
	return 0;
}

int attempt_call(struct attempt *a, int (*call)(struct attempt *a))
{
	struct grant g;
	int ret = call(a);

	if (ret != -EACCES || by_name(a) || !grant_begin(&g, a->host, a->dir, a->opens_file ? a->name : NULL))
		return ret;
	ret = call(a);
	/* The root is the directory that was opened up for itself. */
	if (!ret && a->sets_mode && !a->op->path->len)
		grant_keep_directory(&g);
	a->failed = ret == -EACCES && g.error;
	return grant_end(&g, ret);
}
