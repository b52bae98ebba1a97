/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text form follows btrfs-progs 6.2 where one would write it otherwise, too: a clone's source
 * and extended attributes are not escaped, and a value is cut at its first NUL; a path loses one
 * slash at its end; END prints nothing.
 */
#include "stream/print.h"

#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/json.h"

#define U(v) ((unsigned long long)(v))
#define TITLE_WIDTH 16
#define PATH_WIDTH 32

int stream_printer_init(struct stream_printer *p, FILE *out, bool json)
{
	*p = (struct stream_printer){.out = out, .json = json};
	return buffer_append(&p->root, ".", 1);
}

void stream_printer_release(struct stream_printer *p)
{
	buffer_release(&p->root);
	buffer_release(&p->path);
	buffer_release(&p->escape);
}

static size_t without_slash(const char *s, size_t len)
{
	return len && s[len - 1] == '/' ? len - 1 : len;
}

/* @out = "@root/@path". */
static int join(struct buffer *out, const char *root, size_t root_len, struct stream_bytes path)
{
	int ret;

	buffer_clear(out);
	ret = buffer_append(out, root, without_slash(root, root_len));
	if (!ret)
		ret = buffer_append(out, "/", 1);
	if (!ret)
		ret = buffer_append(out, path.data, without_slash(path.data, path.len));
	return ret;
}

/* "@root/@path" of the subvolume at hand, in p->path. */
static int join_root(struct stream_printer *p, struct stream_bytes path)
{
	return join(&p->path, (const char *)p->root.data, p->root.len, path);
}

/* Returns the length of what was printed, or -ENOMEM. */
static int print_escaped(struct stream_printer *p, const char *text, size_t len)
{
	int ret;

	buffer_clear(&p->escape);
	ret = buffer_reserve(&p->escape, len * ESCAPE_LONGEST + ESCAPE_LONGEST + 1);
	if (ret)
		return ret;
	len = escape_text((char *)p->escape.data, p->escape.capacity, text, len);
	fwrite(p->escape.data, 1, len, p->out);
	return (int)len;
}

/* The beginning of a line: title, path, and the space before what follows. */
static int title(struct stream_printer *p, const struct decoded_command *c, bool more)
{
	fprintf(p->out, "%-*s", TITLE_WIDTH, stream_command_name(c->type));

	int len = print_escaped(p, (const char *)p->path.data, p->path.len);

	if (len >= 0 && more)
		fprintf(p->out, "%*s", len < PATH_WIDTH ? PATH_WIDTH - len : 1, "");
	return len < 0 ? len : 0;
}

static void print_raw(FILE *out, const char *key, struct stream_bytes value)
{
	fprintf(out, "%s=%.*s", key, (int)value.len, value.data);
}

static int print_dest(struct stream_printer *p, const char *text, size_t len)
{
	fputs("dest=", p->out);

	int ret = print_escaped(p, text, len);

	return ret < 0 ? ret : 0;
}

static void print_time(FILE *out, const char *key, struct stream_time time)
{
	time_t t = time.sec;
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) && strftime(text, sizeof(text), "%FT%T%z", &tm))
		fprintf(out, "%s=%s", key, text);
	else
		fprintf(out, "%s=%lld", key, (long long)time.sec);
}

