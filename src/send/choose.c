/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "send/choose.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

static bool is_zero(const u8 *uuid)
{
	static const u8 zero[UUID_SIZE];

	return !memcmp(uuid, zero, UUID_SIZE);
}

struct uuid_search {
	const u8 *uuid;
	struct subvolume *out;
};

static int matches(const struct subvolume *s, const char *path, void *arg)
{
	struct uuid_search *search = arg;

	if (memcmp(s->uuid, search->uuid, UUID_SIZE))
		return 0;
	*search->out = *s;
	return 1;
}

/* The subvolume that @sv is a snapshot of: 1, 0 if it is not there, or an error. */
static int origin_of(struct filesystem *fs, const struct subvolume *sv, struct subvolume *out)
{
	struct uuid_search search = {.uuid = sv->parent_uuid, .out = out};

	if (is_zero(sv->parent_uuid))
		return 0;

	int ret = subvolume_get(fs, FS_TREE_OBJECTID, out);

	if (ret)
		return ret;
	if (!memcmp(out->uuid, sv->parent_uuid, UUID_SIZE))
		return 1;
	return subvolume_each(fs, matches, &search);
}

int send_choose_parent(struct filesystem *fs, const struct subvolume *sv,
		       const struct subvolume *clones, size_t count, struct choice *considered,
		       size_t *parent)
{
	struct subvolume origin;
	struct choice best = {.verdict = CHOICE_STRANGER};
	int ret = origin_of(fs, sv, &origin);

	if (ret < 0)
		return ret;
	if (!ret)
		return error_set(ENOENT,
				 "parent determination failed for %" PRIu64 ": the subvolume that it "
				 "is a snapshot of is not there; name the parent with -p",
				 sv->id);
	for (size_t i = 0; i < count; i++) {
		struct choice c = {.verdict = CHOICE_STRANGER};

		if (clones[i].id == origin.id) {
			c.verdict = CHOICE_ORIGIN;
		} else if (!memcmp(clones[i].parent_uuid, origin.uuid, UUID_SIZE)) {
			c.verdict = CHOICE_SIBLING;
			c.distance = clones[i].ctransid > origin.ctransid
					     ? clones[i].ctransid - origin.ctransid
					     : origin.ctransid - clones[i].ctransid;
		}
		if (considered)
			considered[i] = c;
		if (c.verdict < best.verdict ||
		    (c.verdict == CHOICE_SIBLING && best.verdict == CHOICE_SIBLING &&
		     c.distance < best.distance)) {
			best = c;
			*parent = i;
		}
	}
	if (best.verdict == CHOICE_STRANGER)
		return error_set(ENOENT,
				 "parent determination failed for %" PRIu64 ": no clone source is a "
				 "snapshot of the same subvolume; name the parent with -p",
				 sv->id);
	if (considered)
		considered[*parent].chosen = true;
	return 0;
}
