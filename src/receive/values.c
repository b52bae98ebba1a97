/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/values.h"

#include <sys/stat.h>

#include "base/checked.h"
#include "base/error.h"
#include "stream/path.h"

#define OFFSET_MAX ((u64)INT64_MAX)
#define NSEC_PER_SEC 1000000000u
#define U(v) ((unsigned long long)(v))

static int check_range(const char *what, u64 offset, u64 len)
{
	if (range_within(offset, len, OFFSET_MAX))
		return 0;
	return error_set(EINVAL, "%s [%llu, +%llu) is beyond what a file can hold", what, U(offset), U(len));
}

/* Beyond a second lie UTIME_NOW and UTIME_OMIT. */
static int check_time(const char *what, struct stream_time t)
{
	return t.nsec < NSEC_PER_SEC ? 0 : error_set(EINVAL, "%s has %u nanoseconds", what, t.nsec);
}

static int check_clone(const struct decoded_command *c)
{
	int ret = check_range("range", c->file_offset, c->clone_len);

	return ret ? ret : check_range("source", c->clone_offset, c->clone_len);
}

static int check_utimes(const struct decoded_command *c)
{
	int ret = check_time("atime", c->atime);

	return ret ? ret : check_time("mtime", c->mtime);
}

static int check_encoded(const struct decoded_command *c)
{
	if (c->encryption)
		return error_set(EOPNOTSUPP, "encryption %u is not supported", c->encryption);
	if (c->compression > STREAM_COMPRESSION_LZO_4K + 4)
		return error_set(EOPNOTSUPP, "compression %u is not known", c->compression);
	if (c->unencoded_len > VALUES_UNENCODED_MAX)
		return error_set(EINVAL, "an extent of %llu bytes, more than %u", U(c->unencoded_len),
				 VALUES_UNENCODED_MAX);
	if (!range_within(c->unencoded_offset, c->unencoded_file_len, c->unencoded_len))
		return error_set(EINVAL, "[%llu, +%llu) is not within the extent's %llu bytes",
				 U(c->unencoded_offset), U(c->unencoded_file_len), U(c->unencoded_len));
	if (c->compression == STREAM_COMPRESSION_NONE && c->data.len < c->unencoded_len)
		return error_set(EINVAL, "%u bytes of data for an extent of %llu", c->data.len,
				 U(c->unencoded_len));
	return check_range("data", c->file_offset, c->unencoded_file_len);
}

static int check_mknod(const struct decoded_command *c)
{
	mode_t type = c->mode & S_IFMT;

	if (type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK)
		return error_set(EINVAL, "mode %llo is of no device", U(c->mode));
	/* What new_encode_dev() makes has 32 bits and the form of glibc's dev_t. */
	if (c->rdev > UINT32_MAX)
		return error_set(EINVAL, "device number 0x%llx has more than 32 bits", U(c->rdev));
	return 0;
}

int values_check(const struct decoded_command *c)
{
	switch (c->type) {
	case STREAM_C_WRITE:
		return check_range("data", c->file_offset, c->data.len);
	case STREAM_C_ENCODED_WRITE:
		return check_encoded(c);
	case STREAM_C_TRUNCATE:
		return check_range("size", c->size, 0);
	case STREAM_C_FALLOCATE:
	case STREAM_C_UPDATE_EXTENT:
		return check_range("range", c->file_offset, c->size);
	case STREAM_C_CLONE:
		return check_clone(c);
	case STREAM_C_UTIMES:
		return check_utimes(c);
	case STREAM_C_MKNOD:
		return check_mknod(c);
	case STREAM_C_SYMLINK:
		if (!c->path_link.len || c->path_link.len > TREE_PATH_MAX)
			return error_set(EINVAL, "a target of %u bytes", c->path_link.len);
		return 0;
	case STREAM_C_CHOWN:
		/* (uid_t)-1 would mean "leave it alone". */
		if (c->uid >= UINT32_MAX || c->gid >= UINT32_MAX)
			return error_set(EINVAL, "no owner has the numbers %llu:%llu", U(c->uid), U(c->gid));
		return 0;
	case STREAM_C_SET_XATTR:
	case STREAM_C_REMOVE_XATTR:
		if (!c->xattr_name.len || c->xattr_name.len > VALUES_XATTR_NAME_MAX)
			return error_set(EINVAL, "an attribute's name of %u bytes", c->xattr_name.len);
		return 0;
	}
	return 0;
}