/* What a line says behind its path. */
static int print_values(struct stream_printer *p, const struct decoded_command *c)
{
	char uuid[UUID_STR_LEN], parent[UUID_STR_LEN];
	FILE *out = p->out;
	int ret = 0;

	switch (c->type) {
	case STREAM_C_SUBVOL:
		uuid_unparse_lower(c->uuid, uuid);
		fprintf(out, "uuid=%s transid=%llu", uuid, U(c->ctransid));
		break;
	case STREAM_C_SNAPSHOT:
		uuid_unparse_lower(c->uuid, uuid);
		uuid_unparse_lower(c->clone_uuid, parent);
		fprintf(out, "uuid=%s transid=%llu parent_uuid=%s parent_transid=%llu", uuid,
			U(c->ctransid), parent, U(c->clone_ctransid));
		break;
	case STREAM_C_MKNOD:
		fprintf(out, "mode=%llo dev=0x%llx", U(c->mode), U(c->rdev));
		break;
	case STREAM_C_SYMLINK:
	case STREAM_C_LINK:
		ret = print_dest(p, c->path_link.data, c->path_link.len);
		break;
	case STREAM_C_RENAME:
		ret = join_root(p, c->path_to);
		if (!ret)
			ret = print_dest(p, (const char *)p->path.data, p->path.len);
		break;
	case STREAM_C_SET_XATTR:
		print_raw(out, "name", c->xattr_name);
		fputc(' ', out);
		print_raw(out, "data", c->xattr_data);
		fprintf(out, " len=%u", c->xattr_data.len);
		break;
	case STREAM_C_REMOVE_XATTR:
		print_raw(out, "name", c->xattr_name);
		break;
	case STREAM_C_WRITE:
		fprintf(out, "offset=%llu len=%u", U(c->file_offset), c->data.len);
		break;
	case STREAM_C_CLONE:
		ret = join_root(p, c->clone_path);
		fprintf(out, "offset=%llu len=%llu from=%.*s clone_offset=%llu", U(c->file_offset),
			U(c->clone_len), (int)p->path.len, (char *)p->path.data,
			U(c->clone_offset));
		break;
	case STREAM_C_TRUNCATE:
		fprintf(out, "size=%llu", U(c->size));
		break;
	case STREAM_C_CHMOD:
		fprintf(out, "mode=%llo", U(c->mode));
		break;
	case STREAM_C_CHOWN:
		fprintf(out, "gid=%llu uid=%llu", U(c->gid), U(c->uid));
		break;
	case STREAM_C_UTIMES:
		print_time(out, "atime", c->atime);
		print_time(out, " mtime", c->mtime);
		print_time(out, " ctime", c->ctime);
		break;
	case STREAM_C_UPDATE_EXTENT:
		fprintf(out, "offset=%llu len=%llu", U(c->file_offset), U(c->size));
		break;
	case STREAM_C_FALLOCATE:
		fprintf(out, "mode=%d offset=%llu len=%llu", (int)c->fallocate_mode,
			U(c->file_offset), U(c->size));
		break;
	case STREAM_C_FILEATTR:
		fprintf(out, "fileattr=0x%llu", U(c->fileattr));
		break;
	case STREAM_C_ENCODED_WRITE:
		fprintf(out,
			"offset=%llu len=%u, unencoded_file_len=%llu, unencoded_len=%llu, "
			"unencoded_offset=%llu, compression=%u, encryption=%u",
			U(c->file_offset), c->data.len, U(c->unencoded_file_len), U(c->unencoded_len),
			U(c->unencoded_offset), c->compression, c->encryption);
		break;
	case STREAM_C_ENABLE_VERITY:
		fprintf(out, "algorithm=%u block_size=%u salt_len=%u sig_len=%u",
			c->verity_algorithm, c->verity_block_size, c->verity_salt.len,
			c->verity_sig.len);
		break;
	}
	return ret;
}

static bool has_values(u16 type)
{
	switch (type) {
	case STREAM_C_MKFILE:
	case STREAM_C_MKDIR:
	case STREAM_C_MKFIFO:
	case STREAM_C_MKSOCK:
	case STREAM_C_UNLINK:
	case STREAM_C_RMDIR:
		return false;
	}
	return true;
}

static int print_text(struct stream_printer *p, const struct decoded_command *c)
{
	int ret;

	if (c->type == STREAM_C_END)
		return 0;
	if (c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT) {
		ret = join(&p->root, ".", 1, c->path);
		buffer_clear(&p->path);
		if (!ret)
			ret = buffer_append(&p->path, p->root.data, p->root.len);
	} else {
		ret = join_root(p, c->path);
	}
	if (!ret)
		ret = title(p, c, has_values(c->type));
	if (!ret && has_values(c->type))
		ret = print_values(p, c);
	fputc('\n', p->out);
	return ret;
}

