/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. The journal is there before the tree, and until the tree has its final name and nothing is missing.
 * 2. It never claims a command that was not applied; of the one behind the last that it claims, all, some or nothing
 *    was applied.
 * 3. SEALED and NAMED are on disk before anything is done that follows from them.
 */
#include "receive/receiving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "receive/grant.h"
#include "receive/names.h"
#include "receive/partial.h"

static void learn_boot(char *boot, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, boot, size - 1);

	if (fd >= 0)
		close(fd);
	boot[n > 0 ? n : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
}

void receiving_init(struct receiving *r, struct host *h, int dir, const char *removal)
{
	*r = (struct receiving){.host = h, .dir = dir, .removal = removal};
	learn_boot(r->boot, sizeof(r->boot));
	journal_init(&r->journal, h);
	r->opened = (struct opened){.journal = &r->journal, .dir = dir};
	r->notes.journal = &r->journal;
}

/* Everything but the journal. */
static void forget_subvolume(struct receiving *r)
{
	opened_release(&r->opened);
	tree_notes_release(&r->notes);
	r->state = RECEIVING_NOTHING;
	r->ctransid = r->commands = r->digest = 0;
	r->name[0] = r->partial[0] = '\0';
	r->number = 0;
	r->tree = (struct tree_identity){0};
	r->failed = r->same_boot = r->trusted = false;
}

/* ---- What is in the journal ------------------------------------------------------------------------- */

static int put_begin(struct receiving *r)
{
	char boot[sizeof(r->boot)] = {0};
	struct entry_writer w;

	memcpy(boot, r->boot, strlen(r->boot));
	entry_begin(&w, journal_buffer(&r->journal), ENTRY_BEGIN);
	entry_put(&w, r->uuid, sizeof(r->uuid));
	entry_put_u64(&w, r->ctransid);
	entry_put(&w, boot, sizeof(boot));
	entry_put_u8(&w, (u8)r->number);
	entry_put(&w, r->name, strlen(r->name));
	return journal_append(&r->journal, &w);
}

static int put_run(struct receiving *r)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(&r->journal), ENTRY_RUN);
	entry_put_u64(&w, (u64)getpid());
	entry_put_u8(&w, r->untrusted && !r->trusted);
	return journal_append(&r->journal, &w);
}

static int put_tree(struct receiving *r)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(&r->journal), ENTRY_TREE);
	entry_put_u64(&w, r->tree.inode);
	entry_put_u64(&w, r->tree.subvolume);
	entry_put_u32(&w, r->tree.generation);
	return journal_append(&r->journal, &w);
}

/* An entry without content. */
static int put_state(struct receiving *r, enum entry_type type)
{
	struct entry_writer w;

	entry_begin(&w, journal_buffer(&r->journal), type);
	return journal_append(&r->journal, &w);
}

/* All that the journal says, in short. */
static int put_all(void *arg)
{
	struct receiving *r = arg;
	int ret = put_begin(r);

	if (!ret)
		ret = put_run(r);
	if (!ret && r->tree.inode)
		ret = put_tree(r);
	for (size_t i = 0; !ret && i < r->opened.count; i++)
		ret = opened_write(&r->journal, &r->opened.mode[i]);
	if (!ret)
		ret = tree_notes_write(&r->notes, journal_buffer(&r->journal), false);
	if (!ret && r->failed)
		ret = put_state(r, ENTRY_FAILED);
	return ret || !r->commands ? ret : journal_advance(&r->journal, r->commands, r->digest);
}

/* What an ENTRY_BEGIN says. */
struct begin {
	const u8 *uuid;
	u64 ctransid;
	const char *boot;
	unsigned number;
	char name[NAME_MAX + 1], partial[NAME_MAX + 1];
};

static int read_begin(struct begin *b, struct entry *e)
{
	const char *name;
	size_t len;

	b->uuid = entry_bytes(e, sizeof(((struct receiving *)0)->uuid));
	b->ctransid = entry_u64(e);
	b->boot = (const char *)entry_bytes(e, RECEIVING_BOOT_SIZE);
	b->number = entry_u8(e);
	name = entry_rest(e, &len);
	if (e->bad || b->number >= PARTIAL_NUMBERS)
		return -EINVAL;
	if (!len || len > NAME_MAX || memchr(name, '/', len) || memchr(name, '\0', len))
		return -EINVAL;
	memcpy(b->name, name, len);
	b->name[len] = '\0';
	if (!strcmp(b->name, ".") || !strcmp(b->name, ".."))
		return -EINVAL;
	partial_name(b->name, b->uuid, b->number, b->partial);
	return 0;
}

static int take_begin(struct receiving *r, struct entry *e)
{
	struct begin b;
	int ret = read_begin(&b, e);

	/* A journal of another subvolume, under this one's name. */
	if (ret || memcmp(b.uuid, r->uuid, sizeof(r->uuid)))
		return -EINVAL;
	r->ctransid = b.ctransid;
	r->number = b.number;
	memcpy(r->name, b.name, sizeof(r->name));
	memcpy(r->partial, b.partial, sizeof(r->partial));
	r->same_boot = r->boot[0] && !strncmp(r->boot, b.boot, sizeof(r->boot));
	r->state = RECEIVING_APPLYING;
	return 0;
}

