/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/names.h"

#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/seed.h"
#include "receive/entries.h"
#include "receive/state_dir.h"
#include "receive/tree_remove.h"

/* A file of this name must not be found under any of the others. */
#define SUFFIX ".names" /* of the directory in DIR/.btrfly */
#define TRIED "Btrfly-\xc3\xa9"
static const char *const spellings[] = {
	"BTRFLY-\xc3\xa9",   /* case */
	"Btrfly-e\xcc\x81",  /* the letter in two parts */
	TRIED ".", TRIED " ", /* what is cut off */
};

void names_init(struct names *n, struct host *host, int dir, const u8 *uuid)
{
	*n = (struct names){.host = host, .dir = dir, .uuid = uuid, .seed = seed_new()};
}

void names_clear(struct names *n)
{
	memset(n->sure, 0, sizeof(n->sure));
}

/* ---- Tried in a directory of its own ---------------------------------------------------------------- */

/* DIR/.btrfly/UUID.names, empty. */
struct scratch {
	struct host *host;
	int state, fd;
	char name[STATE_FILE_MAX];
};

static int make_scratch(struct scratch *s)
{
	struct host *host = s->host;

	if (!host->ops->mkdir(host, s->state, s->name, 0700))
		return 0;
	if (errno != EEXIST)
		return error_errno(errno, "create %s/%s", STATE_DIRECTORY, s->name);

	/* A killed run left it. */
	int ret = tree_remove(host, s->state, s->name);

	if (!ret && host->ops->mkdir(host, s->state, s->name, 0700))
		ret = error_errno(errno, "create %s/%s", STATE_DIRECTORY, s->name);
	return ret;
}

static int scratch_init(struct scratch *s, const struct names *n)
{
	struct host *host = n->host;

	*s = (struct scratch){.host = host, .fd = -1, .state = state_dir_open(host, n->dir, true)};
	if (s->state < 0)
		return s->state;
	state_dir_name(s->name, n->uuid, SUFFIX);

	int ret = make_scratch(s);

	if (!ret) {
		s->fd = host->ops->open(host, s->state, s->name, O_RDONLY | O_DIRECTORY, 0);
		ret = s->fd < 0 ? error_errno(errno, "open %s/%s", STATE_DIRECTORY, s->name) : 0;
	}
	if (ret)
		host_close(host, s->state);
	return ret;
}

