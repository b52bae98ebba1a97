/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. While a subvolume is received its tree is DIR/@receiving.partial and nothing has its final name; @tree.root
 *    is open on it.  The final name comes with one rename, behind a flush of everything.
 * 2. What finds the subvolume by its uuid is there before its name is: a crash between the two leaves
 *    something that leads nowhere, never a tree that cannot be a parent.
 * 3. @receiving is in state NOTHING, or its journal is locked.
 */
#include "receive/host_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "receive/entries.h"
#include "receive/grant.h"
#include "receive/host_root.h"
#include "receive/state_dir.h"

static bool is_same(const struct sent_as *s, const u8 *uuid, u64 ctransid)
{
	return s->known && s->ctransid == ctransid && !memcmp(s->uuid, uuid, sizeof(s->uuid));
}

static void remember(struct sent_as *s, const u8 *uuid, u64 ctransid)
{
	s->known = true;
	s->ctransid = ctransid;
	memcpy(s->uuid, uuid, sizeof(s->uuid));
}

/* What a stream builds on: a descriptor of its root. */
static int open_origin(struct host_target *h, const u8 *uuid, u64 ctransid)
{
	struct origin o = {0};
	int fd = h->kind->open_received(h, uuid, ctransid, &o), ret;

	/* One warning for each is enough. */
	if (fd < 0 || is_same(&h->doubted, uuid, ctransid))
		return fd;
	ret = origin_check(&o, &h->target, ctransid);
	if (ret) {
		host_close(h->host, fd);
		return ret;
	}
	remember(&h->doubted, uuid, ctransid);
	return fd;
}

static int host_find(struct target *t, const u8 *uuid, u64 ctransid)
{
	struct host_target *h = host_target_of(t);
	int fd = open_origin(h, uuid, ctransid);

	if (fd < 0)
		return fd;
	host_close(h->host, fd);
	return 0;
}

/* Whether the name of @op is taken by the very subvolume that it makes; then what is known of it is in @o. */
static bool is_finished(struct host_target *h, const struct operation *op, struct origin *o)
{
	struct host *host = h->host;
	struct stat here, found;

	*o = (struct origin){0};
	if (host->ops->stat(host, h->dir, op->path->text, &here))
		return false;

	int fd = h->kind->open_received(h, op->c->uuid, op->c->ctransid, o);

	if (fd < 0)
		return false;

	/* A subvolume that can be written to is sent with one uuid and many contents. */
	bool same = o->transid == op->c->ctransid && !o->other_tree && !host->ops->stat(host, fd, ".", &found) &&
		    found.st_dev == here.st_dev && found.st_ino == here.st_ino;

	host_close(host, fd);
	return same;
}

/* An earlier run left something out: with --strict that is an error still. */
static int check_left_out(struct host_target *h, u32 kinds, const char *name)
{
	char text[512];

	if (!kinds || !h->target.options.strict)
		return 0;
	skipped_kinds_text(kinds, text, sizeof(text));
	return error_set(EEXIST, "'%s' is there, from a run that left something out: %s", name, text);
}

/* What is whole already is passed over only if this run would have received it like that. */
static int check_finished(struct host_target *h, const struct operation *op, const struct origin *o)
{
	const char *name = op->path->text;

	if (o->without_data)
		return error_set(EEXIST, "'%s' is there already, and was received without data", name);
	if (h->target.options.untrusted && o->trusted)
		return error_set(EEXIST, "'%s' is there already, and it is not known that it was received with --untrusted",
				 name);
	return check_left_out(h, o->left_out, name);
}

int host_target_open_partial(struct host_target *h)
{
	int fd = grant_open_directory(h->host, h->dir, h->receiving.partial);

	return fd < 0 ? error_errno(errno, "open '%s'", h->receiving.partial) : fd;
}

static int check_empty(struct host_target *h, int fd)
{
	struct entries e;
	int ret = entries_init(&e, h->host);

	if (!ret)
		ret = entries_push(&e, fd, 0);
	if (!ret && !entries_none(&e))
		ret = error_set(ESTALE, "'%s' is not empty, and was only just made", h->receiving.partial);
	entries_release(&e);
	return ret;
}

/* Whoever owns DIR can put another directory in its place.  Nobody else may write into this one: what he had put there he
 * could exchange between any two calls. */
