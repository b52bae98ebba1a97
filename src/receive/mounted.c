/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/mounted.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/error.h"
#include "format/inode.h"
#include "receive/btrfs_search.h"
#include "receive/host_root.h"
#include "receive/host_target.h"

static int mounted_open_received(struct host_target *h, const u8 *uuid, u64 ctransid, struct origin *o)
{
	return btrfs_open_by_uuid(h->host, h->dir, uuid, ctransid, o);
}

/* The call succeeds with 1, since the kernel looks for where the subvolume's entry would be, and hands on what the
 * search returned. */
static bool read_info(struct host *h, int fd, struct btrfs_ioctl_get_subvol_info_args *info)
{
	return h->ops->ioctl(h, fd, BTRFS_IOC_GET_SUBVOL_INFO, info) >= 0;
}

static int create_subvolume(struct host_target *h)
{
	struct btrfs_ioctl_vol_args args = {0};

	snprintf(args.name, sizeof(args.name), "%s", h->receiving.partial);
	if (h->host->ops->ioctl(h->host, h->dir, BTRFS_IOC_SUBVOL_CREATE, &args))
		return error_errno(errno, "creating subvolume failed");
	return host_target_open_fresh(h);
}

/* Whoever owns DIR can put something else in its place. */
static int check_snapshot(struct host_target *h, int fd, int parent)
{
	struct btrfs_ioctl_get_subvol_info_args of, info;

	/* A kernel without the call. */
	if (!read_info(h->host, parent, &of))
		return 0;
	if (read_info(h->host, fd, &info) && !memcmp(info.parent_uuid, of.uuid, sizeof(of.uuid)) &&
	    !(info.flags & ROOT_SUBVOL_RDONLY))
		return 0;
	return error_set(ESTALE, "'%s' is not the snapshot that was only just made", h->receiving.partial);
}

static int open_snapshot(struct host_target *h, int parent)
{
	int fd = host_target_open_partial(h);
	int ret = fd < 0 ? fd : check_snapshot(h, fd, parent);

	if (!ret)
		ret = host_root_close(h->host, fd, &h->receiving.notes);
	if (ret && fd >= 0)
		host_close(h->host, fd);
	return ret ? ret : fd;
}

static int create_snapshot(struct host_target *h, int parent)
{
	struct btrfs_ioctl_vol_args_v2 args = {.fd = parent};

	snprintf(args.name, sizeof(args.name), "%s", h->receiving.partial);
	if (h->host->ops->ioctl(h->host, h->dir, BTRFS_IOC_SNAP_CREATE_V2, &args))
		return error_errno(errno, "creating snapshot failed");
	return open_snapshot(h, parent);
}

static int mounted_make(struct host_target *h, const struct decoded_command *c, int parent)
{
	return c->type == STREAM_C_SUBVOL ? create_subvolume(h) : create_snapshot(h, parent);
}

/* A snapshot has everything from the beginning. */
static int mounted_fill(struct host_target *h, const struct decoded_command *c, int parent)
{
	return 0;
}

/* A subvolume that may be written to and was not received: what make() leaves, and nothing that came to its end. */
static bool is_unfinished(struct host_target *h, int fd)
{
	static const u8 none[BTRFS_UUID_SIZE];
	struct btrfs_ioctl_get_subvol_info_args info;
	struct host *host = h->host;
	struct stat st;

	return !host->ops->stat(host, fd, ".", &st) && st.st_ino == BTRFS_FIRST_FREE_OBJECTID &&
	       st.st_uid == host->user && read_info(host, fd, &info) && !(info.flags & ROOT_SUBVOL_RDONLY) &&
	       !memcmp(info.received_uuid, none, sizeof(none));
}

/* The subvolume that @fd is open on, whatever receiving.partial leads to meanwhile. */
static int destroy(struct host_target *h, int fd)
{
	const char *partial = h->receiving.partial;
	struct btrfs_ioctl_ino_lookup_args root = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
	struct btrfs_ioctl_vol_args_v2 by_id = {.flags = BTRFS_SUBVOL_SPEC_BY_ID};
	struct btrfs_ioctl_vol_args by_name = {0};
	struct host *host = h->host;

	if (host->ops->ioctl(host, fd, BTRFS_IOC_INO_LOOKUP, &root))
		return error_errno(errno, "look '%s' up", partial);
	by_id.subvolid = root.treeid;
	if (!host->ops->ioctl(host, h->dir, BTRFS_IOC_SNAP_DESTROY_V2, &by_id))
		return 0;
	/* Linux before 5.7, or a mount that maps owners. */
	snprintf(by_name.name, sizeof(by_name.name), "%s", partial);
	if ((errno == ENOTTY || errno == EOPNOTSUPP) && !host->ops->ioctl(host, h->dir, BTRFS_IOC_SNAP_DESTROY, &by_name))
		return 0;
	return error_errno(errno, "delete subvolume '%s'", partial);
}

