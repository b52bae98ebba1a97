/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/command.h"

#include <string.h>

#include "base/error.h"

/* A path is a text whose components are names. */
enum kind { KIND_U8, KIND_U32, KIND_U64, KIND_UUID, KIND_TIME, KIND_TEXT, KIND_PATH, KIND_BYTES };

struct attribute_rule {
	const char *name;
	u8 since; /* stream version */
	u8 kind;
	u16 field;
	u32 max; /* bytes; of texts, paths and bytes alone.  Data is as long as its command lets it be */
};

#define RULE(name, since, kind, field) {name, since, kind, offsetof(struct decoded_command, field), 0}
#define UP_TO(max, name, since, kind, field)                                                       \
	{name, since, kind, offsetof(struct decoded_command, field), max}

static const struct attribute_rule attributes[STREAM_A_MAX + 1] = {
	[STREAM_A_UUID] = RULE("uuid", 1, KIND_UUID, uuid),
	[STREAM_A_CTRANSID] = RULE("ctransid", 1, KIND_U64, ctransid),
	[STREAM_A_INO] = RULE("ino", 1, KIND_U64, ino),
	[STREAM_A_SIZE] = RULE("size", 1, KIND_U64, size),
	[STREAM_A_MODE] = RULE("mode", 1, KIND_U64, mode),
	[STREAM_A_UID] = RULE("uid", 1, KIND_U64, uid),
	[STREAM_A_GID] = RULE("gid", 1, KIND_U64, gid),
	[STREAM_A_RDEV] = RULE("rdev", 1, KIND_U64, rdev),
	[STREAM_A_CTIME] = RULE("ctime", 1, KIND_TIME, ctime),
	[STREAM_A_MTIME] = RULE("mtime", 1, KIND_TIME, mtime),
	[STREAM_A_ATIME] = RULE("atime", 1, KIND_TIME, atime),
	[STREAM_A_OTIME] = RULE("otime", 1, KIND_TIME, otime),
	[STREAM_A_XATTR_NAME] = UP_TO(STREAM_NAME_MAX, "xattr_name", 1, KIND_TEXT, xattr_name),
	[STREAM_A_XATTR_DATA] = UP_TO(STREAM_XATTR_MAX, "xattr_data", 1, KIND_BYTES, xattr_data),
	[STREAM_A_PATH] = UP_TO(STREAM_PATH_MAX, "path", 1, KIND_PATH, path),
	[STREAM_A_PATH_TO] = UP_TO(STREAM_PATH_MAX, "path_to", 1, KIND_PATH, path_to),
	[STREAM_A_PATH_LINK] = UP_TO(STREAM_PATH_MAX, "path_link", 1, KIND_PATH, path_link),
	[STREAM_A_FILE_OFFSET] = RULE("file_offset", 1, KIND_U64, file_offset),
	[STREAM_A_DATA] = UP_TO(UINT32_MAX, "data", 1, KIND_BYTES, data),
	[STREAM_A_CLONE_UUID] = RULE("clone_uuid", 1, KIND_UUID, clone_uuid),
	[STREAM_A_CLONE_CTRANSID] = RULE("clone_ctransid", 1, KIND_U64, clone_ctransid),
	[STREAM_A_CLONE_PATH] = UP_TO(STREAM_PATH_MAX, "clone_path", 1, KIND_PATH, clone_path),
	[STREAM_A_CLONE_OFFSET] = RULE("clone_offset", 1, KIND_U64, clone_offset),
	[STREAM_A_CLONE_LEN] = RULE("clone_len", 1, KIND_U64, clone_len),
	[STREAM_A_FALLOCATE_MODE] = RULE("fallocate_mode", 2, KIND_U32, fallocate_mode),
	[STREAM_A_FILEATTR] = RULE("fileattr", 2, KIND_U64, fileattr),
	[STREAM_A_UNENCODED_FILE_LEN] = RULE("unencoded_file_len", 2, KIND_U64, unencoded_file_len),
	[STREAM_A_UNENCODED_LEN] = RULE("unencoded_len", 2, KIND_U64, unencoded_len),
	[STREAM_A_UNENCODED_OFFSET] = RULE("unencoded_offset", 2, KIND_U64, unencoded_offset),
	[STREAM_A_COMPRESSION] = RULE("compression", 2, KIND_U32, compression),
	[STREAM_A_ENCRYPTION] = RULE("encryption", 2, KIND_U32, encryption),
	[STREAM_A_VERITY_ALGORITHM] = RULE("verity_algorithm", 3, KIND_U8, verity_algorithm),
	[STREAM_A_VERITY_BLOCK_SIZE] = RULE("verity_block_size", 3, KIND_U32, verity_block_size),
	[STREAM_A_VERITY_SALT_DATA] =
		UP_TO(STREAM_VERITY_SALT_MAX, "verity_salt_data", 3, KIND_BYTES, verity_salt),
	[STREAM_A_VERITY_SIG_DATA] =
		UP_TO(STREAM_VERITY_SIG_MAX, "verity_sig_data", 3, KIND_BYTES, verity_sig),
};

