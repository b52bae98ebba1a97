/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. While a subvolume is received its tree is DIR/@partial and nothing has its final name; @tree.root
 *    is open on it.  The final name comes with one rename, behind a flush of everything.
 * 2. What finds the subvolume by its uuid is there before its name is: a crash between the two leaves
 *    something that leads nowhere, never a tree that cannot be a parent.
 * 3. The checkpoint is made before the tree and goes behind its final name.  It never claims a command
 *    that was not applied; of one that it does not claim yet some or all may have been.
 */
#include "receive/host_target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "receive/grant.h"
#include "receive/partial.h"
#include "receive/record.h"

static int host_find(struct target *t, const u8 *uuid, u64 ctransid)
{
	struct host_target *h = host_target_of(t);
	int fd = h->kind->open_received(h, uuid, ctransid);

	if (fd < 0)
		return fd;
	host_close(h->host, fd);
	return 0;
}

static int check_name(struct host_target *h, const struct operation *op, char partial[NAME_MAX + 1])
{
	if (!strcmp(op->path->text, RECORD_DIRECTORY))
		return error_set(EINVAL, "the name is taken by btrfly itself");
	return partial_name(h->host, h->dir, op->path->text, op->c->uuid, partial);
}

/* Whether the name of @op is taken by the very subvolume that it makes. */
static bool is_finished(struct host_target *h, const struct operation *op)
{
	struct host *host = h->host;
	struct stat here, found;

	if (host->ops->stat(host, h->dir, op->path->text, &here))
		return false;

	int fd = h->kind->open_received(h, op->c->uuid, op->c->ctransid);

	if (fd < 0)
		return false;

	bool same = !host->ops->stat(host, fd, ".", &found) && found.st_dev == here.st_dev &&
		    found.st_ino == here.st_ino;

	host_close(host, fd);
	return same;
}

static int host_may_begin(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);
	struct checkpoint c;
	char partial[NAME_MAX + 1];

	if (t->options.resume) {
		if (is_finished(h, op))
			return 0;

		int ret = checkpoint_open(&c, h->host, h->dir, op->c->uuid);

		checkpoint_release(&c);
		if (ret != -ENOENT)
			return ret;
	}
	return check_name(h, op, partial);
}

int host_target_open_partial(struct host_target *h)
{
	int fd = grant_open_directory(h->host, h->dir, h->partial);

	return fd < 0 ? error_errno(errno, "open '%s'", h->partial) : fd;
}

int host_target_open_fresh(struct host_target *h)
{
	struct host *host = h->host;
	int fd = host_target_open_partial(h);

	if (fd < 0)
		return fd;
	host->ops->removexattr(host, fd, ".", "system.posix_acl_default");
	host->ops->removexattr(host, fd, ".", "system.posix_acl_access");
	return fd;
}

/* Whatever was being received stays where it is. */
static void let_go(struct host_target *h)
{
	host_tree_close(&h->tree);
	checkpoint_release(&h->checkpoint);
	h->partial[0] = '\0';
}

static void start(struct host_target *h, const struct operation *op)
{
	size_t len = min_u64(op->path->len, NAME_MAX);

	let_go(h);
	memcpy(h->uuid, op->c->uuid, sizeof(h->uuid));
	h->ctransid = op->c->ctransid;
	memcpy(h->name, op->path->text, len);
	h->name[len] = '\0';
	h->keeps_checkpoints = true;
}

static int save_notes(struct host_target *h)
{
	u64 changes = tree_notes_changes(&h->tree.notes);
	int ret;

	if (changes == h->saved_changes)
		return 0;
	ret = checkpoint_save(&h->checkpoint, &h->tree.notes);
	if (!ret)
		h->saved_changes = changes;
	return ret;
}

/* A snapshot begins with its parent's times; only what changed since is in the stream. */
static int note_parents_times(struct host_target *h, const struct decoded_command *c)
{
	struct stat st;

	if (c->type != STREAM_C_SNAPSHOT)
		return 0;
	if (h->host->ops->stat(h->host, h->tree.root, ".", &st))
		return error_errno(errno, "stat '%s'", h->partial);
	tree_notes_set_times(&h->tree.notes, st.st_atim, st.st_mtim);
	return 0;
}

static int make(struct host_target *h, const struct operation *op)
{
	int ret = checkpoint_create(&h->checkpoint, h->host, h->dir, h->uuid, h->partial);

	if (ret)
		return ret;

	int fd = h->kind->make(h, op->c);

	if (fd < 0)
		return fd;
	host_tree_open(&h->tree, fd);
	ret = note_parents_times(h, op->c);
	return ret ? ret : save_notes(h);
}

/* Where nothing is recorded the folder was made for the checkpoint alone. */
static void drop_checkpoint(struct host_target *h)
{
	checkpoint_remove(&h->checkpoint);
	h->host->ops->unlink(h->host, h->dir, RECORD_DIRECTORY, AT_REMOVEDIR);
}

