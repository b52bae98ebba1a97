/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariant: a note stands in the journal before the mode is changed; so every mode that may be another one than the
 * tree's owner gave is noted there.
 */
#include "receive/opened.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "receive/journal.h"

static int make_room(struct opened *o)
{
	size_t capacity = o->capacity ? o->capacity * 2 : 16;
	struct opened_mode *grown;

	if (o->count < o->capacity)
		return 0;
	grown = reallocarray(o->mode, capacity, sizeof(*grown));
	if (!grown)
		return error_nomem(capacity * sizeof(*grown));
	o->mode = grown;
	o->capacity = capacity;
	return 0;
}

int opened_write(struct journal *j, const struct opened_mode *m)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(j), ENTRY_OPENED);
	entry_put(&w, m->tree, sizeof(m->tree));
	entry_put_u32(&w, m->mode);
	entry_put(&w, m->path, m->len);
	return journal_append(j, &w);
}

/* In memory alone. */
static int push(struct opened *o, const u8 *tree, const char *path, size_t len, mode_t mode)
{
	int ret = make_room(o);
	char *copy = ret ? NULL : malloc(len + 1);

	if (ret)
		return ret;
	if (!copy)
		return error_nomem(len + 1);
	memcpy(copy, path, len);
	copy[len] = '\0';

	struct opened_mode *m = &o->mode[o->count++];

	*m = (struct opened_mode){.mode = mode, .len = len, .path = copy};
	memcpy(m->tree, tree, sizeof(m->tree));
	return 0;
}

static void take_out(struct opened *o, size_t i)
{
	free(o->mode[i].path);
	o->count--;
	memmove(&o->mode[i], &o->mode[i + 1], (o->count - i) * sizeof(*o->mode));
}

/* The newest of that path; count if there is none. */
static size_t find(const struct opened *o, const u8 *tree, const char *path, size_t len)
{
	for (size_t i = o->count; i--;) {
		const struct opened_mode *m = &o->mode[i];

		if (m->len == len && !memcmp(m->path, path, len) && !memcmp(m->tree, tree, sizeof(m->tree)))
			return i;
	}
	return o->count;
}

int opened_add(struct opened *o, const u8 *tree, const char *path, size_t len, mode_t mode)
{
	int ret = push(o, tree, path, len, mode);

	if (ret || !o->journal || !journal_is_open(o->journal))
		return ret;
	ret = opened_write(o->journal, &o->mode[o->count - 1]);
	if (ret)
		take_out(o, o->count - 1);
	return ret;
}

void opened_remove(struct opened *o, const u8 *tree, const char *path, size_t len)
{
	size_t i = find(o, tree, path, len);
	struct entry_writer w;

	if (i == o->count)
		return;
	/* @tree and @path may be the note's own. */
	if (o->journal && journal_is_open(o->journal)) {
		entry_begin(&w, journal_buffer(o->journal), ENTRY_CLOSED);
		entry_put(&w, tree, 16);
		entry_put(&w, path, len);
		journal_append(o->journal, &w);
	}
	take_out(o, i);
}

int opened_read(struct opened *o, struct entry *e)
{
	const u8 *tree = entry_bytes(e, 16);
	mode_t mode = e->type == ENTRY_OPENED ? entry_u32(e) & 07777 : 0;
	size_t len;
	const char *path = entry_rest(e, &len);

	if (e->bad || memchr(path, '\0', len))
		return -EINVAL;
	if (e->type == ENTRY_OPENED)
		return push(o, tree, path, len, mode);

	size_t i = find(o, tree, path, len);

	if (i < o->count)
		take_out(o, i);
	return 0;
}

void opened_release(struct opened *o)
{
	while (o->count)
		take_out(o, o->count - 1);
	free(o->mode);
	*o = (struct opened){.journal = o->journal};
}