static int scratch_make(struct scratch *s, const char *name)
{
	int fd = s->host->ops->open(s->host, s->fd, name, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return error_errno(errno, "see what the filesystem makes of the name");
	host_close(s->host, fd);
	return 0;
}

/* With the one file in it; what cannot be removed is removed when it is in the way. */
static void scratch_release(struct scratch *s, const char *name)
{
	struct host *host = s->host;

	host->ops->unlink(host, s->fd, name, 0);
	host_close(host, s->fd);
	host->ops->unlink(host, s->state, s->name, AT_REMOVEDIR);
	host_close(host, s->state);
}

int names_sweep(struct host *h, int state_dir, const u8 *uuid)
{
	char name[STATE_FILE_MAX];
	struct stat st;

	state_dir_name(name, uuid, SUFFIX);
	return h->ops->stat(h, state_dir, name, &st) ? 0 : tree_remove(h, state_dir, name);
}

static bool found_folding(struct names *n)
{
	struct scratch s;
	struct stat st;

	if (scratch_init(&s, n))
		return true;

	bool folds = scratch_make(&s, TRIED) != 0;

	for (size_t i = 0; !folds && i < ARRAY_SIZE(spellings); i++)
		folds = !n->host->ops->stat(n->host, s.fd, spellings[i], &st);
	scratch_release(&s, TRIED);
	return folds;
}

bool names_fold(struct names *n)
{
	if (n->kind == NAMES_UNTRIED)
		n->kind = found_folding(n) ? NAMES_FOLDED : NAMES_KEPT;
	return n->kind == NAMES_FOLDED;
}

/* ---- What a directory lists ------------------------------------------------------------------------- */

/* The first entry of the open directory @fd that @wanted takes: 1, and its name is in @out unless that is NULL; or 0. */
static int find_listed(struct host *h, int fd, bool (*wanted)(const void *arg, const char *name), const void *arg,
		       char out[NAMES_LISTED_MAX])
{
	struct entries e;
	const char *name;
	int ret = entries_init(&e, h);

	if (!ret)
		ret = entries_push(&e, fd, SIZE_MAX);
	while (!ret && (name = entries_next(&e))) {
		ret = wanted(arg, name);
		if (ret && out)
			snprintf(out, NAMES_LISTED_MAX, "%s", name);
	}
	entries_release(&e);
	return ret;
}

static bool is_exactly(const void *arg, const char *name)
{
	return !strcmp(arg, name);
}

static bool is_any(const void *arg, const char *name)
{
	return true;
}

int names_listed(struct host *h, int dir, const char *name)
{
	return find_listed(h, dir, is_exactly, name, NULL);
}

int names_see_made(struct names *n, const char *name, char made[NAMES_LISTED_MAX])
{
	struct scratch s;
	int ret = scratch_init(&s, n);

	if (ret)
		return ret;
	ret = scratch_make(&s, name);
	if (!ret)
		ret = find_listed(n->host, s.fd, is_any, NULL, made);
	scratch_release(&s, name);
	if (!ret)
		ret = error_set(EIO, "the filesystem does not list a name that was made");
	return ret < 0 ? ret : 0;
}

/* ---- Names that become one -------------------------------------------------------------------------- */

static bool is_in_other_case(const void *arg, const char *name)
{
	return !strcasecmp(arg, name) && strcmp(arg, name);
}

struct same_file {
	struct host *host;
	int dir;
	const char *name;
	struct stat st; /* of what it leads to */
};

static bool is_same_file(const void *arg, const char *name)
{
	const struct same_file *a = arg;
	struct stat st;

	return strcmp(a->name, name) && !a->host->ops->stat(a->host, a->dir, name, &st) && st.st_dev == a->st.st_dev &&
	       st.st_ino == a->st.st_ino;
}

int names_find_spelling(struct host *h, int dir, const char *name, char found[NAMES_LISTED_MAX])
{
	struct same_file a = {.host = h, .dir = dir, .name = name};
	int ret = find_listed(h, dir, is_in_other_case, name, found);

	if (ret)
		return ret;
	return h->ops->stat(h, dir, name, &a.st) ? 0 : find_listed(h, dir, is_same_file, &a, found);
}

/* In quotes, the entry that @name leads to. */
static void spell(struct host *h, int dir, const char *name, char *out, size_t size)
{
	char found[NAMES_LISTED_MAX], text[480];

	if (names_find_spelling(h, dir, name, found) <= 0) {
		snprintf(out, size, "another name");
		return;
	}
	escape_text(text, sizeof(text), found, strlen(found));
	snprintf(out, size, "'%s'", text);
}

int names_taken(struct host *h, int dir, const char *name)
{
	char text[480], other[512];
	int listed = names_listed(h, dir, name);

	if (listed < 0)
		return listed;
	escape_text(text, sizeof(text), name, strlen(name));
	if (listed)
		return error_set(EEXIST, "'%s' is there already", text);
	spell(h, dir, name, other, sizeof(other));
	return error_set(EEXIST, "'%s' and %s, which is there already, are one name on this filesystem", text, other);
}

int names_spelled(struct names *n, int dir, const char *name, bool altered)
{
	struct host *h = n->host;
	char made[NAMES_LISTED_MAX], text[480], other[512];
	struct stat st;

	if (h->ops->stat(h, dir, name, &st))
		return 0;

	int ret = names_listed(h, dir, name);

	if (!ret && altered) {
		ret = names_see_made(n, name, made);
		if (!ret && strcmp(made, name))
			ret = names_listed(h, dir, made);
	}
	if (ret)
		return ret;
	escape_text(text, sizeof(text), name, strlen(name));
	spell(h, dir, name, other, sizeof(other));
	return error_set(ENOENT, "there is no '%s', but %s, which is the same name on this filesystem", text, other);
}

int names_rename(struct host *h, int from_dir, const char *from, int dir, const char *name, bool *no_flag)
{
	struct stat st;

	if (!*no_flag) {
		if (!h->ops->rename(h, from_dir, from, dir, name, RENAME_NOREPLACE))
			return 0;
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
	}
	if (!h->ops->stat(h, dir, name, &st))
		return h->ops->stat(h, from_dir, from, &st) ? -errno : -EEXIST;
	if (errno != ENOENT || h->ops->rename(h, from_dir, from, dir, name, 0))
		return -errno;
	/* EINVAL has other reasons, too, and with those this fails as well. */
	*no_flag = true;
	return 0;
}

/* ---- Paths ------------------------------------------------------------------------------------------ */

/* Never 0. */
static u64 hash_of(const struct names *n, const char *text, size_t len)
{
	return XXH3_64bits_withSeed(text, len, n->seed) | 1;
}

static u64 *place_of(struct names *n, u64 hash)
{
	return &n->sure[hash >> 32 & (NAMES_SURE - 1)];
}

void names_made(struct names *n, const struct tree_path *p)
{
	u64 hash = hash_of(n, p->text, p->len);

	*place_of(n, hash) = hash;
}

void names_gone(struct names *n, const struct tree_path *p, bool directory)
{
	u64 hash;

	if (n->kind != NAMES_FOLDED)
		return;
	hash = hash_of(n, p->text, p->len);
	if (directory)
		names_clear(n);
	else if (*place_of(n, hash) == hash)
		*place_of(n, hash) = 0;
}

/* The first @len bytes of a path. */
static int check_beginning(struct names *n, struct beneath *b, const char *text, size_t len, bool altered)
{
	u64 hash = hash_of(n, text, len);
	struct tree_path p;

	if (*place_of(n, hash) == hash)
		return 0;

	int ret = tree_path_set(&p, (struct stream_bytes){text, (u32)len});
	int dir = ret ? ret : beneath_parent(b, &p);

	if (dir < 0)
		return dir;
	ret = names_spelled(n, dir, tree_path_name(&p), altered);
	if (ret > 0)
		names_made(n, &p);
	return ret < 0 ? ret : 0;
}

int names_check(struct names *n, struct beneath *b, const struct tree_path *p, bool whole, bool altered)
{
	size_t end = whole ? p->len : p->parent_len;
	int ret = 0;

	for (size_t at = 0; !ret && at < end;) {
		const char *slash = memchr(p->text + at, '/', end - at);
		size_t len = slash ? (size_t)(slash - p->text) : end;

		ret = check_beginning(n, b, p->text, len, altered);
		at = len + 1;
	}
	return ret;
}
