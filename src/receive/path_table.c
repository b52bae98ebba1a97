/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/path_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/checksum.h"

static u64 hash(const char *text, size_t len)
{
	return crc32c_raw(0, text, len);
}

static struct path_entry *find(const struct path_table *t, const char *text, size_t len)
{
	if (path_table_empty(t))
		return NULL;
	for (struct map_node *n = map_find(&t->map, hash(text, len)); n; n = map_next_same(n)) {
		struct path_entry *e = CONTAINER_OF(n, struct path_entry, node);

		if (e->len == len && !memcmp(e->text, text, len))
			return e;
	}
	return NULL;
}

int path_table_put(struct path_table *t, const char *text, size_t len, u64 value)
{
	struct path_entry *e = find(t, text, len);
	int ret;

	t->changes++;
	if (e) {
		e->value = value;
		return 0;
	}
	if (!t->map.buckets) {
		ret = map_init(&t->map);
		if (ret)
			return ret;
	}
	e = malloc(sizeof(*e) + len + 1);
	if (!e)
		return error_nomem(sizeof(*e) + len + 1);
	e->value = value;
	e->len = len;
	memcpy(e->text, text, len);
	e->text[len] = '\0';
	map_add(&t->map, &e->node, hash(text, len));
	return 0;
}

struct path_entry *path_table_find(const struct path_table *t, const struct tree_path *p)
{
	return find(t, p->text, p->len);
}

struct path_entry *path_table_next(const struct path_table *t, const struct path_entry *after)
{
	if (!t->map.buckets)
		return NULL;

	struct map_node *n = map_iterate(&t->map, after ? &after->node : NULL);

	return n ? CONTAINER_OF(n, struct path_entry, node) : NULL;
}

/* Any entry that @p covers. */
static struct path_entry *covered(const struct path_table *t, const struct tree_path *p)
{
	struct path_entry *e = NULL;

	while ((e = path_table_next(t, e)))
		if (tree_path_covers(p, e->text, e->len))
			break;
	return e;
}

static void drop(struct path_table *t, struct path_entry *e)
{
	map_remove(&t->map, &e->node);
	free(e);
	t->changes++;
}

void path_table_remove(struct path_table *t, const struct tree_path *p)
{
	struct path_entry *e;

	while ((e = covered(t, p)))
		drop(t, e);
}

int path_table_rename(struct path_table *t, const struct tree_path *from, const struct tree_path *to)
{
	struct path_entry *e;
	int ret = 0;

	if (path_table_empty(t) || !strcmp(from->text, to->text))
		return 0;
	path_table_remove(t, to);
	/* Where @to lies beneath @from no rename() is possible, so this ends. */
	while (!ret && !tree_path_covers(from, to->text, to->len) && (e = covered(t, from))) {
		char text[TREE_PATH_MAX];
		size_t rest = e->len - from->len;

		/* No command can name what has become too long. */
		if (to->len + rest <= sizeof(text)) {
			memcpy(text, to->text, to->len);
			memcpy(text + to->len, e->text + from->len, rest);
			ret = path_table_put(t, text, to->len + rest, e->value);
		}
		drop(t, e);
	}
	return ret;
}

void path_table_release(struct path_table *t)
{
	struct path_entry *e;

	while ((e = path_table_next(t, NULL)))
		drop(t, e);
	map_release(&t->map);
}
