/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/directory.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "receive/grant.h"
#include "receive/host_target.h"
#include "receive/record.h"
#include "receive/tree_copy.h"
#include "receive/tree_remove.h"

/* As open_received of the table; @r is its record then. */
static int open_recorded(struct host_target *h, const u8 *uuid, struct record *r)
{
	char text[UUID_STR_LEN];
	int ret = record_read(r, h->host, h->dir, uuid);

	uuid_unparse_lower(uuid, text);
	if (ret == -ENOENT)
		return error_set(ENOENT, "no subvolume %s was received here", text);
	if (ret)
		return ret;

	int fd = grant_open_directory(h->host, h->dir, r->name);

	if (fd < 0) {
		ret = error_errno(errno, "subvolume %s was received as '%s'", text, r->name);
		record_release(r);
		return ret;
	}
	return fd;
}

static int directory_open_received(struct host_target *h, const u8 *uuid, u64 ctransid)
{
	struct record r;
	int fd = open_recorded(h, uuid, &r);

	if (fd >= 0)
		record_release(&r);
	return fd;
}

static int make_empty(struct host_target *h)
{
	if (h->host->ops->mkdir(h->host, h->dir, h->partial, 0700))
		return error_errno(errno, "create '%s'", h->partial);
	return host_target_open_fresh(h);
}

/* The parent's tree, and what could not be made in it. */
static int copy_parent(struct host_target *h, int from, int to, const struct record *parent)
{
	struct path_entry *e = NULL;
	int ret = tree_copy(h->host, from, to, &h->tree.notes.flags);

	while (!ret && (e = path_table_next(&parent->missing, e)))
		ret = path_table_put(&h->tree.notes.missing, e->text, e->len, e->value);
	return ret;
}

static int directory_make(struct host_target *h, const struct decoded_command *c)
{
	struct record parent;
	int ret = 0;

	if (c->type == STREAM_C_SUBVOL)
		return make_empty(h);

	int from = open_recorded(h, c->clone_uuid, &parent);

	if (from < 0)
		return error_wrap(from, "cannot find parent subvolume");

	int fd = make_empty(h);

	if (fd >= 0)
		ret = copy_parent(h, from, fd, &parent);
	if (ret)
		host_close(h->host, fd);
	host_close(h->host, from);
	record_release(&parent);
	return ret ? ret : fd;
}

static int directory_discard(struct host_target *h)
{
	return tree_remove(h->host, h->dir, h->partial);
}

static int directory_apply(struct host_target *h, const struct operation *op)
{
	int ret = host_target_source(h, op);

	return ret ? ret : host_tree_apply(&h->tree, op, &h->source);
}

static bool directory_is_sealed(struct host_target *h)
{
	return false; /* sealing it once more does no harm */
}

static int directory_seal(struct host_target *h)
{
	struct record r = {.ctransid = h->ctransid};
	struct path_entry *e = NULL;
	int ret = 0;

	memcpy(r.uuid, h->uuid, sizeof(r.uuid));
	snprintf(r.name, sizeof(r.name), "%s", h->name);
	while (!ret && (e = path_table_next(&h->tree.notes.missing, e)))
		ret = path_table_put(&r.missing, e->text, e->len, 0);
	if (!ret)
		ret = record_write(&r, h->host, h->dir);
	record_release(&r);
	return ret;
}

/* An immutable directory could not have been renamed. */
static int directory_done(struct host_target *h)
{
	return host_tree_seal_root(&h->tree);
}

static const struct host_kind directory_kind = {
	.open_received = directory_open_received,
	.make = directory_make,
	.discard = directory_discard,
	.apply = directory_apply,
	.is_sealed = directory_is_sealed,
	.seal = directory_seal,
	.done = directory_done,
};

int directory_target_new(struct target **out, int dir, const struct receive_options *options)
{
	return host_target_new(out, dir, options, &directory_kind);
}
