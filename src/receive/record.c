/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "receive/entry.h"
#include "receive/state_dir.h"

#define MAGIC "btrfly-received-2"
#define MAGIC_AS_TEXT "btrfly-received-1"

/* Of an ENTRY_RECEIVED. */
#define WITHOUT_DATA 1u
#define TRUSTED 2u

static int set_name(struct record *r, const char *name, size_t len)
{
	if (!len || len >= sizeof(r->name) || memchr(name, '/', len) || memchr(name, '\0', len) ||
	    (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return -EINVAL;
	memcpy(r->name, name, len);
	r->name[len] = '\0';
	return strcmp(r->name, STATE_DIRECTORY) ? 0 : -EINVAL;
}

/* The next string of a record in text, NULL at its end or where it is damaged. */
static const char *next_text(const struct buffer *b, size_t *at)
{
	const char *text = (const char *)b->data + *at;
	const char *end = *at < b->len ? memchr(text, '\0', b->len - *at) : NULL;

	if (!end)
		return NULL;
	*at += (size_t)(end - text) + 1;
	return text;
}

/* The transid, the name, and the paths of what could not be made. */
static int parse_text(struct record *r, const struct buffer *b)
{
	const struct note missing = {.missing = true};
	size_t at = sizeof(MAGIC_AS_TEXT);
	const char *transid = next_text(b, &at), *name = next_text(b, &at), *path;
	int ret = name ? set_name(r, name, strlen(name)) : -EINVAL;

	if (ret)
		return ret;
	r->ctransid = strtoull(transid, NULL, 10);
	r->trusted = true;
	while (!ret && (path = next_text(b, &at))) {
		struct tree_path p;

		ret = tree_path_set(&p, (struct stream_bytes){path, (u32)strlen(path)});
		if (!ret)
			ret = tree_notes_put(&r->notes, &p, &missing);
	}
	return !ret && at != b->len ? -EINVAL : ret;
}

static int parse_received(struct record *r, struct entry *e)
{
	const u8 *uuid = entry_bytes(e, sizeof(r->uuid));
	const char *name;
	size_t len;
	u8 flags;

	r->ctransid = entry_u64(e);
	flags = entry_u8(e);
	r->without_data = flags & WITHOUT_DATA;
	r->trusted = flags & TRUSTED;
	name = entry_rest(e, &len);
	/* Under another's name the file is somebody's trick. */
	if (e->bad || memcmp(uuid, r->uuid, sizeof(r->uuid)))
		return -EINVAL;
	return set_name(r, name, len);
}

static int parse_tree(struct record *r, struct entry *e)
{
	r->tree.inode = entry_u64(e);
	r->tree.subvolume = entry_u64(e);
	r->tree.generation = entry_u32(e);
	return e->bad || !r->tree.inode ? -EINVAL : 0;
}

/* What says whose record it is comes last: a record that is not whole does not have it. */
static int parse_entries(struct record *r, const struct buffer *b)
{
	size_t at = sizeof(MAGIC);
	struct entry e;
	int ret;

	while ((ret = entry_next(b->data, b->len, &at, &e)) == 1) {
		if (e.type == ENTRY_RECEIVED)
			return at == b->len ? parse_received(r, &e) : -EINVAL;
		ret = e.type == ENTRY_TREE ? parse_tree(r, &e) : tree_notes_read(&r->notes, &e);
		if (ret)
			return ret;
	}
	return -EINVAL;
}

static int parse(struct record *r, const struct buffer *b)
{
	if (b->len > sizeof(MAGIC) && !memcmp(b->data, MAGIC, sizeof(MAGIC)))
		return parse_entries(r, b);
	if (b->len > sizeof(MAGIC_AS_TEXT) && !memcmp(b->data, MAGIC_AS_TEXT, sizeof(MAGIC_AS_TEXT)))
		return parse_text(r, b);
	return -EINVAL;
}

static int read_file(struct host *h, int dir, const char *name, struct buffer *b)
{
	int at = state_dir_open(h, dir, false);
	int fd = at < 0 ? at : state_dir_open_file(h, at, name, O_RDONLY);
	int ret = fd < 0 ? fd : state_dir_read(h, fd, name, b);

	if (fd >= 0)
		host_close(h, fd);
	if (at >= 0)
		host_close(h, at);
	return ret;
}

int record_read(struct record *r, struct host *h, int dir, const u8 *uuid)
{
	char name[STATE_FILE_MAX];
	struct buffer b = {0};
	int ret;

	*r = (struct record){0};
	memcpy(r->uuid, uuid, sizeof(r->uuid));
	state_dir_name(name, uuid, "");
	ret = read_file(h, dir, name, &b);
	if (!ret) {
		ret = parse(r, &b);
		if (ret == -EINVAL)
			error_set(EINVAL, "%s/%s is damaged", STATE_DIRECTORY, name);
	}
	buffer_release(&b);
	if (ret)
		record_release(r);
	return ret;
}

static int put_tree(const struct record *r, struct buffer *b)
{
	struct entry_writer w;

	if (!r->tree.inode)
		return 0;
	entry_begin(&w, b, ENTRY_TREE);
	entry_put_u64(&w, r->tree.inode);
	entry_put_u64(&w, r->tree.subvolume);
	entry_put_u32(&w, r->tree.generation);
	return entry_end(&w);
}

static int format(const struct record *r, const struct tree_notes *notes, struct buffer *b)
{
	struct entry_writer w;
	int ret = buffer_append(b, MAGIC, sizeof(MAGIC));

	if (!ret)
		ret = put_tree(r, b);
	if (!ret)
		ret = tree_notes_write(notes, b, true);
	if (ret)
		return ret;
	entry_begin(&w, b, ENTRY_RECEIVED);
	entry_put(&w, r->uuid, sizeof(r->uuid));
	entry_put_u64(&w, r->ctransid);
	entry_put_u8(&w, (u8)((r->without_data ? WITHOUT_DATA : 0) | (r->trusted ? TRUSTED : 0)));
	entry_put(&w, r->name, strlen(r->name));
	return entry_end(&w);
}

int record_write(const struct record *r, const struct tree_notes *notes, struct host *h, int dir)
{
	char name[STATE_FILE_MAX];
	struct buffer b = {0};
	int at = state_dir_open(h, dir, true);
	int ret = at < 0 ? at : format(r, notes, &b);

	state_dir_name(name, r->uuid, "");
	if (!ret)
		ret = state_dir_replace(h, at, name, &b);
	if (at >= 0)
		host_close(h, at);
	buffer_release(&b);
	return ret;
}

void record_release(struct record *r)
{
	tree_notes_release(&r->notes);
}
