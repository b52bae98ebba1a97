/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uuid tree has, for a uuid, the ids of subvolumes that have it and that were received as it.  It may
 * be behind, so each is held against its root item.  A subvolume is opened by its file handle: by path
 * it may be out of reach, below another mount point or none.
 */
#include "receive/btrfs_search.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/inode.h"

/* FILEID_BTRFS_WITHOUT_PARENT and its content, as the kernel's export.h has them. */
#define FILE_ID_TYPE 0x4d

struct file_id {
	struct file_handle handle;
	struct {
		u64 objectid;
		u64 root_objectid;
		u32 generation; /* 0: any */
	} __attribute__((packed)) id;
};

struct search {
	struct btrfs_ioctl_search_args args;
};

/* The first item of @tree with exactly this objectid and type, and an offset of at least @offset.  Its
 * content and length; NULL if there is none.  @err is set on errors. */
static const u8 *search(struct host *host, int dir, struct search *s, u64 tree, u64 objectid, u32 type,
			u64 offset, u32 *len, int *err)
{
	struct btrfs_ioctl_search_header h;

	memset(&s->args.key, 0, sizeof(s->args.key));
	s->args.key.tree_id = tree;
	s->args.key.min_objectid = s->args.key.max_objectid = objectid;
	s->args.key.min_type = s->args.key.max_type = type;
	s->args.key.min_offset = offset;
	s->args.key.max_offset = UINT64_MAX;
	s->args.key.max_transid = UINT64_MAX;
	s->args.key.nr_items = 1;
	*err = 0;
	if (host->ops->ioctl(host, dir, BTRFS_IOC_TREE_SEARCH, &s->args)) {
		/* No such tree: a filesystem older than the uuid tree. */
		*err = errno == ENOENT ? 0 : -errno;
		return NULL;
	}
	if (!s->args.key.nr_items)
		return NULL;
	memcpy(&h, s->args.buf, sizeof(h));
	if (h.objectid != objectid || h.type != type)
		return NULL;
	if (h.len > sizeof(s->args.buf) - sizeof(h)) {
		*err = -EIO;
		return NULL;
	}
	*len = h.len;
	s->args.key.min_offset = h.offset;
	return (const u8 *)s->args.buf + sizeof(h);
}

bool btrfs_search_allowed(struct host *host, int dir)
{
	struct statfs fs;
	struct search s;
	u32 len;
	int err;

	if (host->ops->statfs(host, dir, &fs) || fs.f_type != BTRFS_SUPER_MAGIC)
		return false;
	search(host, dir, &s, BTRFS_ROOT_TREE_OBJECTID, BTRFS_FS_TREE_OBJECTID, BTRFS_ROOT_ITEM_KEY, 0, &len,
	       &err);
	return !err;
}

/* What the root item of a subvolume says of where it comes from. */
static void judge(const struct root_item *item, bool received, struct origin *o)
{
	u64 ctransid = le64_get(item->ctransid), rtransid = le64_get(item->rtransid);
	u64 changed = le64_get(item->ctime.sec), arrived = le64_get(item->rtime.sec);

	*o = (struct origin){.transid = le64_get(received ? item->stransid : item->ctransid), .relayed = true,
		.trusted = true};
	if (received) {
		o->changed = ctransid > rtransid;
		o->changed_seconds = o->changed && changed > arrived ? changed - arrived : 0;
	} else {
		o->one_content = le64_get(item->flags) & ROOT_SUBVOL_RDONLY && ctransid <= le64_get(item->otransid);
	}
}

/* Subvolumes that have a uuid, and the best of them. */
struct candidates {
	struct host *host;
	int dir;
	const u8 *uuid;
	u64 transid;
	bool received; /* as it, instead of having it */

	u64 best; /* its id, 0: none */
	struct origin origin;
};

/* Hold subvolume @id against the best until now.  0 or a negative errno. */
static int consider(struct candidates *c, u64 id)
{
	const struct root_item *item;
	struct origin o;
	struct search s;
	u32 len;
	int err;
	const u8 *p = search(c->host, c->dir, &s, BTRFS_ROOT_TREE_OBJECTID, id, BTRFS_ROOT_ITEM_KEY, 0, &len, &err);

	if (!p || len < sizeof(*item))
		return err;
	item = (const struct root_item *)p;
	if (memcmp(c->received ? item->received_uuid : item->uuid, c->uuid, UUID_SIZE))
		return 0;
	judge(item, c->received, &o);
	if (c->best && o.transid != c->transid)
		return 0;
	c->best = id;
	c->origin = o;
	return 0;
}

static int find_best(struct candidates *c)
{
	u32 type = c->received ? BTRFS_UUID_KEY_RECEIVED_SUBVOL : BTRFS_UUID_KEY_SUBVOL, len = 0;
	u64 offset = get_le64(c->uuid + 8);
	struct search s;
	int err;
	const u8 *ids = search(c->host, c->dir, &s, BTRFS_UUID_TREE_OBJECTID, get_le64(c->uuid), type, offset, &len,
			       &err);

	if (!ids || s.args.key.min_offset != offset)
		return err;
	for (u32 at = 0; at + 8 <= len && !err; at += 8) {
		if (c->best && c->origin.transid == c->transid)
			break;
		err = consider(c, get_le64(ids + at));
	}
	return err;
}

static int open_id(struct host *host, int dir, u64 id)
{
	union {
		struct file_id file;
		u8 space[64];
	} f = {0};

	f.file.handle.handle_bytes = sizeof(f.file.id);
	f.file.handle.handle_type = FILE_ID_TYPE;
	f.file.id.objectid = BTRFS_FIRST_FREE_OBJECTID;
	f.file.id.root_objectid = id;

	int fd = host->ops->open_handle(host, dir, &f.file.handle, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? error_errno(errno, "open subvolume %llu", (unsigned long long)id) : fd;
}

int btrfs_open_by_uuid(struct host *host, int dir, const u8 *uuid, u64 transid, struct origin *origin)
{
	struct candidates c = {.host = host, .dir = dir, .uuid = uuid, .transid = transid, .received = true};
	char text[UUID_STR_LEN];
	int err = find_best(&c);

	if (!c.best && !err) {
		c.received = false;
		err = find_best(&c);
	}
	if (err)
		return error_errno(-err, "search for a subvolume by its uuid");
	*origin = c.origin;
	if (c.best)
		return open_id(host, dir, c.best);
	uuid_unparse_lower(uuid, text);
	return error_set(ENOENT, "no subvolume of this filesystem was received as %s or has that uuid", text);
}
