/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/directory.h"

#include <errno.h>
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

static bool is_other_tree(struct host_target *h, const struct record *r, int fd)
{
	struct tree_identity id;

	return r->tree.inode && (tree_identify(&id, h->host, fd) || !tree_identity_same(&id, &r->tree));
}

static int directory_open_received(struct host_target *h, const u8 *uuid, u64 ctransid, struct origin *o)
{
	struct record r;
	int fd = open_recorded(h, uuid, &r);

	if (fd < 0)
		return fd;
	*o = (struct origin){
		.transid = r.ctransid,
		.without_data = r.without_data,
		.other_tree = is_other_tree(h, &r, fd),
		.trusted = r.trusted,
		.left_out = r.notes.left_out,
	};
	record_release(&r);
	return fd;
}

static int directory_make(struct host_target *h, const struct decoded_command *c, int parent)
{
	const char *partial = h->receiving.partial;

	if (h->host->ops->mkdir(h->host, h->dir, partial, 0700))
		return error_errno(errno, "create '%s'", partial);
	return host_target_open_fresh(h);
}

/* The parent's tree, and what is noted of it. */
static int directory_fill(struct host_target *h, const struct decoded_command *c, int parent)
{
	struct record r;
	int ret = record_read(&r, h->host, h->dir, c->clone_uuid);

	if (ret)
		return ret;
	ret = tree_copy(h->host, parent, h->tree.root, &h->receiving.notes);
	if (!ret)
		ret = tree_notes_inherit(&h->receiving.notes, &r.notes);
	record_release(&r);
	return ret;
}

static int directory_discard(struct host_target *h, int fd)
{
	const char *partial = h->receiving.partial;

	if (fd >= 0)
		return tree_remove_open(h->host, h->dir, partial, fd);
	/* If it is ours it is empty. */
	return h->host->ops->unlink(h->host, h->dir, partial, AT_REMOVEDIR) ?
		       error_errno(errno, "remove '%s'", partial) :
		       0;
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
	const struct receiving *from = &h->receiving;
	struct record r = {
		.ctransid = from->ctransid,
		.without_data = tree_notes_left_out(&from->notes, SKIPPED_DATA),
		.trusted = from->trusted,
	};
	int lasts = tree_identity_lasts(&from->tree, h->host, h->tree.root);

	if (lasts < 0)
		return lasts;
	memcpy(r.uuid, from->uuid, sizeof(r.uuid));
	memcpy(r.name, from->name, sizeof(r.name));
	if (lasts)
		r.tree = from->tree;
	return record_write(&r, &from->notes, h->host, h->dir);
}

/* An immutable directory could not have been renamed. */
static int directory_done(struct host_target *h)
{
	return host_tree_seal_root(&h->tree);
}

static const struct host_kind directory_kind = {
	.open_received = directory_open_received,
	.make = directory_make,
	.fill = directory_fill,
	.discard = directory_discard,
	.apply = directory_apply,
	.is_sealed = directory_is_sealed,
	.seal = directory_seal,
	.done = directory_done,
	.removal = "rm -r",
};

int directory_target_new(struct target **out, int dir, const struct receive_options *options)
{
	return host_target_new(out, dir, options, &directory_kind);
}
