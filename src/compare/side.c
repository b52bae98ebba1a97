/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariant: where a directory is in the map, so are all that it lies in.  Each is looked up once, however
 * much is in it.
 */
#include "compare/side.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

struct step {
	u64 ino;
	u16 len;
	char name[NAME_LEN_MAX];
};

static struct directory *add_directory(struct side *s, u64 ino, struct path_node *path)
{
	struct directory *d = arena_alloc(s->paths->arena, sizeof(*d));

	if (!d)
		return NULL;
	d->path = path;
	map_add(&s->directories, &d->in_directories, ino);
	return d;
}

int side_init(struct side *s, const struct subvolume *subvolume, struct paths *paths)
{
	*s = (struct side){.subvolume = *subvolume, .paths = paths};

	int ret = map_init(&s->directories);

	if (ret)
		return ret;
	cursor_init(&s->inodes, &s->subvolume.tree);
	cursor_init(&s->names, &s->subvolume.tree);
	return add_directory(s, subvolume->root_dirid, paths->top) ? 0 : -ENOMEM;
}

void side_release(struct side *s)
{
	if (!s->directories.buckets)
		return;
	cursor_release(&s->inodes);
	cursor_release(&s->names);
	map_release(&s->directories);
	buffer_release(&s->climb);
}

int side_inode(struct side *s, u64 ino, struct inode *out)
{
	int ret = inode_read(&s->inodes, ino, out);

	return ret == -ENOENT ? 0 : ret ? ret : 1;
}

static int resolve(struct side *s, const struct step *step, struct directory **d)
{
	struct path_node *path;
	struct inode inode;
	int ret = side_inode(s, step->ino, &inode);

	if (ret < 0)
		return ret;
	if (!ret)
		return error_set(EIO, "inode %" PRIu64 " is missing", step->ino);
	ret = paths_child(s->paths, (*d)->path, step->name, step->len, &path);
	if (ret)
		return ret;
	*d = add_directory(s, step->ino, path);
	if (!*d)
		return -ENOMEM;
	(*d)->generation = inode.generation;
	(*d)->otime = inode.otime;
	return 0;
}

int side_directory(struct side *s, u64 ino, struct directory **out)
{
	struct map_node *found;
	struct inode_name name;
	struct directory *d;
	size_t length = 0;
	u64 at = ino;
	int ret = 0;

	buffer_clear(&s->climb);
	while (!(found = map_find(&s->directories, at))) {
		struct step step = {.ino = at};

		ret = inode_first_name(&s->names, at, &name);
		if (!ret && (length += name.name_len + 1u) > PATH_LENGTH_MAX)
			ret = error_set(EIO, "directories contain each other, or a path is longer than %u bytes",
					PATH_LENGTH_MAX);
		if (ret)
			goto out;
		step.len = name.name_len;
		memcpy(step.name, name.name, name.name_len);
		ret = buffer_append(&s->climb, &step, sizeof(step));
		if (ret)
			goto out;
		at = name.parent;
	}
	d = CONTAINER_OF(found, struct directory, in_directories);
	for (struct step step; s->climb.len && !ret;) {
		s->climb.len -= sizeof(step);
		memcpy(&step, s->climb.data + s->climb.len, sizeof(step));
		ret = resolve(s, &step, &d);
	}
	*out = d;
out:
	return ret ? error_wrap(ret, "path of directory %" PRIu64, ino) : 0;
}
