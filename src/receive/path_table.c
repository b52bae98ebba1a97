/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. Every entry but the root has a parent, is on its list of children, and in the map by its parent's id
 *    and its name.  An id is never given out twice, and stays when the entry is renamed.
 * 2. An entry without a note has children: others are taken away at once, the root with them.
 * 3. An entry is in @links exactly if its note has a number there.
 */
#include "receive/path_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/seed.h"

static u64 key_of(const struct path_table *t, const struct path_entry *parent, const char *name, size_t len)
{
	return XXH3_64bits_withSeed(name, len, t->seed ^ parent->id * 0x9e3779b97f4a7c15ull);
}

static struct path_entry *child(const struct path_table *t, const struct path_entry *parent, const char *name,
				size_t len)
{
	for (struct map_node *n = map_find(&t->map, key_of(t, parent, name, len)); n; n = map_next_same(n)) {
		struct path_entry *e = CONTAINER_OF(n, struct path_entry, node);

		if (e->parent == parent && e->len == len && !memcmp(e->name, name, len))
			return e;
	}
	return NULL;
}

/* The next name of [*@text, @end): its length, and *@text goes behind it and its slash. */
static const char *next_name(const char **text, const char *end, size_t *len)
{
	const char *name = *text, *slash = memchr(name, '/', (size_t)(end - name));

	*len = (size_t)((slash ? slash : end) - name);
	*text = slash ? slash + 1 : end;
	return name;
}

static struct path_entry *find(const struct path_table *t, const char *text, size_t len)
{
	const char *end = text + len;
	struct path_entry *e = t->root;

	while (e && text < end) {
		size_t n;
		const char *name = next_name(&text, end, &n);

		e = child(t, e, name, n);
	}
	return e;
}

static void attach(struct path_table *t, struct path_entry *e, struct path_entry *parent)
{
	e->parent = parent;
	list_add_tail(&parent->children, &e->sibling);
	map_add(&t->map, &e->node, key_of(t, parent, e->name, e->len));
}

static void detach(struct path_table *t, struct path_entry *e)
{
	list_remove(&e->sibling);
	map_remove(&t->map, &e->node);
}

static void set_note(struct path_table *t, struct path_entry *e, struct note note)
{
	if (e->note.links)
		map_remove(&t->links, &e->linked);
	e->note = note;
	if (note.links)
		map_add(&t->links, &e->linked, note.links);
}

/* An entry that is nowhere yet. */
static struct path_entry *entry_new(struct path_table *t, const char *name, size_t len)
{
	struct path_entry *e = calloc(1, sizeof(*e));
	char *copy = malloc(len + 1);

	if (!e || !copy) {
		free(e);
		free(copy);
		error_nomem(sizeof(*e) + len + 1);
		return NULL;
	}
	memcpy(copy, name, len);
	copy[len] = '\0';
	e->name = copy;
	e->len = len;
	e->id = ++t->last_id;
	list_init(&e->children);
	list_init(&e->sibling);
	return e;
}

static void entry_free(struct path_entry *e)
{
	free(e->name);
	free(e);
}

static void release_maps(struct path_table *t)
{
	map_release(&t->map);
	map_release(&t->links);
}

/* Take away @e, and what of its parents is of no use without it. */
static void prune(struct path_table *t, struct path_entry *e)
{
	while (e && note_is_empty(&e->note) && list_empty(&e->children)) {
		struct path_entry *parent = e->parent;

		if (parent)
			detach(t, e);
		else
			t->root = NULL;
		entry_free(e);
		e = parent;
	}
	if (!t->root)
		release_maps(t);
}

/* Take away @e and all beneath it. */
static void drop(struct path_table *t, struct path_entry *e)
{
	struct path_entry *parent = e->parent;

	for (struct path_entry *at = e, *up = NULL; at; at = up) {
		if (!list_empty(&at->children)) {
			up = LIST_ENTRY(at->children.next, struct path_entry, sibling);
			continue;
		}
		up = at == e ? NULL : at->parent;
		set_note(t, at, (struct note){0});
		if (at->parent)
			detach(t, at);
		else
			t->root = NULL;
		entry_free(at);
	}
	prune(t, parent);
}

static int make_root(struct path_table *t)
{
	if (t->root)
		return 0;

	int ret = map_init(&t->map);

	if (!ret)
		ret = map_init(&t->links);
	if (!ret) {
		t->seed = seed_new();
		t->root = entry_new(t, "", 0);
		ret = t->root ? 0 : -ENOMEM;
	}
	if (ret)
		release_maps(t);
	return ret;
}