static int close_fresh(struct host_target *h, int fd)
{
	struct host *host = h->host;
	struct stat st;

	if (host->ops->stat(host, fd, ".", &st))
		return error_errno(errno, "stat '%s'", h->receiving.partial);
	if (!state_dir_is_ours(host, fd, &st))
		return error_set(ESTALE, "'%s' is owned by user %lu, and was only just made by user %lu",
				 h->receiving.partial, (unsigned long)st.st_uid, (unsigned long)host->user);
	/* Not every filesystem has modes. */
	if (st.st_mode & 0077)
		host->ops->chmod(host, fd, ".", 0700);
	host->ops->removexattr(host, fd, ".", "system.posix_acl_default");
	host->ops->removexattr(host, fd, ".", "system.posix_acl_access");
	return check_empty(h, fd);
}

int host_target_open_fresh(struct host_target *h)
{
	int fd = host_target_open_partial(h);
	int ret = fd < 0 ? fd : close_fresh(h, fd);

	if (ret && fd >= 0)
		host_close(h->host, fd);
	return ret ? ret : fd;
}

/* Whatever was being received stays where it is. */
static void let_go(struct host_target *h)
{
	host_tree_close(&h->tree);
	receiving_release(&h->receiving);
	h->looked = false;
}

/* ---- What an earlier run left ----------------------------------------------------------------------- */

/* The journal of this subvolume, if there is one, is loaded and locked. */
static int look(struct host_target *h, const struct operation *op)
{
	int ret;

	let_go(h);
	ret = receiving_load(&h->receiving, op->c->uuid);
	if (ret && ret != -ENOENT)
		return ret;
	/* Root opens nothing up, so whoever says so is wrong. */
	ret = h->host->user ? opened_close_all(&h->receiving.opened, h->host) : 0;
	h->looked = !ret;
	return ret;
}

static bool has_looked(const struct host_target *h, const struct operation *op)
{
	return h->looked && !memcmp(h->receiving.uuid, op->c->uuid, sizeof(h->receiving.uuid));
}

static int host_may_begin(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);
	bool resume = t->options.resume;
	int ret = receiving_load(&h->receiving, op->c->uuid);
	bool left = !ret;
	struct origin o;

	receiving_release(&h->receiving);
	if (ret && ret != -ENOENT)
		return ret;
	if (resume && left)
		return 0;
	if (resume && is_finished(h, op, &o))
		return check_finished(h, op, &o);
	return receiving_may_begin(&h->receiving, op->c->uuid, op->path->text, resume);
}

/* What an earlier run left open as @fd, or nothing that is known, is of no use. */
static int discard(struct host_target *h, int fd)
{
	if (fd >= 0)
		return h->kind->discard(h, fd);
	/* Killed between making the tree and noting what it is. */
	if (!h->receiving.tree.inode)
		h->kind->discard(h, -1);
	return 0;
}

/* What this run would leave out may be there already. */
static bool is_distrusted(const struct host_target *h)
{
	return h->target.options.untrusted && h->receiving.trusted;
}

static int discard_distrusted(struct host_target *h, int fd)
{
	target_warn(&h->target, "an earlier run took '%s' for a stream that is trusted: begun anew", h->receiving.partial);
	return discard(h, fd);
}

/* An earlier run's partial tree, open as @fd if it is there, can be gone on with: 1, or 0 where it begins anew. */
static int may_go_on(struct host_target *h, int fd)
{
	struct receiving *r = &h->receiving;
	const bool there = fd >= 0;

	if (r->failed && there) {
		target_warn(&h->target, "'%s' is not gone on with, since commands of it failed and were left out, and "
					"stays: '%s' removes it", r->partial, h->kind->removal);
		return 0;
	}
	if (r->tree.inode && !there) {
		target_warn(&h->target, "what an earlier run left as '%s' is not there any more: begun anew", r->partial);
		return 0;
	}
	if (there && is_distrusted(h))
		return discard_distrusted(h, fd);
	if (there && r->commands && r->same_boot && host_root_is_given(h->host, fd, &r->notes.root)) {
		target_warn(&h->target, "an earlier run has given '%s' to its owner already, who may have changed it: begun anew",
			    r->partial);
		return discard(h, fd);
	}
	if (there && r->commands && r->same_boot)
		return 1;
	if (there && r->commands)
		target_warn(&h->target, "the machine was started again since, and what of '%s' reached the disk is not "
					"known: begun anew", r->partial);
	return discard(h, fd);
}

/* What an earlier run left is gone on with: 1. */
static int take_up(struct host_target *h, int fd, const char *name)
{
	u32 kinds = h->receiving.notes.left_here;
	int ret = check_left_out(h, kinds, name);

	if (ret) {
		host_close(h->host, fd);
		return ret;
	}
	h->target.skipped_before |= kinds;
	host_tree_open(&h->tree, fd);
	return 1;
}