static int discard_unknown(struct host_target *h)
{
	int fd = host_target_open_partial(h), ret;

	if (fd < 0)
		return fd;
	if (is_unfinished(h, fd))
		ret = destroy(h, fd);
	else
		ret = error_set(EEXIST, "'%s' is not known", h->receiving.partial);
	host_close(h->host, fd);
	return ret;
}

static int mounted_discard(struct host_target *h, int fd)
{
	return fd >= 0 ? destroy(h, fd) : discard_unknown(h);
}

/* 1 where the data has to be written decompressed. */
static int encoded_write(struct host_target *h, const struct operation *op)
{
	const struct decoded_command *c = op->c;
	struct iovec data = {.iov_base = (char *)c->data.data, .iov_len = c->data.len};
	struct btrfs_ioctl_encoded_io_args args = {
		.iov = &data,
		.iovcnt = 1,
		.offset = (s64)c->file_offset,
		.len = c->unencoded_file_len,
		.unencoded_len = c->unencoded_len,
		.unencoded_offset = c->unencoded_offset,
		.compression = c->compression,
		.encryption = c->encryption,
	};
	int ret = host_tree_open_file(&h->tree, op->path);

	if (ret)
		return ret;
	if (h->host->ops->ioctl(h->host, h->tree.file, BTRFS_IOC_ENCODED_WRITE, &args) >= 0)
		return 0;
	/* Another sector size, a nodatacow file, no room for an extent in one piece. */
	if (errno == ENOSPC || errno == ENOTTY || errno == EINVAL || errno == EPERM)
		return 1;
	return error_errno(errno, "encoded write");
}

static int mounted_apply(struct host_target *h, const struct operation *op)
{
	int ret = host_target_source(h, op);

	if (ret)
		return ret;
	switch (op->c->type) {
	case STREAM_C_ENCODED_WRITE:
		if (h->target.options.force_decompress)
			break;
		ret = encoded_write(h, op);
		if (ret <= 0)
			return ret;
		break;
	case STREAM_C_FILEATTR:
		/* As btrfs-progs has it: an immutable file would stop the next incremental stream. */
		return 0;
	}
	return host_tree_apply(&h->tree, op, &h->source);
}

static bool mounted_is_sealed(struct host_target *h)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	const struct receiving *r = &h->receiving;

	if (!read_info(h->host, h->tree.root, &info))
		return false;
	return info.flags & ROOT_SUBVOL_RDONLY &&
	       (!memcmp(info.received_uuid, r->uuid, sizeof(r->uuid)) || tree_notes_left_out(&r->notes, SKIPPED_DATA));
}

static int set_received(struct host_target *h)
{
	struct btrfs_ioctl_received_subvol_args args = {.stransid = h->receiving.ctransid};

	memcpy(args.uuid, h->receiving.uuid, sizeof(args.uuid));
	if (h->host->ops->ioctl(h->host, h->tree.root, BTRFS_IOC_SET_RECEIVED_SUBVOL, &args))
		return error_errno(errno, "set the received uuid");
	return 0;
}

static int set_read_only(struct host_target *h)
{
	struct host *host = h->host;
	u64 flags;

	if (host->ops->ioctl(host, h->tree.root, BTRFS_IOC_SUBVOL_GETFLAGS, &flags))
		return error_errno(errno, "read the subvolume's flags");
	flags |= BTRFS_SUBVOL_RDONLY;
	if (host->ops->ioctl(host, h->tree.root, BTRFS_IOC_SUBVOL_SETFLAGS, &flags))
		return error_errno(errno, "failed to make subvolume read only");
	return 0;
}

static int mounted_seal(struct host_target *h)
{
	/* What has no data must not be found as a parent. */
	bool whole = !tree_notes_left_out(&h->receiving.notes, SKIPPED_DATA);
	int ret = whole ? set_received(h) : 0;

	return ret ? ret : set_read_only(h);
}

static int mounted_done(struct host_target *h)
{
	return 0;
}

static const struct host_kind mounted_kind = {
	.open_received = mounted_open_received,
	.make = mounted_make,
	.fill = mounted_fill,
	.discard = mounted_discard,
	.apply = mounted_apply,
	.is_sealed = mounted_is_sealed,
	.seal = mounted_seal,
	.done = mounted_done,
	.removal = "btrfs subvolume delete",
};

int mounted_target_new(struct target **out, int dir, const struct receive_options *options)
{
	int ret = host_target_new(out, dir, options, &mounted_kind);

	if (!ret)
		host_target_of(*out)->tree.unrecorded = true;
	return ret;
}
