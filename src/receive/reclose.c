/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/reclose.h"

#include "receive/beneath.h"

void reclose(struct host *h, int root, const struct opened_mode *m)
{
	struct tree_path p;
	struct beneath b;
	int dir;

	if (tree_path_set(&p, (struct stream_bytes){m->path, (u32)m->len}))
		return;
	beneath_init(&b, h, root);
	dir = beneath_parent(&b, &p);
	if (dir >= 0)
		h->ops->chmod(h, dir, tree_path_name(&p), m->mode);
	beneath_release(&b);
}