/* The partial tree is taken up: 1, or 0 where it begins anew. */
static int resume_applying(struct host_target *h)
{
	struct receiving *r = &h->receiving;
	int fd = -1, ret = r->tree.inode ? receiving_open_tree(r, r->partial, &fd) : 0;

	if (ret < 0)
		return ret;
	ret = may_go_on(h, fd);
	if (ret == 1)
		ret = take_up(h, fd, r->partial);
	else if (fd >= 0)
		host_close(h->host, fd);
	return ret;
}

/* Everything is written already: only the name is missing, or what comes behind it. */
static int finish_sealed(struct host_target *h);

static int resume_sealed(struct host_target *h, const struct operation *op, u64 *commands)
{
	struct receiving *r = &h->receiving;
	const char *at = r->state == RECEIVING_SEALED ? r->partial : r->name;
	int there, fd;

	if (r->ctransid != op->c->ctransid)
		return error_set(EINVAL, "an earlier run has received it as of transaction %llu, and this stream has it as "
					 "of transaction %llu: this is not the stream to resume",
				 (unsigned long long)r->ctransid, (unsigned long long)op->c->ctransid);
	there = receiving_open_tree(r, at, &fd);
	if (!there && r->state == RECEIVING_SEALED) {
		/* Killed between the renaming and its note. */
		at = r->name;
		there = receiving_open_tree(r, at, &fd);
		if (there == 1)
			r->state = RECEIVING_NAMED;
	}
	if (there < 0)
		return there;
	if (!there) {
		target_warn(&h->target, "what an earlier run left as '%s' is not there any more: begun anew", at);
		return 0;
	}
	if (is_distrusted(h)) {
		if (r->state == RECEIVING_NAMED)
			there = error_set(EEXIST, "'%s' is there already, from a run that trusted the stream", at);
		else
			there = discard_distrusted(h, fd);
		host_close(h->host, fd);
		return there;
	}
	there = take_up(h, fd, at);
	if (there < 0)
		return there;
	*commands = UINT64_MAX;
	return finish_sealed(h);
}

static int host_resume(struct target *t, const struct operation *op, u64 *commands, u64 *digest)
{
	struct host_target *h = host_target_of(t);
	struct receiving *r = &h->receiving;
	int ret = look(h, op);
	struct origin o;

	*commands = 0;
	if (ret)
		return ret;
	if (r->state == RECEIVING_NOTHING) {
		if (!is_finished(h, op, &o))
			return 0;
		ret = check_finished(h, op, &o);
		if (ret)
			return ret;
		*commands = UINT64_MAX;
		return receiving_done(r);
	}
	if (strcmp(r->name, op->path->text)) {
		target_warn(&h->target, "an earlier run has begun with it as '%s', and what it left stays: begun anew", r->name);
		return 0;
	}
	if (r->state != RECEIVING_APPLYING)
		return resume_sealed(h, op, commands);
	ret = resume_applying(h);
	if (ret <= 0)
		return ret;
	*commands = r->commands;
	*digest = r->digest;
	return 0;
}

/* ---- Begin ------------------------------------------------------------------------------------------ */

/* Without --resume nothing that can be gone on with is left behind without a word. */
static int check_left(struct host_target *h)
{
	struct receiving *r = &h->receiving;
	int there;

	if (r->state == RECEIVING_NOTHING || !r->tree.inode || h->target.options.resume)
		return 0;
	there = receiving_is_tree(r, r->partial);
	return there == 1 ? receiving_is_left(r, r->partial) : there;
}

/* A snapshot begins with its parent's times; only what changed since is in the stream. */
static int note_parents_times(struct host_target *h, const struct decoded_command *c)
{
	struct stat st;

	if (c->type != STREAM_C_SNAPSHOT)
		return 0;
	if (h->host->ops->stat(h->host, h->tree.root, ".", &st))
		return error_errno(errno, "stat '%s'", h->receiving.partial);
	return tree_notes_set_times(&h->receiving.notes, st.st_atim, st.st_mtim);
}

static int make_tree(struct host_target *h, const struct decoded_command *c, int parent)
{
	int fd = h->kind->make(h, c, parent), ret;

	if (fd < 0)
		return fd;
	host_tree_open(&h->tree, fd);
	ret = receiving_made(&h->receiving, fd);
	if (!ret && c->type == STREAM_C_SNAPSHOT)
		ret = h->kind->fill(h, c, parent);
	if (ret)
		return ret;
	host_tree_filled(&h->tree);
	return note_parents_times(h, c);
}