struct command_rule {
	const char *name;
	u8 since;
	u64 needs;
};

#define A(attr) (1ull << STREAM_A_##attr)

/* The attributes that btrfs-progs asks for as well: an older sender's stream has them all. */
static const struct command_rule commands[STREAM_C_MAX + 1] = {
	[STREAM_C_SUBVOL] = {"subvol", 1, A(PATH) | A(UUID) | A(CTRANSID)},
	[STREAM_C_SNAPSHOT] = {"snapshot", 1,
			       A(PATH) | A(UUID) | A(CTRANSID) | A(CLONE_UUID) | A(CLONE_CTRANSID)},
	[STREAM_C_MKFILE] = {"mkfile", 1, A(PATH) | A(INO)},
	[STREAM_C_MKDIR] = {"mkdir", 1, A(PATH) | A(INO)},
	[STREAM_C_MKNOD] = {"mknod", 1, A(PATH) | A(INO) | A(MODE) | A(RDEV)},
	[STREAM_C_MKFIFO] = {"mkfifo", 1, A(PATH) | A(INO)},
	[STREAM_C_MKSOCK] = {"mksock", 1, A(PATH) | A(INO)},
	[STREAM_C_SYMLINK] = {"symlink", 1, A(PATH) | A(INO) | A(PATH_LINK)},
	[STREAM_C_RENAME] = {"rename", 1, A(PATH) | A(PATH_TO)},
	[STREAM_C_LINK] = {"link", 1, A(PATH) | A(PATH_LINK)},
	[STREAM_C_UNLINK] = {"unlink", 1, A(PATH)},
	[STREAM_C_RMDIR] = {"rmdir", 1, A(PATH)},
	[STREAM_C_SET_XATTR] = {"set_xattr", 1, A(PATH) | A(XATTR_NAME) | A(XATTR_DATA)},
	[STREAM_C_REMOVE_XATTR] = {"remove_xattr", 1, A(PATH) | A(XATTR_NAME)},
	[STREAM_C_WRITE] = {"write", 1, A(PATH) | A(FILE_OFFSET) | A(DATA)},
	[STREAM_C_CLONE] = {"clone", 1,
			    A(PATH) | A(FILE_OFFSET) | A(CLONE_LEN) | A(CLONE_UUID) |
				    A(CLONE_CTRANSID) | A(CLONE_PATH) | A(CLONE_OFFSET)},
	[STREAM_C_TRUNCATE] = {"truncate", 1, A(PATH) | A(SIZE)},
	[STREAM_C_CHMOD] = {"chmod", 1, A(PATH) | A(MODE)},
	[STREAM_C_CHOWN] = {"chown", 1, A(PATH) | A(UID) | A(GID)},
	[STREAM_C_UTIMES] = {"utimes", 1, A(PATH) | A(ATIME) | A(MTIME) | A(CTIME)},
	[STREAM_C_END] = {"end", 1, 0},
	[STREAM_C_UPDATE_EXTENT] = {"update_extent", 1, A(PATH) | A(FILE_OFFSET) | A(SIZE)},
	[STREAM_C_FALLOCATE] = {"fallocate", 2,
				A(PATH) | A(FALLOCATE_MODE) | A(FILE_OFFSET) | A(SIZE)},
	[STREAM_C_FILEATTR] = {"fileattr", 2, A(PATH) | A(FILEATTR)},
	[STREAM_C_ENCODED_WRITE] = {"encoded_write", 2,
				    A(PATH) | A(FILE_OFFSET) | A(UNENCODED_FILE_LEN) |
					    A(UNENCODED_LEN) | A(UNENCODED_OFFSET) | A(DATA)},
	[STREAM_C_ENABLE_VERITY] = {"enable_verity", 3,
				    A(PATH) | A(VERITY_ALGORITHM) | A(VERITY_BLOCK_SIZE) |
					    A(VERITY_SALT_DATA) | A(VERITY_SIG_DATA)},
};

#undef A

const char *stream_command_name(u16 type)
{
	return type <= STREAM_C_MAX ? commands[type].name : NULL;
}

static int check_size(const struct attribute_rule *rule, u32 len, u32 size)
{
	if (len != size)
		return error_set(EINVAL, "attribute %s has %u bytes instead of %u", rule->name, len,
				 size);
	return 0;
}

/* A subvolume's name and a symlink's target come in attributes that are paths elsewhere. */
static struct attribute_rule rule_in(const struct decoded_command *c, u16 type)
{
	struct attribute_rule rule = attributes[type];

	if (type == STREAM_A_PATH && (c->type == STREAM_C_SUBVOL || c->type == STREAM_C_SNAPSHOT)) {
		rule.max = STREAM_NAME_MAX;
	} else if (type == STREAM_A_PATH_LINK && c->type == STREAM_C_SYMLINK) {
		rule.kind = KIND_TEXT;
		rule.max = STREAM_TARGET_MAX;
	}
	return rule;
}