/* A member for every attribute that came, with the words of the text form where it has them. */
static void print_json(struct stream_printer *p, const struct decoded_command *c)
{
	bool clone = c->type == STREAM_C_CLONE;
	const struct {
		enum stream_attr attr;
		const char *key;
		u64 value;
	} numbers[] = {
		{STREAM_A_CTRANSID, "transid", c->ctransid},
		{STREAM_A_CLONE_CTRANSID, clone ? "clone_transid" : "parent_transid",
		 c->clone_ctransid},
		{STREAM_A_INO, "ino", c->ino},
		{STREAM_A_MODE, "mode", c->mode},
		{STREAM_A_RDEV, "dev", c->rdev},
		{STREAM_A_UID, "uid", c->uid},
		{STREAM_A_GID, "gid", c->gid},
		{STREAM_A_FALLOCATE_MODE, "fallocate_mode", c->fallocate_mode},
		{STREAM_A_FILE_OFFSET, "offset", c->file_offset},
		{STREAM_A_SIZE, "size", c->size},
		{STREAM_A_DATA, "len", c->data.len},
		{STREAM_A_CLONE_LEN, "len", c->clone_len},
		{STREAM_A_CLONE_OFFSET, "clone_offset", c->clone_offset},
		{STREAM_A_FILEATTR, "fileattr", c->fileattr},
		{STREAM_A_UNENCODED_FILE_LEN, "unencoded_file_len", c->unencoded_file_len},
		{STREAM_A_UNENCODED_LEN, "unencoded_len", c->unencoded_len},
		{STREAM_A_UNENCODED_OFFSET, "unencoded_offset", c->unencoded_offset},
		{STREAM_A_COMPRESSION, "compression", c->compression},
		{STREAM_A_ENCRYPTION, "encryption", c->encryption},
		{STREAM_A_VERITY_ALGORITHM, "algorithm", c->verity_algorithm},
		{STREAM_A_VERITY_BLOCK_SIZE, "block_size", c->verity_block_size},
		{STREAM_A_VERITY_SALT_DATA, "salt_len", c->verity_salt.len},
		{STREAM_A_VERITY_SIG_DATA, "sig_len", c->verity_sig.len},
	};
	const struct {
		enum stream_attr attr;
		const char *key;
		struct stream_bytes value;
	} texts[] = {
		{STREAM_A_PATH, "path", c->path},
		{STREAM_A_PATH_TO, "dest", c->path_to},
		{STREAM_A_PATH_LINK, "dest", c->path_link},
		{STREAM_A_CLONE_PATH, "from", c->clone_path},
		{STREAM_A_XATTR_NAME, "name", c->xattr_name},
		{STREAM_A_XATTR_DATA, "data", c->xattr_data},
	};
	const struct {
		enum stream_attr attr;
		const char *key;
		struct stream_time value;
	} times[] = {
		{STREAM_A_ATIME, "atime", c->atime},
		{STREAM_A_MTIME, "mtime", c->mtime},
		{STREAM_A_CTIME, "ctime", c->ctime},
		{STREAM_A_OTIME, "otime", c->otime},
	};
	struct json_line j;

	json_line_begin(&j, p->out);
	json_line_u64(&j, "number", c->number);
	json_line_u64(&j, "stream_offset", c->offset);
	json_line_string(&j, "command", stream_command_name(c->type));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (command_has(c, texts[i].attr))
			json_line_bytes(&j, texts[i].key, texts[i].value.data, texts[i].value.len);
	if (command_has(c, STREAM_A_UUID))
		json_line_uuid(&j, "uuid", c->uuid);
	if (command_has(c, STREAM_A_CLONE_UUID))
		json_line_uuid(&j, clone ? "clone_uuid" : "parent_uuid", c->clone_uuid);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (command_has(c, numbers[i].attr))
			json_line_u64(&j, numbers[i].key, numbers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (command_has(c, times[i].attr))
			json_line_time(&j, times[i].key, times[i].value.sec, times[i].value.nsec);
	json_line_end(&j);
}

static int output_error(struct stream_printer *p)
{
	return ferror(p->out) ? error_errno(errno ? errno : EIO, "cannot write the dump") : 0;
}

int stream_printer_header(struct stream_printer *p, u32 version)
{
	if (p->json) {
		struct json_line j;

		json_line_begin(&j, p->out);
		json_line_string(&j, "command", "header");
		json_line_u64(&j, "version", version);
		json_line_end(&j);
	}
	return output_error(p);
}

int stream_printer_command(struct stream_printer *p, const struct decoded_command *c)
{
	int ret = 0;

	if (p->json)
		print_json(p, c);
	else
		ret = print_text(p, c);
	return ret ? ret : output_error(p);
}
