/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/location.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "files/dir.h"

int location_top(struct filesystem *fs, struct location *out)
{
	int ret = subvolume_get(fs, FS_TREE_OBJECTID, &out->subvolume);

	out->ino = out->subvolume.root_dirid;
	out->type = FT_DIR;
	return ret;
}

/*
 * A directory entry may point to a subvolume that does not hang there: a snapshot has its source's
 * entries.  It is entered only if its back reference says the same.
 */
static int enter_subvolume(struct filesystem *fs, const struct location *at, const char *name,
			   size_t len, u64 id, struct location *out)
{
	struct subvolume s;
	int ret = subvolume_get(fs, id, &s);

	if (ret && ret != -ENOENT)
		return ret;
	if (!ret && s.parent_id == at->subvolume.id && s.dirid == at->ino && strlen(s.name) == len &&
	    !memcmp(s.name, name, len))
		*out = (struct location){.subvolume = s, .ino = s.root_dirid, .type = FT_DIR};
	else
		*out = (struct location){
			.subvolume = at->subvolume, .ino = EMPTY_SUBVOL_DIR_OBJECTID, .type = FT_DIR};
	return 0;
}

int location_enter(struct filesystem *fs, const struct location *at, const char *name, size_t len,
		   struct location *out)
{
	struct location from = *at;
	struct dir_entry entry;
	char text[KEY_TEXT_MAX];
	struct cursor c;
	int ret;

	if (at->type != FT_DIR)
		return -ENOTDIR;
	if (len > NAME_LEN_MAX || at->ino == EMPTY_SUBVOL_DIR_OBJECTID)
		return -ENOENT;
	cursor_init(&c, &from.subvolume.tree);
	ret = dir_lookup(&c, from.ino, name, (u16)len, &entry);
	if (ret)
		goto out;
	if (entry.location.type == KEY_ROOT_ITEM)
		ret = enter_subvolume(fs, &from, name, len, entry.location.objectid, out);
	else if (entry.location.type != KEY_INODE_ITEM)
		ret = error_set(EIO, "entry %.*s of directory %" PRIu64 " points to %s", (int)len, name,
				from.ino, key_text(&entry.location, text));
	else
		*out = (struct location){
			.subvolume = from.subvolume, .ino = entry.location.objectid, .type = entry.type};
out:
	cursor_release(&c);
	return ret;
}

int location_find(struct filesystem *fs, const char *path, struct location *out)
{
	size_t len;
	int ret;

	/* The top level is asked for by its name: what is empty was not meant to be. */
	if (!*path)
		return error_set(EINVAL, "an empty path, the top level is '/'");
	ret = location_top(fs, out);
	for (const char *p = path; !ret && *p; p += len) {
		len = strcspn(p, "/");
		if (!len || (len == 1 && *p == '.')) {
			len = len ? len : 1;
			continue;
		}
		if (len == 2 && !memcmp(p, "..", 2))
			return error_set(EINVAL, "%s: '..' is not followed in a path within an image", path);
		ret = location_enter(fs, out, p, len, out);
		if (ret == -ENOENT && p[len + strspn(p + len, "/")])
			return error_set(ENOENT, "%s: there is no %.*s", path, (int)(p + len - path), path);
		if (ret == -ENOENT)
			return error_set(ENOENT, "%s: no such file or directory", path);
		if (ret == -ENOTDIR)
			return error_set(ENOTDIR, "%s: %s on the way to %.*s", path,
					 out->type == FT_SYMLINK ? "a symbolic link, which is not followed,"
								 : "not a directory",
					 (int)len, p);
	}
	return ret < 0 ? error_wrap(ret, "%s", path) : 0;
}