static int check_length(const struct attribute_rule *rule, u32 len)
{
	if (len > rule->max)
		return error_set(EINVAL, "attribute %s of %u bytes is longer than %u bytes", rule->name,
				 len, rule->max);
	return 0;
}

static int check_components(const struct attribute_rule *rule, const u8 *value, u32 len)
{
	const u8 *end = value + len;

	for (const u8 *name = value;;) {
		const u8 *slash = memchr(name, '/', end - name);
		size_t n = (slash ? slash : end) - name;

		if (n > STREAM_NAME_MAX)
			return error_set(EINVAL,
					 "attribute %s has a component of %zu bytes, longer than %u bytes",
					 rule->name, n, STREAM_NAME_MAX);
		if (!slash)
			return 0;
		name = slash + 1;
	}
}

/* A value of no fixed length. */
static int store_bytes(char *field, const struct attribute_rule *rule, const u8 *value, u32 len)
{
	int ret = check_length(rule, len);

	if (!ret && rule->kind != KIND_BYTES && memchr(value, '\0', len))
		ret = error_set(EINVAL, "attribute %s has a NUL byte", rule->name);
	if (!ret && rule->kind == KIND_PATH)
		ret = check_components(rule, value, len);
	if (!ret)
		*(struct stream_bytes *)field = (struct stream_bytes){(const char *)value, len};
	return ret;
}

static int store(struct decoded_command *c, const struct attribute_rule *rule, const u8 *value,
		 u32 len)
{
	char *field = (char *)c + rule->field;
	struct stream_time *time;
	int ret = 0;

	switch (rule->kind) {
	case KIND_U8:
		ret = check_size(rule, len, 1);
		if (!ret)
			*(u8 *)field = *value;
		break;
	case KIND_U32:
		ret = check_size(rule, len, 4);
		if (!ret)
			*(u32 *)field = get_le32(value);
		break;
	case KIND_U64:
		ret = check_size(rule, len, 8);
		if (!ret)
			*(u64 *)field = get_le64(value);
		break;
	case KIND_UUID:
		ret = check_size(rule, len, 16);
		if (!ret)
			memcpy(field, value, 16);
		break;
	case KIND_TIME:
		ret = check_size(rule, len, 12);
		if (ret)
			break;
		time = (struct stream_time *)field;
		time->sec = (s64)get_le64(value);
		time->nsec = get_le32(value + 8);
		break;
	case KIND_TEXT:
	case KIND_PATH:
	case KIND_BYTES:
		ret = store_bytes(field, rule, value, len);
		break;
	}
	return ret;
}

/* One attribute at @pos; returns the position behind it. */
static int parse_attribute(struct decoded_command *c, u32 version, const u8 *p, u32 len, u32 *pos)
{
	if (len - *pos < 2)
		return error_set(EINVAL, "a lone byte behind the last attribute");

	u16 type = get_le16(p + *pos);

	if (type > STREAM_A_MAX || !attributes[type].name)
		return error_set(EINVAL, "attribute of unknown type %u", type);

	const struct attribute_rule rule = rule_in(c, type);

	if (rule.since > version)
		return error_set(EINVAL, "attribute %s is not of version %u", rule.name, version);
	if (command_has(c, type))
		return error_set(EINVAL, "attribute %s comes twice", rule.name);
	*pos += 2;

	u32 size;

	if (version >= 2 && type == STREAM_A_DATA) {
		size = len - *pos;
	} else {
		if (len - *pos < 2)
			return error_set(EINVAL, "attribute %s ends within its length", rule.name);
		size = get_le16(p + *pos);
		*pos += 2;
	}
	if (size > len - *pos)
		return error_set(EINVAL, "attribute %s of %u bytes where the command has %u left",
				 rule.name, size, len - *pos);

	/* mkfs.btrfs --rootdir stores the NUL behind a symlink's target, too, and the kernel sends what
	 * is stored. */
	bool nul_behind = type == STREAM_A_PATH_LINK && size && !p[*pos + size - 1];
	int ret = store(c, &rule, p + *pos, size - nul_behind);

	c->present |= 1ull << type;
	*pos += size;
	return ret;
}

int command_parse(struct decoded_command *c, u32 version, const u8 *p, u32 len)
{
	const struct command_rule *rule = c->type <= STREAM_C_MAX ? &commands[c->type] : NULL;

	if (!rule || !rule->name)
		return error_set(EINVAL, "no such command");
	if (rule->since > version)
		return error_set(EINVAL, "the command is not of version %u", version);

	for (u32 pos = 0; pos < len;) {
		int ret = parse_attribute(c, version, p, len, &pos);

		if (ret)
			return ret;
	}

	u64 missing = rule->needs & ~c->present;

	if (missing)
		return error_set(EINVAL, "attribute %s is missing",
				 attributes[__builtin_ctzll(missing)].name);
	return 0;
}