static int take_advance(struct receiving *r, struct entry *e)
{
	size_t len, at = 0;
	struct entry note;
	const u8 *notes;
	int ret;

	r->commands = entry_u64(e);
	r->digest = entry_u64(e);
	if (r->commands == UINT64_MAX)
		return -EINVAL;
	notes = (const u8 *)entry_rest(e, &len);
	if (e->bad)
		return -EINVAL;
	while ((ret = entry_next(notes, len, &at, &note)) == 1) {
		ret = tree_notes_read(&r->notes, &note);
		if (ret)
			return ret;
	}
	return ret || at != len ? -EINVAL : 0;
}

/* Earlier versions did not say whether they trusted the stream. */
static int take_run(struct receiving *r, struct entry *e)
{
	entry_u64(e);
	r->trusted |= e->at == e->len || !entry_u8(e);
	return 0;
}

static int take_tree(struct receiving *r, struct entry *e)
{
	r->tree.inode = entry_u64(e);
	r->tree.subvolume = entry_u64(e);
	/* Earlier versions did not write it. */
	r->tree.generation = e->at < e->len ? entry_u32(e) : 0;
	return r->tree.inode ? 0 : -EINVAL;
}

static int take_entry(void *arg, struct entry *e)
{
	struct receiving *r = arg;

	if (e->type == ENTRY_BEGIN)
		return r->state == RECEIVING_NOTHING ? take_begin(r, e) : -EINVAL;
	if (r->state == RECEIVING_NOTHING)
		return -EINVAL;
	switch (e->type) {
	case ENTRY_RUN: return take_run(r, e);
	case ENTRY_TREE: return take_tree(r, e);
	case ENTRY_ADVANCE: return take_advance(r, e);
	case ENTRY_OPENED:
	case ENTRY_CLOSED: return opened_read(&r->opened, e);
	case ENTRY_FAILED: r->failed = true; return 0;
	case ENTRY_SEALED: r->state = RECEIVING_SEALED; return 0;
	case ENTRY_NAMED: r->state = RECEIVING_NAMED; return 0;
	}
	return tree_notes_read(&r->notes, e);
}

/* ---- Who is who ------------------------------------------------------------------------------------- */

int receiving_open_tree(struct receiving *r, const char *name, int *fd)
{
	struct host *h = r->host;
	struct tree_identity id;
	struct stat st;
	int ret;

	if (h->ops->stat(h, r->dir, name, &st))
		return errno == ENOENT ? 0 : error_errno(errno, "stat '%s'", name);
	if (!S_ISDIR(st.st_mode) || st.st_ino != r->tree.inode)
		return 0;
	*fd = grant_open_directory(h, r->dir, name);
	if (*fd < 0)
		return error_errno(errno, "open '%s'", name);
	ret = tree_identify(&id, h, *fd);
	if (!ret && tree_identity_same(&id, &r->tree))
		return 1;
	host_close(h, *fd);
	return ret;
}

int receiving_is_tree(struct receiving *r, const char *name)
{
	int fd, ret = receiving_open_tree(r, name, &fd);

	if (ret == 1)
		host_close(r->host, fd);
	return ret;
}

/* ---- The steps -------------------------------------------------------------------------------------- */

int receiving_load(struct receiving *r, const u8 *uuid)
{
	int ret;

	forget_subvolume(r);
	memcpy(r->uuid, uuid, sizeof(r->uuid));
	ret = journal_open(&r->journal, r->dir, uuid, false);
	if (!ret)
		ret = journal_read(&r->journal, take_entry, r);
	/* A crash of the machine leaves anything behind what was flushed, and nothing of it is gone on with. */
	if (ret == -EINVAL && r->state == RECEIVING_APPLYING && !r->same_boot)
		ret = 0;
	/* Killed before its first entry was whole. */
	if (!ret && r->state == RECEIVING_NOTHING) {
		journal_remove(&r->journal);
		ret = error_set(ENOENT, "nothing is noted of the subvolume");
	}
	if (!ret)
		ret = put_run(r);
	if (ret)
		receiving_release(r);
	return ret;
}

static bool there(struct receiving *r, const char *name)
{
	struct stat st;

	return !r->host->ops->stat(r->host, r->dir, name, &st);
}

/* Whose tree it is that has a partial name. */
struct holder {
	const char *partial;
	u64 process;
};

static bool is_holder(void *arg, struct entry *e)
{
	struct holder *w = arg;
	struct begin b;

	if (e->type == ENTRY_RUN)
		w->process = entry_u64(e);
	return e->type == ENTRY_BEGIN && !read_begin(&b, e) && !strcmp(b.partial, w->partial);
}

