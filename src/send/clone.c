/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cloning: where else the bytes of an extent are, and what can be said of them with CLONE commands.
 *
 * Rules
 *  1. Of all the places that refer to the extent (sources.c, in the kernel's order) the one counts that has most
 *     bytes of it, the first of equals; as soon as one has them all the search ends.  Between
 *     subvolumes the same, by rising id.
 *  2. In the subvolume that is being sent only what has been sent is a source: lower inodes, and of
 *     the current one what lies before the point written so far.
 *  3. A range that does not end at a sector can be cloned only where both files end with it.
 *  4. The last 64 KiB block of a source, if it is not whole, is written, not cloned, into the middle of a
 *     file: the receiver's sectors may be that large.
 *  5. A whole first sector is never cloned from offset 0: the receiver may hold it inline.
 *  6. A file without a name, deleted while it is open, cannot be named as a source: what would be cloned from
 *     it is written.  (Linux 6.18 ends with ENOENT instead.)
 */
#include "send/clone.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "send/attributes.h"
#include "send/names.h"
#include "send/sources.h"

#define SECTORSIZE_MAX 65536

static int by_id(const void *a, const void *b)
{
	const struct clone_source *x = a, *y = b;

	return x->root->sv.id < y->root->sv.id ? -1 : x->root->sv.id > y->root->sv.id;
}

static int add_source(struct send_plan *p, struct clone_sources *s, const struct subvolume *sv)
{
	struct clone_source *c = &s->source[s->count];

	*c = (struct clone_source){0};
	if (sv->id == p->send.sv.id) {
		c->root = &p->send;
	} else if (p->parent && sv->id == p->parent->sv.id) {
		c->root = p->parent;
	} else {
		c->root = calloc(1, sizeof(*c->root));
		if (!c->root)
			return error_nomem(sizeof(*c->root));
		c->owned = true;

		int ret = plan_root_init(c->root, sv);

		if (ret) {
			free(c->root);
			return ret;
		}
	}
	s->count++;
	return 0;
}

int clone_sources_new(struct send_plan *p, const struct subvolume *clones, size_t count,
		      struct clone_sources **out)
{
	struct clone_sources *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (s)
		s->source = calloc(count + 1, sizeof(*s->source));
	if (!s || !s->source) {
		free(s);
		return error_nomem(sizeof(*s) + (count + 1) * sizeof(*s->source));
	}
	for (size_t i = 0; i < count && !ret; i++)
		ret = add_source(p, s, &clones[i]);
	if (!ret)
		ret = add_source(p, s, &p->send.sv);
	if (!ret) {
		qsort(s->source, s->count, sizeof(*s->source), by_id);
		ret = extent_walk_new(p, &s->walk);
	}
	if (ret) {
		clone_sources_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

void clone_sources_free(struct clone_sources *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (!s->source[i].owned)
			continue;
		plan_root_release(s->source[i].root);
		free(s->source[i].root);
	}
	extent_walk_free(s->walk);
	free(s->source);
	free(s);
}

struct clone_source *clone_source_find(struct clone_sources *s, u64 root)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->source[mid].root->sv.id < root)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->count && s->source[low].root->sv.id == root ? &s->source[low] : NULL;
}

struct search {
	struct send_plan *p;
	u64 offset; /* of the extent at hand in the current inode */
	u64 len;
	bool found;
};

/* Called for each place; 1 ends the walk. */
static int consider(u64 root, u64 ino, u64 offset, u64 num_bytes, void *arg)
{
	struct search *s = arg;
	struct send_plan *p = s->p;
	struct clone_source *c = clone_source_find(p->sources, root);

	if (!c)
		return 0;
	if (c->root == &p->send) {
		if (ino > p->cur_ino || (ino == p->cur_ino && offset == s->offset))
			return 0;
		if (ino == p->cur_ino && offset + s->len > p->next_write_offset)
			return 0;
	}
	s->found = c->found = true;
	if (num_bytes <= c->num_bytes)
		return 0;
	c->ino = ino;
	c->offset = offset;
	c->num_bytes = num_bytes;
	return num_bytes >= s->len;
}