static int host_begin(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);
	struct stat st;
	int ret;

	start(h, op);
	ret = check_name(h, op, h->partial);
	if (ret) {
		h->partial[0] = '\0';
		return ret;
	}
	ret = make(h, op);
	if (ret && h->host->ops->stat(h->host, h->dir, h->partial, &st)) {
		/* Nothing was made, so nothing is left behind. */
		drop_checkpoint(h);
		h->partial[0] = '\0';
	}
	return ret;
}

static int host_apply(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);

	return h->kind->apply(h, op);
}

static int host_advance(struct target *t, u64 commands, u64 digest)
{
	struct host_target *h = host_target_of(t);

	if (!h->keeps_checkpoints)
		return 0;

	int ret = save_notes(h);

	return ret ? ret : checkpoint_advance(&h->checkpoint, commands, digest);
}

/* The partial tree of an earlier run, with its tables. */
static int take_up(struct host_target *h)
{
	int fd = host_target_open_partial(h);

	if (fd < 0)
		return fd;
	host_tree_open(&h->tree, fd);

	int ret = checkpoint_load(&h->checkpoint, &h->tree.notes);

	h->saved_changes = tree_notes_changes(&h->tree.notes);
	return ret;
}

static int host_resume(struct target *t, const struct operation *op, u64 *commands, u64 *digest)
{
	struct host_target *h = host_target_of(t);
	int ret;

	start(h, op);
	*commands = 0;
	if (is_finished(h, op)) {
		*commands = UINT64_MAX;
		return 0;
	}
	ret = checkpoint_open(&h->checkpoint, h->host, h->dir, h->uuid);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	snprintf(h->partial, sizeof(h->partial), "%s", h->checkpoint.partial);
	if (!h->checkpoint.commands) {
		/* The snapshot, or the copy for it, may be half made. */
		ret = h->kind->discard(h);
		if (!ret)
			checkpoint_remove(&h->checkpoint);
		h->partial[0] = '\0';
		return ret;
	}
	*commands = h->checkpoint.commands;
	*digest = h->checkpoint.digest;
	return take_up(h);
}

static void host_passed_over(struct target *t)
{
	struct host_target *h = host_target_of(t);

	h->keeps_checkpoints = false;
	drop_checkpoint(h);
}

static void close_source(struct host_target *h)
{
	if (h->source_root < 0)
		return;
	beneath_release(&h->source);
	host_close(h->host, h->source_root);
	h->source_root = -1;
}

int host_target_source(struct host_target *h, const struct operation *op)
{
	const u8 *uuid = op->c->clone_uuid;

	if (op->c->type != STREAM_C_CLONE || op->within)
		return 0;
	if (h->source_root >= 0 && !memcmp(h->source_uuid, uuid, sizeof(h->source_uuid)))
		return 0;
	close_source(h);

	int fd = h->kind->open_received(h, uuid, op->c->clone_ctransid);

	if (fd < 0)
		return error_wrap(fd, "did not find source subvol");
	memcpy(h->source_uuid, uuid, sizeof(h->source_uuid));
	h->source_root = fd;
	beneath_init(&h->source, h->host, fd);
	return 0;
}

static int seal(struct host_target *h)
{
	int ret = host_tree_seal(&h->tree);

	if (!ret && h->host->ops->syncfs(h->host, h->tree.root))
		ret = error_errno(errno, "flush '%s'", h->partial);
	return ret ? ret : h->kind->seal(h);
}

static int host_finish(struct target *t)
{
	struct host_target *h = host_target_of(t);
	int ret = h->kind->is_sealed(h) ? 0 : seal(h);

	if (!ret)
		ret = partial_rename(h->host, h->dir, h->partial, h->name);
	if (!ret)
		ret = h->kind->done(h);
	if (ret)
		return ret;
	drop_checkpoint(h);
	close_source(h);
	let_go(h);
	return 0;
}

static const char *host_where(struct target *t)
{
	struct host_target *h = host_target_of(t);

	return h->partial[0] ? h->partial : NULL;
}

static void host_free(struct target *t)
{
	struct host_target *h = host_target_of(t);

	let_go(h);
	close_source(h);
	host_tree_release(&h->tree);
	host_close(h->host, h->dir);
	free(h);
}

static const struct target_ops host_target_ops = {
	.find = host_find,
	.may_begin = host_may_begin,
	.begin = host_begin,
	.resume = host_resume,
	.apply = host_apply,
	.advance = host_advance,
	.passed_over = host_passed_over,
	.finish = host_finish,
	.where = host_where,
	.free = host_free,
};

int host_target_new(struct target **out, int dir, const struct receive_options *options,
		    const struct host_kind *kind)
{
	struct host_target *h = calloc(1, sizeof(*h));
	struct host own;

	host_init(&own);
	if (!h) {
		host_close(options->host ? options->host : &own, dir);
		return error_nomem(sizeof(*h));
	}
	checkpoint_prepare();
	checkpoint_init(&h->checkpoint);
	h->target = (struct target){.ops = &host_target_ops, .options = *options};
	h->kind = kind;
	h->own = own;
	h->host = options->host ? options->host : &h->own;
	h->dir = dir;
	h->source_root = -1;
	host_tree_init(&h->tree, h->host, &h->target);
	*out = &h->target;
	return 0;
}