/* The entry of [@text, @text + @len), made with all above it where it is not there.  NULL without memory. */
static struct path_entry *make(struct path_table *t, const char *text, size_t len)
{
	const char *end = text + len;
	struct path_entry *e;

	if (make_root(t))
		return NULL;
	e = t->root;
	while (text < end) {
		size_t n;
		const char *name = next_name(&text, end, &n);
		struct path_entry *below = child(t, e, name, n);

		if (!below) {
			below = entry_new(t, name, n);
			if (!below) {
				prune(t, e);
				return NULL;
			}
			attach(t, below, e);
		}
		e = below;
	}
	return e;
}

int path_table_put(struct path_table *t, const char *text, size_t len, const struct note *note)
{
	struct path_entry *e = note_is_empty(note) ? find(t, text, len) : make(t, text, len);

	if (e) {
		set_note(t, e, *note);
		prune(t, e);
		return 0;
	}
	return note_is_empty(note) ? 0 : -ENOMEM;
}

const struct note *path_table_find_path(const struct path_table *t, const char *text, size_t len)
{
	struct path_entry *e = find(t, text, len);

	return e && !note_is_empty(&e->note) ? &e->note : NULL;
}

const struct note *path_table_find(const struct path_table *t, const struct tree_path *p)
{
	return path_table_find_path(t, p->text, p->len);
}

void path_table_remove(struct path_table *t, const struct tree_path *p)
{
	struct path_entry *e = find(t, p->text, p->len);

	if (e)
		drop(t, e);
}

/* Hang @e under @to, which is not there. */
static int move(struct path_table *t, struct path_entry *e, const struct tree_path *to)
{
	const char *last = tree_path_name(to);
	size_t len = to->len - (size_t)(last - to->text);
	char *name = malloc(len + 1);
	struct path_entry *parent = name ? make(t, to->text, to->parent_len) : NULL, *was = e->parent;

	if (!parent) {
		free(name);
		drop(t, e);
		return error_nomem(len + 1);
	}
	memcpy(name, last, len + 1);
	detach(t, e);
	free(e->name);
	e->name = name;
	e->len = len;
	attach(t, e, parent);
	prune(t, was);
	return 0;
}

int path_table_rename(struct path_table *t, const struct tree_path *from, const struct tree_path *to)
{
	struct path_entry *e;

	/* No rename() takes the root, puts something beneath itself, or replaces a directory above. */
	if (tree_path_covers(from, to->text, to->len) || tree_path_covers(to, from->text, from->len))
		return 0;
	path_table_remove(t, to);
	e = find(t, from->text, from->len);
	return e ? move(t, e, to) : 0;
}

struct path_entry *path_table_next(const struct path_table *t, const struct path_entry *after)
{
	struct map_node *n = after && after->parent ? (struct map_node *)&after->node : NULL;

	if (!t->root)
		return NULL;
	if (!after && !note_is_empty(&t->root->note))
		return t->root;
	while ((n = map_iterate(&t->map, n))) {
		struct path_entry *e = CONTAINER_OF(n, struct path_entry, node);

		if (!note_is_empty(&e->note))
			return e;
	}
	return NULL;
}

struct path_entry *path_table_linked(const struct path_table *t, u64 links, const struct path_entry *after)
{
	struct map_node *n = NULL;

	if (after)
		n = map_next_same(&after->linked);
	else if (t->root)
		n = map_find(&t->links, links);
	return n ? CONTAINER_OF(n, struct path_entry, linked) : NULL;
}

int path_table_path(const struct path_entry *e, struct buffer *path)
{
	size_t len = 0;
	char *at;
	int ret;

	for (const struct path_entry *p = e; p->parent; p = p->parent)
		len += p->len + !!p->parent->parent;
	ret = buffer_reserve(path, len + 1);
	if (ret)
		return ret;
	at = (char *)path->data + path->len + len;
	*at = '\0';
	for (const struct path_entry *p = e; p->parent; p = p->parent) {
		at -= p->len;
		memcpy(at, p->name, p->len);
		if (p->parent->parent)
			*--at = '/';
	}
	path->len += len;
	return 0;
}

void path_table_release(struct path_table *t)
{
	if (t->root)
		drop(t, t->root);
	*t = (struct path_table){0};
}