int plan_find_clone(struct send_plan *p, const struct extent_at *at, struct clone_source **out)
{
	const struct file_range *r = &at->range;
	struct clone_sources *s = p->sources;
	struct search search = {.p = p, .offset = r->file_offset, .len = r->num_bytes};

	*out = NULL;
	if (r->file_offset >= p->cur_size || r->type == FILE_EXTENT_INLINE || !r->disk_bytenr)
		return 0;
	if (r->file_offset + r->num_bytes >= p->cur_size)
		search.len = p->cur_size - r->file_offset;
	for (size_t i = 0; i < s->count; i++) {
		s->source[i].found = false;
		s->source[i].ino = UINT64_MAX;
		s->source[i].offset = 0;
		s->source[i].num_bytes = 0;
	}

	struct extent_query q = {
		.bytenr = r->disk_bytenr,
		.position = r->compression == COMPRESSION_NONE ? r->offset : 0,
		.file_offset = r->file_offset,
		.len = search.len,
		.skip_self = s->count == 1,
		.self_root = at->leaf->owner,
		.self_ino = p->cur_ino,
		.self_offset = r->file_offset - r->offset,
	};
	int ret = extent_walk(s->walk, &q, consider, &search);

	if (ret < 0 || !search.found)
		return ret < 0 ? ret : 0;
	for (size_t i = 0; i < s->count; i++) {
		struct clone_source *c = &s->source[i];

		if (!c->found || (*out && c->num_bytes <= (*out)->num_bytes))
			continue;
		*out = c;
		if (c->num_bytes >= search.len)
			break;
	}
	return 0;
}

static int source_inode(const struct clone_source *from, const struct inode **out)
{
	int ret = plan_inode(from->root, from->ino, out);

	return ret || *out ? ret : plan_missing(from->root, from->ino);
}

int plan_can_clone(struct send_plan *p, const struct clone_source *from, u64 offset, u64 end)
{
	const struct inode *i;
	int ret;

	if (!(end & (p->fs->facts->sectorsize - 1)))
		return 1;
	if (end != p->cur_size)
		return 0;
	ret = source_inode(from, &i);
	if (ret)
		return ret;
	if (from->offset + (end - offset) != i->size)
		return 0;
	/* The file may be longer at the receiver still; then a clone that ends within a sector, before the
	 * end, would be refused. */
	if (p->parent)
		ret = plan_truncate(p, offset);
	return ret ? ret : 1;
}

static int send_clone(struct send_plan *p, u64 offset, u64 len, const struct clone_source *from)
{
	static const u8 no_uuid[UUID_SIZE];
	const struct subvolume *sv = &from->root->sv;
	const struct path *path;
	struct path source = {0};
	struct encoder c;
	u64 gen;
	int ret = plan_current_path(p, &path);

	if (ret)
		return ret;
	if (from->root == &p->send) {
		ret = plan_inode_gen(&p->send, from->ino, &gen);
		if (ret == -ENOENT)
			ret = plan_missing(&p->send, from->ino);
		if (!ret)
			ret = plan_path(p, from->ino, gen, &source);
	} else {
		ret = plan_snapshot_path(from->root, from->ino, &source);
	}
	if (!ret) {
		bool received = memcmp(sv->received_uuid, no_uuid, UUID_SIZE) != 0;

		plan_begin(p, &c, STREAM_C_CLONE);
		encoder_put_u64(&c, STREAM_A_FILE_OFFSET, offset);
		encoder_put_u64(&c, STREAM_A_CLONE_LEN, len);
		plan_put_path(&c, STREAM_A_PATH, path);
		encoder_put(&c, STREAM_A_CLONE_UUID, received ? sv->received_uuid : sv->uuid,
			    UUID_SIZE);
		encoder_put_u64(&c, STREAM_A_CLONE_CTRANSID, sv->ctransid);
		plan_put_path(&c, STREAM_A_CLONE_PATH, &source);
		encoder_put_u64(&c, STREAM_A_CLONE_OFFSET, from->offset);
		ret = plan_end(p, &c);
	}
	path_release(&source);
	return ret;
}

/* What plan_clone_range() still has to send. */
struct clone_job {
	const struct file_range *range; /* of the file that is being sent */
	struct clone_source *from;      /* from->offset moves along */
	u64 source_size;
	bool source_named;
	u64 data_offset; /* into the extent, of the next byte */
	u64 offset, len; /* in the file that is being sent */
};

static void move_on(struct clone_job *j, u64 bytes)
{
	j->offset += bytes;
	j->from->offset += bytes;
	j->data_offset += bytes;
	j->len -= bytes;
}

