/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/path.h"

#include <string.h>

#include "base/error.h"
#include "base/escape.h"

static int refuse(struct stream_bytes from, const char *why)
{
	char text[256];

	escape_text(text, sizeof(text), from.data, from.len);
	return error_set(EINVAL, "path '%s' %s", text, why);
}

static int check_component(struct stream_bytes from, const char *name, size_t len)
{
	if (!len)
		return refuse(from, from.data == name ? "is absolute" : "has an empty component");
	if (len == 1 && name[0] == '.')
		return refuse(from, "has a component '.'");
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return refuse(from, "has a component '..'");
	if (len > STREAM_NAME_MAX)
		return error_set(EINVAL, "a path has a component of %zu bytes, longer than %u", len,
				 STREAM_NAME_MAX);
	return 0;
}

int tree_path_set(struct tree_path *p, struct stream_bytes from)
{
	const char *end = from.data + from.len;

	if (from.len > TREE_PATH_MAX)
		return error_set(EINVAL, "path of %u bytes is longer than %u", from.len, TREE_PATH_MAX);
	p->len = from.len;
	p->parent_len = 0;
	p->text[from.len] = '\0';
	if (!from.len)
		return 0;
	for (const char *name = from.data;;) {
		const char *slash = memchr(name, '/', end - name);
		int ret = check_component(from, name, (slash ? slash : end) - name);

		if (ret)
			return ret;
		if (!slash)
			break;
		p->parent_len = slash - from.data;
		name = slash + 1;
	}
	memcpy(p->text, from.data, from.len);
	return 0;
}

bool tree_path_covers(const struct tree_path *p, const char *text, size_t len)
{
	return len >= p->len && !memcmp(text, p->text, p->len) &&
	       (len == p->len || !p->len || text[p->len] == '/');
}

int subvolume_name_set(struct tree_path *p, struct stream_bytes from)
{
	int ret;

	if (from.len > STREAM_NAME_MAX)
		return error_set(ENAMETOOLONG, "the subvolume's name of %u bytes is longer than %u", from.len,
				 STREAM_NAME_MAX);
	ret = tree_path_set(p, from);
	if (ret)
		return ret;
	if (!p->len)
		return error_set(EINVAL, "the subvolume has no name");
	if (p->parent_len)
		return refuse(from, "is no name of a subvolume: it has several components");
	return 0;
}
