/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 * 1. All that was named at the innermost level in front of its current name is gone.
 * 2. A directory is entered only after rmdir() has called it not empty, which it does not say of a mount point.
 * 3. What is removed one by one lies beneath the directory that was meant, whatever has its name meanwhile.
 */
#include "receive/tree_remove.h"

#include "base/error.h"
#include "receive/descent.h"
#include "receive/entries.h"

/* So much of a directory's names is read at once: what is read again has grown shorter. */
#define NAMES_MAX (1u << 20)

struct remover {
	struct host *host;
	struct descent at;
	struct entries entries;
	dev_t device;
	ino_t inode; /* of what is removed with all beneath it; 0: whatever has the name */
};

static int fail(int err, const char *name)
{
	if (err == EXDEV)
		return error_set(EXDEV, "remove '%s': something is mounted there", name);
	return error_errno(err, "remove '%s'", name);
}

/* Remove @name in the directory at hand, if one call can: 0, or 1 for a directory that has to be emptied first,
 * and is open to its owner then; or a negative errno with a sentence. */
static int remove_at_once(struct remover *r, const char *name)
{
	struct host *host = r->host;
	int dir = r->at.fd;
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return errno == ENOENT ? 0 : fail(errno, name);
	if (!S_ISDIR(st.st_mode))
		return host->ops->unlink(host, dir, name, 0) ? fail(errno, name) : 0;
	if (st.st_dev != r->device)
		return fail(EXDEV, name);
	if (!host->ops->unlink(host, dir, name, AT_REMOVEDIR))
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return fail(errno == EBUSY ? EXDEV : errno, name);
	if (host->user && host->user == st.st_uid && (st.st_mode & 0700) != 0700 &&
	    host->ops->chmod(host, dir, name, 0700))
		return fail(errno, name);
	return 1;
}

/* Into the directory that has the current name. */
static int enter(struct remover *r)
{
	int ret = descent_enter(&r->at, entries_current(&r->entries), descent_at_root(&r->at) ? r->inode : 0);

	if (!ret)
		ret = entries_push(&r->entries, r->at.fd, NAMES_MAX);
	return ret ? error_wrap(ret, "remove '%s'", entries_current(&r->entries)) : 0;
}

/* Out of the directory at hand, all of whose names are gone, and remove it, too. */
static int leave(struct remover *r)
{
	bool was_empty = entries_none(&r->entries);
	int left, ret = descent_leave(&r->at, &left);

	entries_pop(&r->entries);

	const char *name = entries_current(&r->entries);

	if (ret)
		return error_wrap(ret, "remove '%s'", name);
	host_close(r->host, left);
	ret = remove_at_once(r, name);
	/* It had more names than were read at once, or hid some while others were taken away. */
	if (ret > 0)
		ret = was_empty ? fail(ENOTEMPTY, name) : enter(r);
	return ret;
}

static int remove_all(struct remover *r)
{
	int ret = 0;

	while (!ret) {
		const char *name = entries_next(&r->entries);

		if (!name && descent_at_root(&r->at))
			return 0;
		ret = name ? remove_at_once(r, name) : leave(r);
		if (ret > 0)
			ret = enter(r);
	}
	return ret;
}

static int remove_named(struct remover *r, int dir, const char *name)
{
	int ret = entries_init(&r->entries, r->host);

	if (!ret)
		ret = descent_init(&r->at, r->host, dir);
	if (!ret)
		ret = entries_push_one(&r->entries, name);
	if (!ret)
		ret = remove_all(r);
	descent_release(&r->at);
	entries_release(&r->entries);
	return ret;
}

int tree_remove(struct host *host, int dir, const char *name)
{
	struct remover r = {.host = host};
	struct stat st;

	if (host->ops->stat(host, dir, name, &st))
		return errno == ENOENT ? 0 : fail(errno, name);
	r.device = st.st_dev;
	return remove_named(&r, dir, name);
}

int tree_remove_open(struct host *host, int dir, const char *name, int fd)
{
	struct remover r = {.host = host};
	struct stat st;

	if (host->ops->stat(host, fd, ".", &st))
		return fail(errno, name);
	r.device = st.st_dev;
	r.inode = st.st_ino;
	return remove_named(&r, dir, name);
}