int receiving_is_left(const struct receiving *r, const char *partial)
{
	struct holder w = {.partial = partial};

	/* Of another subvolume with the same name. */
	if (journal_find_busy(&r->journal, r->dir, is_holder, &w))
		return error_set(EBUSY, "process %llu is receiving '%s' here", (unsigned long long)w.process, partial);
	return error_set(EEXIST, "'%s' is there, from a receive that did not come to its end: go on with --resume, or "
				 "remove it with '%s'", partial, r->removal);
}

static int choose_partial(struct receiving *r, const u8 *uuid, const char *name, bool any_number, unsigned *number,
			  char partial[NAME_MAX + 1])
{
	if (strlen(name) > NAME_MAX)
		return error_set(ENAMETOOLONG, "a subvolume's name of %zu bytes, longer than %d", strlen(name), NAME_MAX);
	if (!strcmp(name, STATE_DIRECTORY))
		return error_set(EINVAL, "the name is taken by btrfly itself");
	if (there(r, name))
		return names_taken(r->host, r->dir, name);
	for (*number = 0; *number < PARTIAL_NUMBERS; ++*number) {
		partial_name(name, uuid, *number, partial);
		if (!there(r, partial))
			return 0;
		if (!any_number)
			break;
	}
	return receiving_is_left(r, partial);
}

int receiving_may_begin(struct receiving *r, const u8 *uuid, const char *name, bool any_number)
{
	char partial[NAME_MAX + 1];
	unsigned number;

	return choose_partial(r, uuid, name, any_number, &number, partial);
}

int receiving_begin(struct receiving *r, const u8 *uuid, u64 ctransid, const char *name, bool any_number)
{
	char partial[NAME_MAX + 1];
	struct error why;
	unsigned number;
	int ret = choose_partial(r, uuid, name, any_number, &number, partial);

	if (ret)
		return ret;
	if (!journal_is_open(&r->journal)) {
		ret = journal_open(&r->journal, r->dir, uuid, true);
		/* It was not there a moment ago. */
		if (!ret && !journal_is_new(&r->journal))
			ret = error_set(EBUSY, "another process was receiving this subvolume here just now");
		if (ret)
			return ret;
	}
	forget_subvolume(r);
	memcpy(r->uuid, uuid, sizeof(r->uuid));
	r->ctransid = ctransid;
	r->number = number;
	r->same_boot = true;
	r->trusted = !r->untrusted;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->partial, sizeof(r->partial), "%s", partial);
	ret = journal_rewrite(&r->journal, put_all, r);
	if (ret && journal_is_new(&r->journal)) {
		error_save(&why, ret);
		journal_remove(&r->journal);
		error_restore(&why);
	}
	if (ret)
		return ret;
	r->state = RECEIVING_APPLYING;
	return 0;
}

int receiving_made(struct receiving *r, int root)
{
	int ret = tree_identify(&r->tree, r->host, root);

	return ret ? error_wrap(ret, "'%s'", r->partial) : put_tree(r);
}

int receiving_advance(struct receiving *r, u64 commands, u64 digest)
{
	int ret;

	if (r->failed) {
		buffer_clear(&r->journal.pending);
		return 0;
	}
	ret = journal_advance(&r->journal, commands, digest);
	if (ret)
		return ret;
	r->commands = commands;
	r->digest = digest;
	/* Where that is not possible, there is no room, and a journal that goes on growing. */
	if (journal_is_long(&r->journal))
		journal_rewrite(&r->journal, put_all, r);
	return 0;
}

int receiving_fail(struct receiving *r)
{
	if (r->failed)
		return 0;
	r->failed = true;
	return put_state(r, ENTRY_FAILED);
}

int receiving_seal(struct receiving *r)
{
	int ret = put_state(r, ENTRY_SEALED);

	if (!ret)
		ret = journal_sync(&r->journal);
	if (!ret)
		r->state = RECEIVING_SEALED;
	return ret;
}

int receiving_name(struct receiving *r)
{
	int ret = partial_rename(r->host, r->dir, r->partial, r->name);

	if (!ret)
		ret = put_state(r, ENTRY_NAMED);
	if (!ret)
		ret = journal_sync(&r->journal);
	if (!ret)
		r->state = RECEIVING_NAMED;
	return ret;
}

/* Where nothing is recorded, DIR/.btrfly was made for the journal alone. */
static int remove_state_directory(struct receiving *r)
{
	struct host *h = r->host;

	if (!h->ops->unlink(h, r->dir, STATE_DIRECTORY, AT_REMOVEDIR) || errno == ENOTEMPTY || errno == EEXIST ||
	    errno == ENOENT)
		return 0;
	return error_errno(errno, "remove %s", STATE_DIRECTORY);
}

int receiving_done(struct receiving *r)
{
	int ret = journal_is_open(&r->journal) ? names_sweep(r->host, r->journal.dir, r->uuid) : 0;

	if (!ret)
		ret = journal_remove(&r->journal);
	if (!ret)
		ret = remove_state_directory(r);
	forget_subvolume(r);
	return ret;
}

void receiving_release(struct receiving *r)
{
	journal_release(&r->journal);
	forget_subvolume(r);
}
