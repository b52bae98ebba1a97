/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface: receive. */
#include "receive/receive.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "api/growth.h"
#include "api/handle.h"
#include "base/error.h"
#include "receive/directory.h"

/* What is @given, with the size that it has here. */
static int take(struct btrfly_receive_args *args, const struct btrfly_receive_args *given)
{
	const unsigned known = BTRFLY_RECEIVE_ONE_STREAM | BTRFLY_RECEIVE_STRICT |
			       BTRFLY_RECEIVE_SPARSE | BTRFLY_RECEIVE_FORCE_DECOMPRESS |
			       BTRFLY_RECEIVE_RESUME | BTRFLY_RECEIVE_UNTRUSTED | BTRFLY_RECEIVE_FORCE_PARENT;
	int ret = GROWTH_TAKE(args, given, struct btrfly_receive_args, skipped_size);

	if (ret)
		return ret;
	if (!args->directory)
		return error_set(EINVAL, "no directory is named");
	if (!*args->directory)
		return error_set(EINVAL, "the directory is an empty word");
	if (args->fd < 0)
		return error_set(EINVAL, "no descriptor to read the stream from");
	if (args->flags & ~known)
		return error_set(EINVAL, "unknown flags %#x", args->flags & ~known);
	return 0;
}

int btrfly_receive(const struct btrfly_receive_args *given)
{
	struct btrfly_receive_args taken;
	const struct btrfly_receive_args *args = &taken;
	struct stream_pump pump = {.max_errors = 1};
	struct receive_watch watch = {0};
	struct target *target;
	int ret = take(&taken, given);

	if (ret)
		return ret;
	if (args->skipped && args->skipped_size)
		args->skipped[0] = '\0';
	pump.fd = args->fd;
	pump.stop_at_end = args->flags & BTRFLY_RECEIVE_ONE_STREAM;

	const struct receive_options options = {
		.strict = args->flags & BTRFLY_RECEIVE_STRICT,
		.sparse = args->flags & BTRFLY_RECEIVE_SPARSE,
		.force_decompress = args->flags & BTRFLY_RECEIVE_FORCE_DECOMPRESS,
		.resume = args->flags & BTRFLY_RECEIVE_RESUME,
		.untrusted = args->flags & BTRFLY_RECEIVE_UNTRUSTED,
		.force_parent = args->flags & BTRFLY_RECEIVE_FORCE_PARENT,
	};
	int dir = open(args->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return error_errno(errno, "%s", args->directory);
	ret = directory_target_new(&target, dir, &options);
	if (ret)
		return ret;
	ret = receive_stream(&pump, target, &watch);

	const char *partial = target->ops->where(target);

	if (ret && partial)
		error_set(-ret, "%s; what came so far is in %s/%s", error_message(), args->directory,
			  partial);
	if (args->skipped && args->skipped_size)
		skipped_text(&target->skipped, args->skipped, args->skipped_size);
	target->ops->free(target);
	return ret;
}
