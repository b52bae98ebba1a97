/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes of a host tree's files. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "receive/attempt.h"
#include "receive/lending.h"
#include "receive/values.h"

#define ROOM_BYTES (1u << 20)

/* security.capability: a magic number, two sets of capabilities, and from version 3 on for which root. */
#define CAPABILITY_SETS 4
#define CAPABILITY_SIZE 20
#define CAPABILITY_EFFECTIVE 1u

enum found {
	FOUND_UNKNOWN, /* it was not looked for, or cannot be read */
	FOUND_NOTHING,
	FOUND_OTHER,
	FOUND_SAME,
};

struct xattr {
	struct attempt a;
	char key[VALUES_XATTR_NAME_MAX + 1];
	enum skipped_kind kind;
	const struct stream_bytes *value;
	enum found found;
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static enum skipped_kind xattr_kind(const char *key)
{
	return begins(key, "trusted.")	       ? SKIPPED_TRUSTED :
	       begins(key, "security.")	       ? SKIPPED_SECURITY :
	       begins(key, "system.posix_acl_") ? SKIPPED_ACL :
						  SKIPPED_XATTR;
}

static int xattr_init(struct xattr *x, struct host_tree *h, const struct operation *op)
{
	const struct stream_bytes *name = &op->c->xattr_name;
	int ret = attempt_init(&x->a, h, op);

	if (ret)
		return ret;
	x->a.opens_file = true;
	memcpy(x->key, name->data, name->len);
	x->key[name->len] = '\0';
	x->kind = xattr_kind(x->key);
	x->value = &op->c->xattr_data;
	return 0;
}

/* Filesystems with little room for the attributes of one file call it a full disk. */
static bool has_room(struct host *host, int dir)
{
	struct statfs fs;

	if (host->ops->statfs(host, dir, &fs))
		return false;
	return fs.f_bavail > ROOM_BYTES / (u64)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
}

static bool may_skip(const struct xattr *x, int err)
{
	if (x->a.failed)
		return false;
	return err == ENOSPC ? has_room(x->a.host, x->a.dir) : skipped_because(err);
}

/* The kernel stores access lists and properties in forms of its own. */
static bool is_read_back(const char *key)
{
	return begins(key, "user.") || begins(key, "trusted.") || begins(key, "security.");
}

static bool same_value(const struct xattr *x, const u8 *there, size_t len)
{
	const u8 *asked = (const u8 *)x->value->data;
	size_t n = x->value->len;

	/* It may come back in another version. */
	if (!strcmp(x->key, LENDING_XATTR))
		return len >= CAPABILITY_SIZE && n >= CAPABILITY_SIZE &&
		       !((asked[0] ^ there[0]) & CAPABILITY_EFFECTIVE) &&
		       !memcmp(asked + CAPABILITY_SETS, there + CAPABILITY_SETS,
			       CAPABILITY_SIZE - CAPABILITY_SETS);
	/* A label is text, with or without the NUL at its end. */
	if (x->kind == SKIPPED_SECURITY && len != n) {
		len -= len && !there[len - 1];
		n -= n && !asked[n - 1];
	}
	return len == n && (!n || !memcmp(asked, there, n));
}

/* What is there now; 0 or -ENOMEM. */
static int look(struct xattr *x)
{
	const struct attempt *a = &x->a;
	struct buffer *b = &a->h->data;
	size_t room = x->value->len + CAPABILITY_SIZE;
	int ret;

	buffer_clear(b);
	ret = buffer_reserve(b, room);
	if (ret)
		return ret;

	ssize_t n = a->host->ops->getxattr(a->host, a->dir, a->name, x->key, b->data, room);

	x->found = n >= 0	   ? same_value(x, b->data, (size_t)n) ? FOUND_SAME : FOUND_OTHER :
		   errno == ERANGE  ? FOUND_OTHER :
		   errno == ENODATA ? FOUND_NOTHING :
				      FOUND_UNKNOWN;
	return 0;
}

static int set(struct attempt *a)
{
	struct xattr *x = CONTAINER_OF(a, struct xattr, a);

	if (a->host->ops->setxattr(a->host, a->dir, a->name, x->key, x->value->data, x->value->len))
		return -errno;
	return is_read_back(x->key) ? look(x) : 0;
}

static int unset(struct attempt *a)
{
	struct xattr *x = CONTAINER_OF(a, struct xattr, a);

	return a->host->ops->removexattr(a->host, a->dir, a->name, x->key) ? -errno : 0;
}

/* Why the stream is not to set it: 0 if it is. */
static int withheld(const struct xattr *x)
{
	const struct host_tree *h = x->a.h;

	if (h->target->options.untrusted && (x->kind == SKIPPED_SECURITY || x->kind == SKIPPED_TRUSTED))
		return EPERM;
	return !strcmp(x->key, LENDING_XATTR) && !lending_may_begin(h, x->a.op->path) ? EPERM : 0;
}

/* The value that it had is as wrong as none, and is not to stay; an access list without which the mode says more is. */
static int leave_out(struct xattr *x, int err)
{
	int ret = is_read_back(x->key) ? look(x) : 0;

	if (ret || x->found == FOUND_SAME)
		return ret;
	if (x->found == FOUND_OTHER)
		attempt_call(&x->a, unset);
	return host_tree_skip(x->a.h, x->kind, err);
}

int host_tree_set_xattr(struct host_tree *h, const struct operation *op)
{
	struct xattr x = {0};
	int ret = xattr_init(&x, h, op);

	if (ret)
		return ret;
	ret = -withheld(&x);
	if (!ret)
		ret = attempt_call(&x.a, set);
	if (ret)
		return may_skip(&x, -ret) ? leave_out(&x, -ret) : error_errno(-ret, "set the attribute");
	h->hands_down |= !strcmp(x.key, "system.posix_acl_default") || !strcmp(x.key, "btrfs.compression");
	if (x.found == FOUND_OTHER || x.found == FOUND_NOTHING)
		return host_tree_skip_changed(h, x.kind, x.key, x.found == FOUND_OTHER ? "another value" : "none");
	return 0;
}

/* It may be missing because setting it was left out. */
static bool may_be_missing(const struct xattr *x)
{
	const struct host_tree *h = x->a.h;

	return x->a.op->again || !begins(x->key, "user.") || h->unrecorded ||
	       tree_notes_left_out(h->notes, x->kind);
}

static bool is_there(const struct xattr *x)
{
	const struct attempt *a = &x->a;

	return a->host->ops->getxattr(a->host, a->dir, a->name, x->key, NULL, 0) >= 0 ||
	       (errno != ENODATA && errno != EOPNOTSUPP);
}

int host_tree_remove_xattr(struct host_tree *h, const struct operation *op)
{
	struct xattr x = {0};
	int ret = xattr_init(&x, h, op);

	if (ret)
		return ret;
	ret = attempt_call(&x.a, unset);
	if (!ret || (ret == -ENODATA && may_be_missing(&x)))
		return 0;
	if (ret == -ENODATA || !may_skip(&x, -ret))
		return error_errno(-ret, "remove the attribute");
	return is_there(&x) ? host_tree_skip(h, x.kind, -ret) : 0;
}
