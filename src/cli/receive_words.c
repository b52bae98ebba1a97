/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/receive_words.h"

#include <stdio.h>
#include <uuid/uuid.h>

#include "base/escape.h"

#define U(v) ((unsigned long long)(v))

struct shown {
	char text[1024];
};

static const char *show(struct shown *s, struct stream_bytes b)
{
	escape_text(s->text, sizeof(s->text), b.data, b.len);
	return s->text;
}

static void say_subvolume(const struct decoded_command *c, int verbosity)
{
	bool snapshot = c->type == STREAM_C_SNAPSHOT;
	char uuid[UUID_STR_LEN], parent[UUID_STR_LEN];
	struct shown path;

	show(&path, c->path);
	fprintf(stderr, "At %s %s\n", snapshot ? "snapshot" : "subvol", path.text);
	if (verbosity < 2)
		return;
	uuid_unparse_lower(c->uuid, uuid);
	if (!snapshot) {
		fprintf(stderr, "receiving subvol %s uuid=%s, stransid=%llu\n", path.text, uuid,
			U(c->ctransid));
		return;
	}
	uuid_unparse_lower(c->clone_uuid, parent);
	fprintf(stderr,
		"receiving snapshot %s uuid=%s, ctransid=%llu parent_uuid=%s, parent_ctransid=%llu\n",
		path.text, uuid, U(c->ctransid), parent, U(c->clone_ctransid));
}

static void say_data(const struct decoded_command *c, const char *path)
{
	struct shown other;

	switch (c->type) {
	case STREAM_C_WRITE:
		fprintf(stderr, "write %s - offset=%llu length=%u\n", path, U(c->file_offset), c->data.len);
		break;
	case STREAM_C_CLONE:
		fprintf(stderr, "clone %s - source=%s source offset=%llu offset=%llu length=%llu\n", path,
			show(&other, c->clone_path), U(c->clone_offset), U(c->file_offset),
			U(c->clone_len));
		break;
	}
}

static void say_names(const struct decoded_command *c, const char *path)
{
	struct shown other;

	switch (c->type) {
	case STREAM_C_MKNOD:
		fprintf(stderr, "mknod %s mode=%llu, dev=%llu\n", path, U(c->mode), U(c->rdev));
		break;
	case STREAM_C_RENAME:
		fprintf(stderr, "rename %s -> %s\n", path, show(&other, c->path_to));
		break;
	case STREAM_C_LINK:
	case STREAM_C_SYMLINK:
		fprintf(stderr, "%s %s -> %s\n", stream_command_name(c->type), path,
			show(&other, c->path_link));
		break;
	default:
		fprintf(stderr, "%s %s\n", stream_command_name(c->type), path);
	}
}

static void say_rest(const struct decoded_command *c, const char *path)
{
	struct shown name, value;

	switch (c->type) {
	case STREAM_C_SET_XATTR:
		fprintf(stderr, "set_xattr %s - name=%s data_len=%u data=%s\n", path,
			show(&name, c->xattr_name), c->xattr_data.len, show(&value, c->xattr_data));
		break;
	case STREAM_C_REMOVE_XATTR:
		fprintf(stderr, "remove_xattr %s - name=%s\n", path, show(&name, c->xattr_name));
		break;
	case STREAM_C_TRUNCATE:
		fprintf(stderr, "truncate %s size=%llu\n", path, U(c->size));
		break;
	case STREAM_C_CHMOD:
		fprintf(stderr, "chmod %s - mode=0%llo\n", path, U(c->mode));
		break;
	case STREAM_C_CHOWN:
		fprintf(stderr, "chown %s - uid=%llu, gid=%llu\n", path, U(c->uid), U(c->gid));
		break;
	case STREAM_C_UPDATE_EXTENT:
		fprintf(stderr, "update_extent %s: offset=%llu, len=%llu\n", path, U(c->file_offset),
			U(c->size));
		break;
	case STREAM_C_ENCODED_WRITE:
		fprintf(stderr,
			"encoded_write %s - offset=%llu, len=%u, unencoded_offset=%llu, "
			"unencoded_file_len=%llu, unencoded_len=%llu, compression=%u, encryption=%u\n",
			path, U(c->file_offset), c->data.len, U(c->unencoded_offset),
			U(c->unencoded_file_len), U(c->unencoded_len), c->compression, c->encryption);
		break;
	case STREAM_C_FALLOCATE:
		fprintf(stderr, "fallocate %s - offset=%llu, len=%llu, mode=%d\n", path,
			U(c->file_offset), U(c->size), (int)c->fallocate_mode);
		break;
	default:
		say_names(c, path);
	}
}

void receive_say(const struct decoded_command *c, int verbosity)
{
	struct shown path;

	if (verbosity < 1 || c->type == STREAM_C_END)
		return;
	if (c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT) {
		say_subvolume(c, verbosity);
		return;
	}
	if (verbosity < 2)
		return;
	show(&path, c->path);
	if (c->type == STREAM_C_WRITE || c->type == STREAM_C_CLONE)
		say_data(c, path.text);
	else if (verbosity >= 3)
		say_rest(c, path.text);
}
