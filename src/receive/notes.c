/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/notes.h"

#include <errno.h>
#include <string.h>

#include "receive/journal.h"

struct note tree_notes_get(const struct tree_notes *n, const struct tree_path *p)
{
	const struct note *note = path_table_find(&n->paths, p);

	return note ? *note : (struct note){0};
}

/* Where changes are put until the command that makes them is done; NULL without a journal. */
static struct buffer *pending(const struct tree_notes *n)
{
	return n->journal && journal_is_open(n->journal) ? &n->journal->pending : NULL;
}

static int put_note(struct buffer *out, const char *path, size_t len, const struct note *note)
{
	struct entry_writer w;

	entry_begin(&w, out, ENTRY_NOTE);
	entry_put_u8(&w, note->missing);
	entry_put_u8(&w, note->copy);
	entry_put_u32(&w, note->flags);
	entry_put_u64(&w, note->links);
	entry_put(&w, path, len);
	return entry_end(&w);
}

int tree_notes_put_path(struct tree_notes *n, const char *path, size_t len, const struct note *note)
{
	struct buffer *out = pending(n);
	int ret = path_table_put(&n->paths, path, len, note);

	if (!ret && note->links > n->last_links)
		n->last_links = note->links;
	return ret || !out ? ret : put_note(out, path, len, note);
}

int tree_notes_put(struct tree_notes *n, const struct tree_path *p, const struct note *note)
{
	return tree_notes_put_path(n, p->text, p->len, note);
}

int tree_notes_remove(struct tree_notes *n, const struct tree_path *p)
{
	struct buffer *out = pending(n);
	struct entry_writer w;

	if (tree_notes_empty(n))
		return 0;
	path_table_remove(&n->paths, p);
	if (!out)
		return 0;
	entry_begin(&w, out, ENTRY_REMOVE);
	entry_put(&w, p->text, p->len);
	return entry_end(&w);
}

int tree_notes_rename(struct tree_notes *n, const struct tree_path *from, const struct tree_path *to)
{
	struct buffer *out = pending(n);
	struct entry_writer w;
	int ret;

	if (tree_notes_empty(n))
		return 0;
	ret = path_table_rename(&n->paths, from, to);
	if (ret || !out)
		return ret;
	entry_begin(&w, out, ENTRY_RENAME);
	entry_put_u32(&w, (u32)from->len);
	entry_put(&w, from->text, from->len);
	entry_put(&w, to->text, to->len);
	return entry_end(&w);
}

static int put_left_out(struct buffer *out, const struct tree_notes *n)
{
	struct entry_writer w;

	entry_begin(&w, out, ENTRY_LEFT_OUT);
	entry_put_u32(&w, n->left_out);
	entry_put_u32(&w, n->left_here);
	return entry_end(&w);
}

int tree_notes_leave_out(struct tree_notes *n, enum skipped_kind kind)
{
	struct buffer *out = pending(n);

	if (n->left_here >> kind & 1)
		return 0;
	n->left_out |= 1u << kind;
	n->left_here |= 1u << kind;
	return out ? put_left_out(out, n) : 0;
}

static int put_times(struct buffer *out, const struct timespec times[2])
{
	struct entry_writer w;

	entry_begin(&w, out, ENTRY_TIMES);
	for (int i = 0; i < 2; i++) {
		entry_put_u64(&w, (u64)times[i].tv_sec);
		entry_put_u32(&w, (u32)times[i].tv_nsec);
	}
	return entry_end(&w);
}

int tree_notes_set_times(struct tree_notes *n, struct timespec atime, struct timespec mtime)
{
	struct buffer *out = pending(n);

	n->has_times = true;
	n->times[0] = atime;
	n->times[1] = mtime;
	return out ? put_times(out, n->times) : 0;
}

static int note_root(struct tree_notes *n, enum root_part part)
{
	struct buffer *out = pending(n);

	return out ? root_note_write_part(&n->root, part, out) : 0;
}

int tree_notes_set_owner(struct tree_notes *n, u64 uid, u64 gid, bool from_parent)
{
	root_note_set_owner(&n->root, uid, gid, from_parent);
	return note_root(n, ROOT_OWNER);
}

int tree_notes_set_mode(struct tree_notes *n, u32 mode, bool from_parent)
{
	root_note_set_mode(&n->root, mode, from_parent);
	return note_root(n, ROOT_MODE);
}

int tree_notes_set_access(struct tree_notes *n, const void *list, size_t len, bool from_parent)
{
	int ret = root_note_set_access(&n->root, list, len, from_parent);

	return ret ? ret : note_root(n, ROOT_ACCESS);
}

