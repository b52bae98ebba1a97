/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Content of a host tree's files. */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "receive/file.h"
#include "receive/host_tree.h"
#include "receive/values.h"

#define HOLE_UNIT 4096u /* --sparse looks at blocks of this size */

static bool all_zero(const char *p, u64 len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* How much from @data on is all zero, or all not, in units that lie aligned in the file. */
static u64 run_length(const char *data, u64 len, u64 offset, bool *zero)
{
	u64 n = 0;

	while (n < len) {
		u64 unit = min_u64(len - n, HOLE_UNIT - (offset + n) % HOLE_UNIT);
		bool z = all_zero(data + n, unit);

		if (n && z != *zero)
			break;
		*zero = z;
		n += unit;
	}
	return n;
}

static int write_sparsely(struct host_tree *h, const char *data, u64 len, u64 offset)
{
	u64 end = offset + len;
	int ret = 0;

	while (!ret && len) {
		bool zero = false;
		u64 n = run_length(data, len, offset, &zero);

		ret = zero ? file_make_hole(&h->copier, h->file, offset, n) :
			     file_write(h->host, h->file, data, n, offset);
		data += n;
		len -= n;
		offset += n;
	}
	return ret ? ret : file_extend(h->host, h->file, end);
}

static int write_data(struct host_tree *h, const char *data, u64 len, u64 offset)
{
	return h->target->options.sparse ? write_sparsely(h, data, len, offset) :
					   file_write(h->host, h->file, data, len, offset);
}

int host_tree_write(struct host_tree *h, const struct operation *op)
{
	int ret = host_tree_open_file(h, op->path);

	return ret ? ret : write_data(h, op->c->data.data, op->c->data.len, op->c->file_offset);
}

/* The extent's data in front of compression, in h->data. */
static int decode_extent(struct host_tree *h, const struct decoded_command *c)
{
	u32 sector = 4096;
	u8 type;
	int ret;

	switch (c->compression) {
	case STREAM_COMPRESSION_ZLIB: type = COMPRESSION_ZLIB; break;
	case STREAM_COMPRESSION_ZSTD: type = COMPRESSION_ZSTD; break;
	default:
		type = COMPRESSION_LZO;
		sector = 4096u << (c->compression - STREAM_COMPRESSION_LZO_4K);
	}
	if (!h->decompressor) {
		ret = decompressor_new(&h->decompressor);
		if (ret)
			return ret;
	}
	return decompress_extent(h->decompressor, type, c->data.data, c->data.len, h->data.data,
				 c->unencoded_len, sector);
}

int host_tree_encoded_write(struct host_tree *h, const struct operation *op)
{
	const struct decoded_command *c = op->c;
	const char *data;
	int ret;

	if (c->compression == STREAM_COMPRESSION_NONE) {
		data = c->data.data;
	} else {
		buffer_clear(&h->data);
		ret = buffer_reserve(&h->data, VALUES_UNENCODED_MAX);
		if (!ret)
			ret = decode_extent(h, c);
		if (ret)
			return ret;
		data = (const char *)h->data.data;
	}
	ret = host_tree_open_file(h, op->path);
	if (ret)
		return ret;
	return write_data(h, data + c->unencoded_offset, c->unencoded_file_len, c->file_offset);
}

int host_tree_truncate(struct host_tree *h, const struct operation *op)
{
	int ret = host_tree_open_file(h, op->path);

	return ret ? ret : file_truncate(h->host, h->file, op->c->size);
}

/* What the filesystem has no call for: zeros are written, space is not set aside. */
static int fallocate_by_hand(struct host_tree *h, const struct decoded_command *c, int err)
{
	u64 end = c->file_offset + c->size;
	int ret;

	switch (c->fallocate_mode) {
	case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
		return file_make_hole(&h->copier, h->file, c->file_offset, c->size);
	case FALLOC_FL_ZERO_RANGE:
		ret = file_make_hole(&h->copier, h->file, c->file_offset, c->size);
		return ret ? ret : file_extend(h->host, h->file, end);
	case FALLOC_FL_KEEP_SIZE:
		return host_tree_skip(h, SKIPPED_PREALLOC, err);
	case 0:
		ret = host_tree_skip(h, SKIPPED_PREALLOC, err);
		return ret ? ret : file_extend(h->host, h->file, end);
	}
	return error_errno(err, "fallocate");
}

int host_tree_fallocate(struct host_tree *h, const struct operation *op)
{
	const struct decoded_command *c = op->c;
	int ret = host_tree_open_file(h, op->path);

	if (ret)
		return ret;
	ret = file_allocate(h->host, h->file, (int)c->fallocate_mode, c->file_offset, c->size);
	if (ret && skipped_because(-ret))
		return fallocate_by_hand(h, c, -ret);
	return ret ? error_errno(-ret, "fallocate") : 0;
}

static int clone_from(struct host_tree *h, const struct operation *op, int source, bool same)
{
	struct host *host = h->host;
	const struct decoded_command *c = op->c;
	struct file_clone_range range = {
		.src_fd = source,
		.src_offset = c->clone_offset,
		.src_length = c->clone_len,
		.dest_offset = c->file_offset,
	};
	u64 size;
	int ret = file_size(host, source, &size);

	if (ret)
		return ret;
	if (!range_within(c->clone_offset, c->clone_len, size) && op->without_data)
		return 0;
	if (!range_within(c->clone_offset, c->clone_len, size))
		return error_set(EINVAL, "[%llu, +%llu) is not within the source's %llu bytes",
				 (unsigned long long)c->clone_offset, (unsigned long long)c->clone_len,
				 (unsigned long long)size);
	if (!c->clone_len)
		return 0; /* which the call would take for all that is left */
	if (same && c->clone_offset < c->file_offset + c->clone_len &&
	    c->file_offset < c->clone_offset + c->clone_len)
		return error_set(EINVAL, "the ranges overlap");
	if (!host->ops->ioctl(host, h->file, FICLONERANGE, &range))
		return 0;
	/* EINVAL: offsets that fit the sender's blocks and not this filesystem's. */
	if (errno != EOPNOTSUPP && errno != ENOTTY && errno != EXDEV && errno != EINVAL)
		return error_errno(errno, "clone");
	return file_copy(&h->copier, source, c->clone_offset, c->clone_len, h->file, c->file_offset);
}

int host_tree_clone(struct host_tree *h, const struct operation *op, struct beneath *source)
{
	struct host *host = h->host;
	struct stat a, b;
	int ret = host_tree_open_file(h, op->path);

	if (ret)
		return ret;

	int fd = host_tree_open_source(op->within ? &h->beneath : source, op->other);

	if (fd < 0)
		return fd;

	bool same = !host->ops->stat(host, fd, ".", &a) && !host->ops->stat(host, h->file, ".", &b) &&
		    a.st_dev == b.st_dev && a.st_ino == b.st_ino;

	ret = clone_from(h, op, fd, same);
	host_close(host, fd);
	return ret;
}