static int begin_from(struct host_target *h, const struct operation *op, int parent)
{
	struct receiving *r = &h->receiving;
	struct error why;
	struct stat st;
	int ret = receiving_begin(r, op->c->uuid, op->c->ctransid, op->path->text, h->target.options.resume);

	h->target.begins_anew = false;

	if (ret)
		return ret;
	if (r->number)
		target_warn(&h->target, "another receive left a tree under the name that is used until the end: it stays, "
					"and '%s' is used", r->partial);
	ret = make_tree(h, op->c, parent);
	/* Nothing was made, so nothing is left behind. */
	if (ret && h->host->ops->stat(h->host, h->dir, r->partial, &st)) {
		error_save(&why, ret);
		receiving_done(r);
		error_restore(&why);
	}
	return ret;
}

static int host_begin(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);
	const struct decoded_command *c = op->c;
	int parent = -1, ret = has_looked(h, op) ? 0 : look(h, op);

	host_tree_close(&h->tree);
	h->looked = false;
	if (!ret)
		ret = check_left(h);
	if (!ret && c->type == STREAM_C_SNAPSHOT) {
		parent = open_origin(h, c->clone_uuid, c->clone_ctransid);
		ret = parent < 0 ? error_wrap(parent, "cannot find parent subvolume") : 0;
	}
	if (ret) {
		let_go(h);
		return ret;
	}
	ret = begin_from(h, op, parent);
	if (parent >= 0)
		host_close(h->host, parent);
	return ret;
}

/* ---- Commands, and the end -------------------------------------------------------------------------- */

static int host_apply(struct target *t, const struct operation *op)
{
	struct host_target *h = host_target_of(t);
	struct operation found;
	int ret = host_tree_find(&h->tree, op, &found);

	return ret ? ret : h->kind->apply(h, &found);
}

static int host_advance(struct target *t, u64 commands, u64 digest)
{
	return receiving_advance(&host_target_of(t)->receiving, commands, digest);
}

/* If that cannot be noted, what comes behind it is not noted either. */
static void host_passed_over(struct target *t)
{
	t->begins_anew = true;
	receiving_fail(&host_target_of(t)->receiving);
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
	const u64 ctransid = op->c->clone_ctransid;

	if (op->c->type != STREAM_C_CLONE || op->within)
		return 0;
	if (h->source_root >= 0 && is_same(&h->source_sent_as, uuid, ctransid))
		return 0;
	close_source(h);

	int fd = open_origin(h, uuid, ctransid);

	if (fd < 0)
		return error_wrap(fd, "did not find source subvol");
	remember(&h->source_sent_as, uuid, ctransid);
	h->source_root = fd;
	beneath_init(&h->source, h->host, fd);
	return 0;
}

static int seal(struct host_target *h)
{
	int ret = host_tree_seal(&h->tree);

	if (!ret && h->host->ops->syncfs(h->host, h->tree.root))
		ret = error_errno(errno, "flush '%s'", h->receiving.partial);
	return ret ? ret : h->kind->seal(h);
}

static void say_without_data(struct host_target *h)
{
	if (tree_notes_left_out(&h->receiving.notes, SKIPPED_DATA))
		target_warn(&h->target, "'%s' was sent without data (--no-data): its files do not have their content, and "
					"no incremental stream can build on it", h->receiving.name);
}

static int finish_sealed(struct host_target *h)
{
	struct receiving *r = &h->receiving;
	int ret = r->state == RECEIVING_SEALED ? receiving_name(r) : 0;

	if (!ret)
		ret = h->kind->done(h);
	if (ret)
		return ret;
	say_without_data(h);
	host_tree_close(&h->tree);
	close_source(h);
	return receiving_done(r);
}

static int host_finish(struct target *t)
{
	struct host_target *h = host_target_of(t);
	int ret = h->kind->is_sealed(h) ? 0 : seal(h);

	if (!ret)
		ret = receiving_seal(&h->receiving);
	return ret ? ret : finish_sealed(h);
}

static const char *host_where(struct target *t)
{
	const struct receiving *r = &host_target_of(t)->receiving;

	switch (r->state) {
	case RECEIVING_NOTHING: return NULL;
	case RECEIVING_NAMED: return r->name;
	default: return r->partial;
	}
}

static void host_free(struct target *t)
{
	struct host_target *h = host_target_of(t);

	let_go(h);
	close_source(h);
	host_tree_release(&h->tree);
	h->host->opened = NULL;
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
	h->target = (struct target){.ops = &host_target_ops, .removal = kind->removal, .options = *options};
	h->own = own;
	h->host = options->host ? options->host : &h->own;
	h->kind = kind;
	h->dir = dir;
	h->source_root = -1;
	receiving_init(&h->receiving, h->host, dir, kind->removal);
	h->receiving.untrusted = options->untrusted;
	h->host->opened = &h->receiving.opened;
	host_tree_init(&h->tree, h->host, &h->target, &h->receiving.notes);
	names_init(&h->tree.names, h->host, dir, h->receiving.uuid);
	*out = &h->target;
	return 0;
}
