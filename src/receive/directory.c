/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. While a subvolume is received its tree is DIR/@partial and nothing has its final name; @tree.root
 *    is open on it.  The final name comes with one rename, behind a flush of everything.
 * 2. The record of a tree (receive/record.h) is there before its name is: a crash between the two leaves
 *    a record that leads nowhere, never a tree that cannot be a parent.
 */
#include "receive/directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "receive/at.h"
#include "receive/host_tree.h"
#include "receive/partial.h"
#include "receive/record.h"
#include "receive/tree_copy.h"

struct directory {
	struct target target;
	int dir;
	struct host_tree tree;
	struct record record;         /* of the tree that is being received */
	char partial[NAME_MAX + 1];   /* its name until then; "" when there is none */

	/* The other tree that was cloned from last. */
	u8 source_uuid[16];
	int source_root; /* -1: none */
	struct beneath source;
};

static struct directory *directory_of(struct target *t)
{
	return CONTAINER_OF(t, struct directory, target);
}

/* The root of the tree that was received as @uuid, open; @r is its record. */
static int open_received(struct directory *d, const u8 *uuid, struct record *r)
{
	char text[UUID_STR_LEN];
	int ret = record_read(r, d->dir, uuid);

	uuid_unparse_lower(uuid, text);
	if (ret == -ENOENT)
		return error_set(ENOENT, "no subvolume %s was received here", text);
	if (ret)
		return ret;

	int fd = openat(d->dir, r->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		ret = error_errno(errno, "subvolume %s was received as '%s'", text, r->name);
		record_release(r);
		return ret;
	}
	return fd;
}

static int directory_find(struct target *t, const u8 *uuid, u64 ctransid)
{
	struct record r;
	int fd = open_received(directory_of(t), uuid, &r);

	if (fd < 0)
		return fd;
	close(fd);
	record_release(&r);
	return 0;
}

/* Make the empty root under the temporary name. */
static int make_root(struct directory *d)
{
	if (mkdirat(d->dir, d->partial, 0700)) {
		int ret = error_errno(errno, "create '%s'", d->partial);

		d->partial[0] = '\0';
		return ret;
	}

	int fd = openat(d->dir, d->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(errno, "open '%s'", d->partial);
	/* What DIR hands down is no part of the subvolume. */
	at_removexattr(fd, ".", "system.posix_acl_default");
	at_removexattr(fd, ".", "system.posix_acl_access");
	return fd;
}

static int begin_subvol(struct directory *d)
{
	int fd = make_root(d);

	return fd < 0 ? fd : host_tree_open(&d->tree, fd);
}

static int begin_snapshot(struct directory *d, const struct decoded_command *c)
{
	struct path_entry *e = NULL;
	struct record parent;
	int from = open_received(d, c->clone_uuid, &parent);

	if (from < 0)
		return error_wrap(from, "cannot find parent subvolume");

	int fd = make_root(d), ret = fd < 0 ? fd : 0;

	if (!ret)
		ret = tree_copy(&d->target, from, fd, &d->tree.flags);
	if (!ret)
		ret = host_tree_open(&d->tree, fd);
	else if (fd >= 0)
		close(fd);
	while (!ret && (e = path_table_next(&parent.missing, e)))
		ret = path_table_put(&d->tree.missing, e->text, e->len, e->value);
	close(from);
	record_release(&parent);
	return ret;
}

static int new_name(struct directory *d, const struct operation *op, char partial[NAME_MAX + 1])
{
	if (!strcmp(op->path->text, RECORD_DIRECTORY))
		return error_set(EINVAL, "the name is taken by btrfly itself");
	return partial_name(d->dir, op->path->text, op->c->uuid, partial);
}

static int directory_may_begin(struct target *t, const struct operation *op)
{
	char partial[NAME_MAX + 1];

	return new_name(directory_of(t), op, partial);
}

static int directory_begin(struct target *t, const struct operation *op)
{
	struct directory *d = directory_of(t);
	const char *name = op->path->text;
	char partial[NAME_MAX + 1];
	int ret = new_name(d, op, partial);

	if (ret)
		return ret;
	host_tree_close(&d->tree);
	strcpy(d->partial, partial);
	d->record = (struct record){.ctransid = op->c->ctransid};
	memcpy(d->record.uuid, op->c->uuid, sizeof(d->record.uuid));
	strcpy(d->record.name, name);
	return op->c->type == STREAM_C_SUBVOL ? begin_subvol(d) : begin_snapshot(d, op->c);
}

static void close_source(struct directory *d)
{
	if (d->source_root < 0)
		return;
	beneath_release(&d->source);
	close(d->source_root);
	d->source_root = -1;
}

/* Make d->source the tree that was received as @uuid. */
static int open_source(struct directory *d, const u8 *uuid)
{
	struct record r;

	if (d->source_root >= 0 && !memcmp(d->source_uuid, uuid, sizeof(d->source_uuid)))
		return 0;
	close_source(d);

	int fd = open_received(d, uuid, &r);

	if (fd < 0)
		return error_wrap(fd, "did not find source subvol");
	record_release(&r);
	memcpy(d->source_uuid, uuid, sizeof(d->source_uuid));
	d->source_root = fd;
	beneath_init(&d->source, fd);
	return 0;
}

static int directory_apply(struct target *t, const struct operation *op)
{
	struct directory *d = directory_of(t);

	if (op->c->type == STREAM_C_CLONE && !op->within) {
		int ret = open_source(d, op->c->clone_uuid);

		if (ret)
			return ret;
	}
	return host_tree_apply(&d->tree, op, &d->source);
}

static int directory_finish(struct target *t)
{
	struct directory *d = directory_of(t);
	struct path_entry *e = NULL;
	int ret = 0;

	host_close_file(&d->tree);
	while (!ret && (e = path_table_next(&d->tree.missing, e)))
		ret = path_table_put(&d->record.missing, e->text, e->len, 0);
	if (!ret && syncfs(d->tree.root))
		ret = error_errno(errno, "flush '%s'", d->partial);
	if (!ret)
		ret = record_write(&d->record, d->dir);
	if (!ret)
		ret = partial_rename(d->dir, d->partial, d->record.name);
	if (ret)
		return ret;
	d->partial[0] = '\0';
	/* Behind the rename, which an immutable root would forbid. */
	ret = host_tree_seal(&d->tree);
	host_tree_close(&d->tree);
	record_release(&d->record);
	close_source(d);
	return ret;
}

static const char *directory_where(struct target *t)
{
	struct directory *d = directory_of(t);

	return d->partial[0] ? d->partial : NULL;
}

static void directory_free(struct target *t)
{
	struct directory *d = directory_of(t);

	host_tree_release(&d->tree);
	record_release(&d->record);
	close_source(d);
	close(d->dir);
	free(d);
}

static const struct target_ops directory_ops = {
	.find = directory_find,
	.may_begin = directory_may_begin,
	.begin = directory_begin,
	.apply = directory_apply,
	.finish = directory_finish,
	.where = directory_where,
	.free = directory_free,
};

int directory_target_new(struct target **out, int dir, const struct receive_options *options)
{
	struct directory *d = calloc(1, sizeof(*d));

	if (!d) {
		close(dir);
		return error_nomem(sizeof(*d));
	}
	d->target = (struct target){.ops = &directory_ops, .options = *options};
	d->dir = dir;
	d->source_root = -1;
	host_tree_init(&d->tree, &d->target);
	*out = &d->target;
	return 0;
}
