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

/* How well subvolume @id fits: 0 not at all, 1 by its uuid, 2 by the transaction as well. */
static int fits(struct host *host, int dir, u64 id, bool received, const u8 *uuid, u64 transid, int *err)
{
	const struct root_item *item;
	struct search s;
	u32 len;
	const u8 *p = search(host, dir, &s, BTRFS_ROOT_TREE_OBJECTID, id, BTRFS_ROOT_ITEM_KEY, 0, &len, err);

	if (!p || len < sizeof(*item))
		return 0;
	item = (const struct root_item *)p;
	if (memcmp(received ? item->received_uuid : item->uuid, uuid, UUID_SIZE))
		return 0;
	return transid == le64_get(received ? item->stransid : item->ctransid) ? 2 : 1;
}

/* The id of the subvolume that fits best, 0 if none does. */
static u64 find_id(struct host *host, int dir, bool received, const u8 *uuid, u64 transid, int *err)
{
	u32 type = received ? BTRFS_UUID_KEY_RECEIVED_SUBVOL : BTRFS_UUID_KEY_SUBVOL, len = 0;
	u64 offset = get_le64(uuid + 8), best = 0;
	struct search s;
	const u8 *ids =
		search(host, dir, &s, BTRFS_UUID_TREE_OBJECTID, get_le64(uuid), type, offset, &len, err);
	int fit = 0;

	if (!ids || s.args.key.min_offset != offset)
		return 0;
	for (u32 at = 0; at + 8 <= len && fit < 2 && !*err; at += 8) {
		u64 id = get_le64(ids + at);
		int f = fits(host, dir, id, received, uuid, transid, err);

		if (f > fit) {
			fit = f;
			best = id;
		}
	}
	return best;
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

int btrfs_open_by_uuid(struct host *host, int dir, const u8 *uuid, u64 transid)
{
	char text[UUID_STR_LEN];
	int err;
	u64 id = find_id(host, dir, true, uuid, transid, &err);

	if (!id && !err)
		id = find_id(host, dir, false, uuid, transid, &err);
	if (err)
		return error_errno(-err, "search for a subvolume by its uuid");
	if (id)
		return open_id(host, dir, id);
	uuid_unparse_lower(uuid, text);
	return error_set(ENOENT, "no subvolume of this filesystem was received as %s or has that uuid", text);
}
