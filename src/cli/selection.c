/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/selection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "send/choose.h"

/* How a selection comes about. */
struct search {
	struct selection *to;
	struct filesystem *fs;
	const struct send_arguments *a;
	const struct subvolume *parent; /* as -p says; NULL: it does not */
};

static struct subvolume *add_source(struct selection *s, const struct subvolume *sv)
{
	s->sources[s->source_count] = *sv;
	return &s->sources[s->source_count++];
}

static int find_sources(struct search *f)
{
	struct selection *s = f->to;
	struct subvolume sv;
	int ret = 0;

	for (size_t i = 0; i < f->a->clone_count; i++) {
		ret = subvolume_find(f->fs, f->a->clones[i], &sv);
		if (ret)
			return error_wrap(ret, "clone source");
		add_source(s, &sv);
	}
	if (!f->a->parent)
		return 0;
	ret = subvolume_find(f->fs, f->a->parent, &sv);
	if (ret)
		return error_wrap(ret, "parent");
	f->parent = add_source(s, &sv);
	return 0;
}

/* A subvolume for messages: its path, or how the top level is called. */
static const char *path_of(struct search *f, const struct subvolume *sv, struct buffer *buf)
{
	buffer_clear(buf);
	if (sv->id == FS_TREE_OBJECTID)
		return "/";
	return subvolume_path(f->fs, sv, buf) ? sv->name : (const char *)buf->data;
}

static const char *verdict_text(const struct choice *c)
{
	if (c->chosen)
		return c->verdict == CHOICE_ORIGIN
			       ? "chosen as parent: the subvolume is a snapshot of it"
			       : "chosen as parent: a snapshot of the same subvolume, the nearest";
	switch (c->verdict) {
	case CHOICE_ORIGIN:
		return "clone source: the subvolume is a snapshot of it";
	case CHOICE_SIBLING:
		return "clone source: a snapshot of the same subvolume, but farther away";
	default:
		return "clone source: not a snapshot of the same subvolume";
	}
}

static void explain(struct search *f, const struct subvolume *sv, const struct choice *choices)
{
	const struct selection *all = f->to;
	struct buffer buf = {0};

	fprintf(stderr, "%s (id %" PRIu64 "): %s\n", path_of(f, sv, &buf), sv->id,
		all->source_count ? "an incremental stream" : "a full stream, nothing to build on was given");
	for (size_t i = 0; i < all->source_count; i++) {
		const struct subvolume *s = &all->sources[i];

		fprintf(stderr, "  %s (id %" PRIu64 "): ", path_of(f, s, &buf), s->id);
		if (choices)
			fprintf(stderr, "%s", verdict_text(&choices[i]));
		else
			fprintf(stderr, "%s", f->parent && s->id == f->parent->id
						      ? "parent, as -p says, and clone source"
						      : "clone source");
		if (choices && choices[i].verdict == CHOICE_SIBLING)
			fprintf(stderr, " (%" PRIu64 " generations)", choices[i].distance);
		fputc('\n', stderr);
	}
	buffer_release(&buf);
}

/* The parent of @it: as -p says, or the best of the clone sources. */
static int choose_parent(struct search *f, struct selected *it)
{
	const struct selection *s = f->to;
	struct choice *choices = NULL;
	size_t best;
	int ret = 0;

	it->parent = f->parent;
	if (!f->parent && s->source_count) {
		choices = calloc(s->source_count, sizeof(*choices));
		if (!choices)
			return error_nomem(s->source_count * sizeof(*choices));
		ret = send_choose_parent(f->fs, &it->subvolume, s->sources, s->source_count, choices, &best);
		if (!ret)
			it->parent = &s->sources[best];
	}
	if (f->a->explain)
		explain(f, &it->subvolume, choices);
	free(choices);
	return ret;
}

static int find_item(struct search *f, struct selected *it)
{
	int ret = subvolume_find(f->fs, it->word, &it->subvolume);

	if (!ret)
		ret = choose_parent(f, it);
	if (ret)
		return error_wrap(ret, "send %s", it->word);
	it->source_count = f->to->source_count;
	/* Without -p each subvolume may be built upon by the next ones. */
	if (f->a->clone_count && !f->a->parent)
		add_source(f->to, &it->subvolume);
	return 0;
}

int selection_find(struct selection *s, struct filesystem *fs, const struct send_arguments *a)
{
	/* Each source stays where it is: items point to it. */
	const size_t source_max = a->clone_count + 1 + a->subvol_count;
	struct search f = {.to = s, .fs = fs, .a = a};
	int ret;

	*s = (struct selection){.items = calloc(a->subvol_count, sizeof(*s->items)),
				.sources = calloc(source_max, sizeof(*s->sources))};
	if (!s->items || !s->sources)
		return error_nomem(source_max * sizeof(*s->sources));
	ret = find_sources(&f);
	for (; !ret && s->count < a->subvol_count; s->count++) {
		s->items[s->count].word = a->subvols[s->count];
		ret = find_item(&f, &s->items[s->count]);
	}
	return ret;
}

void selection_release(struct selection *s)
{
	free(s->items);
	free(s->sources);
	*s = (struct selection){0};
}