/* Clone @bytes, but for an end that may not be cloned. */
static int clone_piece(struct send_plan *p, struct clone_job *j, u64 bytes)
{
	const u64 source_end = j->from->offset + bytes;
	u64 head;
	int ret = 0;

	if (!j->source_named)
		return plan_write(p, j->range, j->offset, bytes);
	if (source_end != j->source_size || !(source_end & (SECTORSIZE_MAX - 1)) ||
	    j->offset + bytes >= p->cur_size)
		return send_clone(p, j->offset, bytes, j->from);
	head = align_down(bytes, SECTORSIZE_MAX);
	if (head)
		ret = send_clone(p, j->offset, head, j->from);
	return ret ? ret : plan_write(p, j->range, j->offset + head, bytes - head);
}

/* One extent item of the source.  1: go on with the next one; 0: what is left is to be written; or an error. */
static int clone_item(struct send_plan *p, struct clone_job *j, const struct file_range *src)
{
	const bool same_extent = src->type != FILE_EXTENT_INLINE &&
				 src->disk_bytenr == j->range->disk_bytenr;
	u64 src_len = src->type == FILE_EXTENT_INLINE ? align_up(src->ram_bytes, 4096)
						      : src->num_bytes;
	u64 src_data = src->type == FILE_EXTENT_INLINE ? 0 : src->offset;
	bool at_source_end = false;
	int ret;

	if (src->file_offset + src_len <= j->from->offset)
		return 1;
	if (src->file_offset > j->from->offset) {
		/* A hole without an item. */
		u64 hole = min_u64(src->file_offset - j->from->offset, j->len);

		ret = plan_write(p, j->range, j->offset, hole);
		if (ret)
			return ret;
		move_on(j, hole);
		if (!j->len)
			return 0;
	}
	if (src->file_offset >= j->from->offset + j->len || src->file_offset >= j->source_size)
		return 0;
	if (src->file_offset + src_len > j->source_size) {
		src_len = j->source_size - src->file_offset;
		at_source_end = true;
	}
	if (same_extent) {
		j->from->offset = src->file_offset;
		if (src_data < j->data_offset && src_data + src_len > j->data_offset) {
			u64 skip = j->data_offset - src_data;

			src_len -= skip;
			src_data += skip;
			j->from->offset += skip;
		}
	}

	u64 bytes = min_u64(src_len, j->len);

	if (same_extent && src_data == j->data_offset)
		ret = clone_piece(p, j, bytes);
	else if (at_source_end && bytes < j->len)
		return 0; /* all that is left in one write */
	else
		ret = plan_write(p, j->range, j->offset, bytes);
	if (ret)
		return ret;
	move_on(j, bytes);
	/* In the file at hand nothing can be cloned from behind what has been written of it. */
	return j->len && !(j->from->root == &p->send && j->from->ino == p->cur_ino &&
			   j->from->offset >= p->next_write_offset);
}

int plan_clone_range(struct send_plan *p, const struct file_range *r, struct clone_source *from,
		     u64 offset, u64 len)
{
	struct clone_job j = {.range = r,
			      .from = from,
			      .data_offset = r->offset,
			      .offset = offset,
			      .len = len};
	struct cursor *c = &from->root->extents;
	struct key k = key_of(from->ino, KEY_EXTENT_DATA, from->offset);
	const struct inode *source;
	int ret;

	if (!from->offset && len == p->fs->facts->sectorsize)
		return plan_write(p, r, offset, len);
	ret = source_inode(from, &source);
	if (ret)
		return ret;
	j.source_size = source->size;
	j.source_named = source->nlink;
	ret = cursor_seek_before(c, &k);
	if (ret >= 0 && !cursor_at_end(c)) {
		k = cursor_key(c);
		if (k.objectid != from->ino || k.type != KEY_EXTENT_DATA)
			ret = cursor_next(c);
	}
	while (ret >= 0 && !cursor_at_end(c)) {
		struct file_range src;

		k = cursor_key(c);
		if (k.objectid != from->ino || k.type != KEY_EXTENT_DATA)
			break;
		ret = plan_decode_range(p, c, &src);
		if (!ret)
			ret = clone_item(p, &j, &src);
		if (ret <= 0)
			break;
		ret = cursor_next(c);
	}
	if (ret < 0)
		return ret;
	return j.len ? plan_write(p, r, j.offset, j.len) : 0;
}
