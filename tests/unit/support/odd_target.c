/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/odd_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "receive/directory.h"
#include "receive/tree_remove.h"
#include "stream/decode.h"
#include "support/scratch.h"

void odd_target_init(struct odd_target *t)
{
	memset(t, 0, sizeof(*t));
	assert(scratch_make(t->base, "odd"));
	odd_host_init(&t->host);
	odd_target_again(t, &(const struct receive_options){0});
	put_header(&t->b, 1);
	put_subvol(&t->b, "snap", 1);
}

void odd_target_release(struct odd_target *t)
{
	struct host system;
	char *name;
	int at;

	t->target->ops->free(t->target);
	host_init(&system);
	name = strrchr(t->base, '/');
	*name++ = '\0';
	assert((at = open(t->base, O_RDONLY | O_DIRECTORY)) >= 0);
	assert(!tree_remove(&system, at, name));
	close(at);
}

void odd_target_again(struct odd_target *t, const struct receive_options *options)
{
	struct receive_options own = *options;

	if (t->target)
		t->target->ops->free(t->target);
	own.host = &t->host.watched.host;
	assert(!directory_target_new(&t->target, open(t->base, O_RDONLY | O_DIRECTORY), &own));
	applier_init(&t->applier, t->target);
}

int odd_target_apply(struct odd_target *t)
{
	struct stream_decoder d;
	size_t used;
	int ret = 0, failed = 0;

	stream_decoder_init(&d);
	for (size_t at = 0; at < t->b.len && ret >= 0; at += used) {
		ret = stream_decoder_feed(&d, t->b.bytes + at, t->b.len - at, &used);
		if (ret == STREAM_COMMAND)
			ret = applier_command(&t->applier, &d.command);
		if (ret < 0 && t->pass_over) {
			failed = failed ? failed : ret;
			ret = applier_passed_over(&t->applier, &d.command);
		}
	}
	stream_decoder_release(&d);
	t->b.len = 0;
	return ret < 0 ? ret : failed;
}

static const char *full(const struct odd_target *t, const char *path)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s/snap/%s", t->base, path);
	if (faccessat(AT_FDCWD, text, F_OK, AT_SYMLINK_NOFOLLOW))
		snprintf(text, sizeof(text), "%s/.snap.btrfly-partial/%s", t->base, path);
	return text;
}

bool odd_target_has(const struct odd_target *t, const char *path, struct stat *st)
{
	struct stat own;

	return !lstat(full(t, path), st ? st : &own);
}

const char *odd_target_read(const struct odd_target *t, const char *path)
{
	static char text[4096];
	int fd = open(full(t, path), O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}
