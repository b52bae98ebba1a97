/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/paths.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

static struct path_node *make_node(struct arena *a, struct path_node *parent, const char *name, size_t len)
{
	struct path_node *n = arena_alloc(a, sizeof(*n) + len);

	if (!n)
		return NULL;
	n->parent = parent;
	n->name_len = (u16)len;
	if (!parent)
		return n;
	memcpy(n->name, name, len);
	n->sibling = parent->children;
	parent->children = n;
	return n;
}

int paths_init(struct paths *p, struct arena *arena)
{
	int ret = map_init(&p->names);

	p->arena = arena;
	p->top = ret ? NULL : make_node(arena, NULL, NULL, 0);
	return ret ? ret : p->top ? 0 : -ENOMEM;
}

void paths_release(struct paths *p)
{
	map_release(&p->names);
	*p = (struct paths){0};
}

int paths_child(struct paths *p, struct path_node *parent, const char *name, size_t len,
		struct path_node **out)
{
	/* The seed is an address that nobody who makes an image can know, so that no names can be chosen to
	 * have the same hash. */
	u64 key = XXH3_64bits_withSeed(name, len, (u64)(uintptr_t)parent);

	for (struct map_node *m = map_find(&p->names, key); m; m = map_next_same(m)) {
		struct path_node *n = CONTAINER_OF(m, struct path_node, in_names);

		if (n->parent == parent && n->name_len == len && !memcmp(n->name, name, len)) {
			*out = n;
			return 0;
		}
	}

	struct path_node *n = make_node(p->arena, parent, name, len);

	if (!n)
		return -ENOMEM;
	map_add(&p->names, &n->in_names, key);
	*out = n;
	return 0;
}

int path_name_order(const struct path_node *a, const struct path_node *b)
{
	int order = memcmp(a->name, b->name, min_u64(a->name_len, b->name_len));

	return order ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int node_order(const void *a, const void *b)
{
	return path_name_order(*(struct path_node *const *)a, *(struct path_node *const *)b);
}

static int sort_children(struct path_node *dir)
{
	struct path_node **sorted;
	size_t count = 0, i = 0;

	for (struct path_node *n = dir->children; n; n = n->sibling)
		count++;
	if (count < 2)
		return 0;
	sorted = reallocarray(NULL, count, sizeof(*sorted));
	if (!sorted)
		return error_nomem(count * sizeof(*sorted));
	for (struct path_node *n = dir->children; n; n = n->sibling)
		sorted[i++] = n;
	qsort(sorted, count, sizeof(*sorted), node_order);
	dir->children = NULL;
	while (i--) {
		sorted[i]->sibling = dir->children;
		dir->children = sorted[i];
	}
	free(sorted);
	return 0;
}

int paths_next(struct path_node *node, struct path_node **out)
{
	if (node->children) {
		int ret = sort_children(node);

		*out = node->children;
		return ret;
	}
	while (node && !node->sibling)
		node = node->parent;
	*out = node ? node->sibling : NULL;
	return 0;
}

int path_text(const struct path_node *node, struct buffer *out)
{
	size_t len = 0;
	int ret;

	buffer_clear(out);
	if (!node->parent) {
		ret = buffer_append(out, ".", 2);
		out->len -= ret ? 0 : 1;
		return ret;
	}
	for (const struct path_node *n = node; n->parent; n = n->parent)
		len += n->name_len + 1u; /* with a slash in front, or the NUL behind all */
	ret = buffer_reserve(out, len);
	if (ret)
		return ret;
	out->len = --len;
	out->data[len] = '\0';
	for (const struct path_node *n = node; n->parent; n = n->parent) {
		len -= n->name_len;
		memcpy(out->data + len, n->name, n->name_len);
		if (len)
			out->data[--len] = '/';
	}
	return 0;
}
