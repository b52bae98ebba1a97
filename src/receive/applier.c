/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/applier.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/escape.h"
#include "receive/values.h"

void applier_init(struct applier *a, struct target *t)
{
	*a = (struct applier){.target = t};
}

/* The root has attributes, and nothing else can be done to it. */
static int check_named(const struct decoded_command *c, const struct tree_path *path, const struct tree_path *other)
{
	switch (c->type) {
	case STREAM_C_SUBVOL:
	case STREAM_C_SNAPSHOT:
	case STREAM_C_CHMOD:
	case STREAM_C_CHOWN:
	case STREAM_C_UTIMES:
	case STREAM_C_SET_XATTR:
	case STREAM_C_REMOVE_XATTR:
	case STREAM_C_FILEATTR:
		return 0;
	case STREAM_C_RENAME:
	case STREAM_C_LINK:
	case STREAM_C_CLONE:
		if (!other->len)
			return error_set(EINVAL, "the second path is empty");
	}
	return path->len ? 0 : error_set(EINVAL, "the path is empty");
}

int applier_check(const struct decoded_command *c, struct tree_path *path, struct tree_path *other)
{
	int ret;

	if (c->type == STREAM_C_END)
		return 0;
	if (c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT)
		ret = subvolume_name_set(path, c->path);
	else
		ret = tree_path_set(path, c->path);
	if (ret)
		return ret;
	switch (c->type) {
	case STREAM_C_RENAME:
		ret = tree_path_set(other, c->path_to);
		break;
	case STREAM_C_LINK:
		ret = tree_path_set(other, c->path_link);
		break;
	case STREAM_C_CLONE:
		ret = tree_path_set(other, c->clone_path);
		break;
	}
	if (!ret)
		ret = check_named(c, path, other);
	return ret ? ret : values_check(c);
}

int applier_wrap(const struct decoded_command *c, u64 ino, int ret)
{
	char path[512], other[512] = "", inode[64] = "";
	const struct stream_bytes *second = c->type == STREAM_C_RENAME ? &c->path_to :
					    c->type == STREAM_C_LINK   ? &c->path_link :
					    c->type == STREAM_C_CLONE  ? &c->clone_path :
									 NULL;

	if (command_has(c, STREAM_A_INO))
		ino = c->ino;
	escape_text(path, sizeof(path), c->path.data, c->path.len);
	if (second) {
		char text[480];

		escape_text(text, sizeof(text), second->data, second->len);
		snprintf(other, sizeof(other), " %s '%s'",
			 c->type == STREAM_C_CLONE ? "from" : "to", text);
	}
	if (ino)
		snprintf(inode, sizeof(inode), " (inode %llu)", (unsigned long long)ino);
	return error_wrap(ret, "stream offset %llu: command %llu: %s '%s'%s%s",
			  (unsigned long long)c->offset, (unsigned long long)c->number,
			  stream_command_name(c->type), path, other, inode);
}

/* SUBVOL, SNAPSHOT and END end the subvolume before them: `btrfs send -e` leaves the END out. */
static int finish(struct applier *a)
{
	if (!a->receiving)
		return 0;
	a->receiving = false;
	a->ino = 0;
	if (a->skip == UINT64_MAX)
		return 0;
	if (a->commands < a->skip)
		return error_set(EINVAL, "the subvolume ends here, and %llu commands of it were applied "
					 "already: this is not the stream to resume",
				 (unsigned long long)a->skip);
	if (a->failures)
		return error_set(EIO, "the subvolume is not whole: %llu of its commands failed",
				 (unsigned long long)a->failures);
	return a->target->ops->finish(a->target);
}

static int begin(struct applier *a, const struct operation *op)
{
	int ret = 0;

	a->commands = a->digest = a->skip = 0;
	a->failures = 0;
	a->without_data = false;
	if (a->target->options.resume)
		ret = a->target->ops->resume(a->target, op, &a->skip, &a->skip_digest);
	if (!ret && !a->skip)
		ret = a->target->ops->begin(a->target, op);
	if (ret)
		return ret;
	memcpy(a->uuid, op->c->uuid, sizeof(a->uuid));
	a->receiving = true;
	return 0;
}

/* Whether @c acts on the inode that was made last. */
static bool is_newest(const struct applier *a, const struct decoded_command *c)
{
	return a->ino && c->path.len && c->path.len == a->ino_path.len &&
	       !memcmp(c->path.data, a->ino_path.text, c->path.len);
}

/* A new inode, or another name for it. */
static void follow_inode(struct applier *a, const struct operation *op)
{
	if (command_has(op->c, STREAM_A_INO)) {
		a->ino = op->c->ino;
		a->ino_path = *op->path;
	} else if (op->c->type == STREAM_C_RENAME && is_newest(a, op->c)) {
		a->ino_path = *op->other;
	}
}

/* One more command of the subvolume is dealt with. */
static int advance(struct applier *a, const struct decoded_command *c)
{
	u8 id[16];

	put_le64(id, a->digest);
	put_le32(id + 8, c->crc);
	put_le32(id + 12, c->len);
	a->digest = XXH64(id, sizeof(id), 0);
	a->commands++;
	a->again = a->commands == a->skip;
	if (a->commands > a->skip)
		return a->target->ops->advance(a->target, a->commands, a->digest);
	if (a->again && a->digest != a->skip_digest) {
		/* Nothing of it is for that tree, whatever is passed over. */
		a->receiving = false;
		return error_set(EINVAL, "the %llu commands up to here are not those that were applied "
					 "already: this is not the stream to resume",
				 (unsigned long long)a->commands);
	}
	return 0;
}

static bool begins(const struct decoded_command *c)
{
	return c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT;
}

static int apply(struct applier *a, const struct decoded_command *c)
{
	struct operation op = {
		.c = c,
		.path = &a->path,
		.other = &a->other,
		.within = c->type == STREAM_C_CLONE && !memcmp(c->clone_uuid, a->uuid, sizeof(a->uuid)),
		.again = a->again,
	};
	int ret = applier_check(c, &a->path, &a->other);

	if (ret)
		return ret;
	if (begins(c))
		return begin(a, &op);
	if (!a->receiving)
		return error_set(EINVAL, "a command outside of any subvolume");
	a->without_data |= c->type == STREAM_C_UPDATE_EXTENT;
	op.without_data = a->without_data;
	if (a->commands >= a->skip)
		ret = a->target->ops->apply(a->target, &op);
	if (!ret)
		follow_inode(a, &op);
	return ret;
}

int applier_command(struct applier *a, const struct decoded_command *c)
{
	int ret = 0;

	if (begins(c) || c->type == STREAM_C_END)
		ret = finish(a);
	a->put_off = ret && begins(c);
	if (!ret && c->type != STREAM_C_END)
		ret = apply(a, c);
	if (!ret && a->receiving)
		ret = advance(a, c);
	if (!ret)
		return 0;
	return applier_wrap(c, is_newest(a, c) ? a->ino : 0, ret);
}

int applier_passed_over(struct applier *a, const struct decoded_command *c)
{
	if (a->put_off)
		return applier_command(a, c);
	if (!a->receiving)
		return 0;
	/* What follows belongs to the one that cannot be begun, and none of it to the one before, of which nothing failed. */
	if (begins(c)) {
		a->receiving = false;
		return 0;
	}
	a->failures++;
	/* Of what an earlier run has applied nothing is missing. */
	if (a->commands >= a->skip)
		a->target->ops->passed_over(a->target);
	return 0;
}