int tree_notes_write(const struct tree_notes *n, struct buffer *out, bool for_record)
{
	struct buffer path = {0};
	int ret = n->left_out ? put_left_out(out, n) : 0;

	for (struct path_entry *e = NULL; !ret && (e = path_table_next(&n->paths, e));) {
		buffer_clear(&path);
		struct note note = e->note;

		/* A whole tree has its flags. */
		if (for_record)
			note.flags = 0;
		ret = path_table_path(e, &path);
		if (!ret && !note_is_empty(&note))
			ret = put_note(out, (char *)path.data, path.len, &note);
	}
	buffer_release(&path);
	if (ret || for_record)
		return ret;
	ret = n->has_times ? put_times(out, n->times) : 0;
	return ret ? ret : root_note_write(&n->root, out);
}

int tree_notes_inherit(struct tree_notes *n, const struct tree_notes *parent)
{
	struct buffer path = {0}, *out = pending(n);
	int ret = 0;

	n->left_out |= parent->left_out;
	if (out && n->left_out)
		ret = put_left_out(out, n);
	for (struct path_entry *e = NULL; !ret && (e = path_table_next(&parent->paths, e));) {
		struct note note = e->note;
		const struct note *own;

		buffer_clear(&path);
		ret = path_table_path(e, &path);
		if (ret)
			break;
		own = path_table_find_path(&n->paths, (char *)path.data, path.len);
		note.flags |= own ? own->flags : 0;
		ret = tree_notes_put_path(n, (char *)path.data, path.len, &note);
	}
	buffer_release(&path);
	return ret;
}

/* A path as it stands in an entry: not absolute, no empty name, no "." and no "..".  It may be longer than a
 * command's. */
static bool is_path(const char *text, size_t len)
{
	const char *end = text + len;

	if (!len)
		return true;
	if (memchr(text, '\0', len))
		return false;
	for (const char *name = text;;) {
		const char *slash = memchr(name, '/', (size_t)(end - name));
		size_t n = (size_t)((slash ? slash : end) - name);

		if (!n || (n == 1 && *name == '.') || (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!slash)
			return true;
		name = slash + 1;
	}
}

static int read_note(struct tree_notes *n, struct entry *e)
{
	struct note note = {0};
	const char *path;
	size_t len;

	note.missing = entry_u8(e);
	note.copy = entry_u8(e);
	note.flags = entry_u32(e);
	note.links = entry_u64(e);
	path = entry_rest(e, &len);
	if (e->bad || !is_path(path, len))
		return -EINVAL;
	n->last_links = max_u64(n->last_links, note.links);
	return path_table_put(&n->paths, path, len, &note);
}

static int read_path(const char *text, size_t len, struct tree_path *p)
{
	return is_path(text, len) ? tree_path_set(p, (struct stream_bytes){text, (u32)len}) : -EINVAL;
}

static int read_remove(struct tree_notes *n, struct entry *e)
{
	struct tree_path p;
	size_t len;
	const char *path = entry_rest(e, &len);

	if (e->bad || read_path(path, len, &p))
		return -EINVAL;
	path_table_remove(&n->paths, &p);
	return 0;
}

static int read_rename(struct tree_notes *n, struct entry *e)
{
	struct tree_path from, to;
	size_t from_len = entry_u32(e), to_len;
	const char *a = (const char *)entry_bytes(e, from_len), *b = entry_rest(e, &to_len);

	if (e->bad || read_path(a, from_len, &from) || read_path(b, to_len, &to))
		return -EINVAL;
	return path_table_rename(&n->paths, &from, &to);
}

static int read_times(struct tree_notes *n, struct entry *e)
{
	for (int i = 0; i < 2; i++) {
		n->times[i].tv_sec = (time_t)entry_u64(e);
		n->times[i].tv_nsec = (long)entry_u32(e);
		if (n->times[i].tv_nsec >= 1000000000)
			return -EINVAL;
	}
	n->has_times = true;
	return 0;
}

int tree_notes_read(struct tree_notes *n, struct entry *e)
{
	switch (e->type) {
	case ENTRY_NOTE: return read_note(n, e);
	case ENTRY_REMOVE: return read_remove(n, e);
	case ENTRY_RENAME: return read_rename(n, e);
	case ENTRY_LEFT_OUT:
		n->left_out = entry_u32(e);
		n->left_here = entry_u32(e);
		return 0;
	case ENTRY_TIMES: return read_times(n, e);
	case ENTRY_ROOT_OWNER: return root_note_read(&n->root, ROOT_OWNER, e);
	case ENTRY_ROOT_MODE: return root_note_read(&n->root, ROOT_MODE, e);
	case ENTRY_ROOT_ACCESS: return root_note_read(&n->root, ROOT_ACCESS, e);
	}
	return -EINVAL;
}

void tree_notes_release(struct tree_notes *n)
{
	path_table_release(&n->paths);
	root_note_release(&n->root);
	*n = (struct tree_notes){.journal = n->journal};
}
