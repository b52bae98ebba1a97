/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What is made here is compared when it is there. */
static bool is_known(const struct rehearsal *r, const u8 *uuid, u64 ctransid)
{
	for (struct map_node *n = map_find(&r->known, get_le64(uuid)); n; n = map_next_same(n)) {
		const struct known_uuid *k = CONTAINER_OF(n, struct known_uuid, node);

		if (!memcmp(k->uuid, uuid, sizeof(k->uuid)) && (!k->from_outside || k->ctransid == ctransid))
			return true;
	}
	return false;
}

static int remember(struct rehearsal *r, const u8 *uuid, u64 ctransid, bool from_outside)
{
	struct known_uuid *k = malloc(sizeof(*k));

	if (!k)
		return error_nomem(sizeof(*k));
	memcpy(k->uuid, uuid, sizeof(k->uuid));
	k->ctransid = ctransid;
	k->from_outside = from_outside;
	map_add(&r->known, &k->node, get_le64(uuid));
	return 0;
}

static int need(struct rehearsal *r, const u8 *uuid, u64 ctransid, const char *what)
{
	int ret = 0;

	if (is_known(r, uuid, ctransid))
		return 0;
	if (r->target)
		ret = r->target->ops->find(r->target, uuid, ctransid);
	return ret ? error_wrap(ret, "%s", what) : remember(r, uuid, ctransid, true);
}

static int check_order(struct rehearsal *r, const struct decoded_command *c)
{
	struct operation op = {.c = c, .path = &r->path};
	int ret = 0;

	switch (c->type) {
	case STREAM_C_SUBVOL:
	case STREAM_C_SNAPSHOT:
		r->subvolumes++;
		r->within = true;
		if (r->target)
			ret = r->target->ops->may_begin(r->target, &op);
		if (!ret && c->type == STREAM_C_SNAPSHOT)
			ret = need(r, c->clone_uuid, c->clone_ctransid, "cannot find parent subvolume");
		return ret ? ret : remember(r, c->uuid, c->ctransid, false);
	case STREAM_C_END:
		r->within = false;
		return 0;
	}
	if (!r->within)
		return error_set(EINVAL, "a command outside of any subvolume");
	if (c->type == STREAM_C_UPDATE_EXTENT && r->target && r->target->options.strict)
		return target_skip(r->target, SKIPPED_DATA, ENODATA);
	if (c->type == STREAM_C_CLONE)
		return need(r, c->clone_uuid, c->clone_ctransid, "did not find source subvol");
	return 0;
}

static int on_command(struct stream_sink *s, const struct decoded_command *c)
{
	struct rehearsal *r = CONTAINER_OF(s, struct rehearsal, sink);
	int ret = applier_check(c, &r->path, &r->other);

	if (!ret)
		ret = check_order(r, c);
	if (ret)
		return applier_wrap(c, 0, ret);
	r->count[c->type]++;
	r->bytes[c->type] += c->len;
	if (c->type == STREAM_C_WRITE)
		r->data += c->data.len;
	else if (c->type == STREAM_C_ENCODED_WRITE)
		r->data += c->unencoded_file_len;
	return 0;
}

static int on_header(struct stream_sink *s, u32 version)
{
	struct rehearsal *r = CONTAINER_OF(s, struct rehearsal, sink);

	r->streams++;
	r->version = version;
	return 0;
}

const struct known_uuid *rehearsal_next_need(const struct rehearsal *r, const struct known_uuid *after)
{
	struct map_node *n = after ? (struct map_node *)&after->node : NULL;

	while ((n = map_iterate(&r->known, n))) {
		struct known_uuid *k = CONTAINER_OF(n, struct known_uuid, node);

		if (k->from_outside)
			return k;
	}
	return NULL;
}

int rehearsal_init(struct rehearsal *r, struct target *t)
{
	*r = (struct rehearsal){.sink = {on_header, on_command, NULL}, .target = t};
	return map_init(&r->known);
}

void rehearsal_release(struct rehearsal *r)
{
	struct map_node *n;

	while (r->known.buckets && (n = map_iterate(&r->known, NULL))) {
		map_remove(&r->known, n);
		free(CONTAINER_OF(n, struct known_uuid, node));
	}
	map_release(&r->known);
}
