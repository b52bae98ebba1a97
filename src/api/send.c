/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface: send. */
#include "send/send.h"

#include <stdlib.h>

#include "api/growth.h"
#include "api/handle.h"
#include "base/error.h"
#include "volume/output.h"

/* The caller's function as a sink. */
struct callback_sink {
	struct sink sink;
	const struct btrfly_send_args *args;
};

static int callback_write(struct sink *sink, const void *buf, size_t len)
{
	const struct callback_sink *s = CONTAINER_OF(sink, struct callback_sink, sink);
	int ret = s->args->write(s->args->arg, buf, len);

	return ret ? error_set(ret < 0 ? -ret : EIO, "the stream's writer returned %d", ret) : 0;
}

static int check_word(const char *word, const char *what)
{
	if (!word)
		return error_set(EINVAL, "no %s is named", what);
	return *word ? 0 : error_set(EINVAL, "the %s is an empty word", what);
}

/* What is @given, with the size that it has here, and its defaults filled in. */
static int take(struct btrfly_send_args *args, const struct btrfly_send_args *given)
{
	const unsigned known = BTRFLY_SEND_NO_DATA | BTRFLY_SEND_COMPRESSED_DATA;
	int ret = GROWTH_TAKE(args, given, struct btrfly_send_args, arg);

	if (ret)
		return ret;
	ret = check_word(args->subvolume, "subvolume");
	if (!ret && args->parent)
		ret = check_word(args->parent, "parent");
	for (size_t i = 0; i < args->clone_source_count && !ret; i++)
		ret = check_word(args->clone_sources ? args->clone_sources[i] : NULL, "clone source");
	if (ret)
		return ret;
	if (args->flags & ~known)
		return error_set(EINVAL, "unknown flags %#x", args->flags & ~known);
	if (args->proto > 3)
		return error_set(EINVAL, "protocol %u is not in [1, 3]", args->proto);
	if (!args->write == (args->fd < 0))
		return error_set(EINVAL, "either fd or write takes the stream");
	if (!args->proto)
		args->proto = args->flags & BTRFLY_SEND_COMPRESSED_DATA ? 2 : 1;
	if (args->flags & BTRFLY_SEND_COMPRESSED_DATA && args->proto == 1)
		return error_set(EINVAL, "compressed data needs protocol 2 or 3, not 1");
	return 0;
}

int btrfly_send(struct btrfly_filesystem *fs, const struct btrfly_send_args *given)
{
	struct btrfly_send_args taken;
	const struct btrfly_send_args *args = &taken;
	struct subvolume subvolume, parent, *clones = NULL;
	struct send_request request = {.subvolume = &subvolume};
	struct callback_sink callback = {.sink.write = callback_write, .args = args};
	struct fd_sink fd;
	size_t count;
	int ret = take(&taken, given);

	if (ret)
		return ret;
	request.options.proto = args->proto;
	request.options.no_data = args->flags & BTRFLY_SEND_NO_DATA;
	request.options.compressed_data = args->flags & BTRFLY_SEND_COMPRESSED_DATA;
	ret = subvolume_find(fs->fs, args->subvolume, &subvolume);
	if (!ret && args->parent) {
		ret = subvolume_find(fs->fs, args->parent, &parent);
		request.parent = &parent;
	}
	/* The parent is a clone source, too. */
	count = args->clone_source_count + !!args->parent;
	if (!ret && count) {
		clones = calloc(count, sizeof(*clones));
		if (!clones)
			ret = error_nomem(count * sizeof(*clones));
	}
	for (size_t i = 0; i < args->clone_source_count && !ret; i++)
		ret = subvolume_find(fs->fs, args->clone_sources[i], &clones[i]);
	if (!ret && args->parent)
		clones[args->clone_source_count] = parent;
	request.clones = clones;
	request.clone_count = count;
	if (!ret && !args->write)
		ret = volume_check_output_fd(fs->fs->volume, args->fd, "the descriptor");
	if (!ret) {
		fd_sink_init(&fd, args->fd, "the stream");
		ret = send_subvolume(fs->fs, &request, args->write ? &callback.sink : &fd.sink, NULL);
		if (ret)
			error_wrap(ret, "send %s", args->subvolume);
	}
	free(clones);
	return ret;
}
