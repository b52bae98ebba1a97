/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/receive.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "receive/applier.h"
#include "receive/rehearsal.h"

struct receiver {
	struct stream_sink sink;
	struct applier applier;
	struct receive_watch *watch;
	struct progress *progress;
};

static struct receiver *receiver_of(struct stream_sink *s)
{
	return CONTAINER_OF(s, struct receiver, sink);
}

static int on_command(struct stream_sink *s, const struct decoded_command *c)
{
	struct receiver *r = receiver_of(s);

	if (r->watch && r->watch->command)
		r->watch->command(r->watch, c);
	if (r->progress && command_has(c, STREAM_A_INO))
		progress_add_file(r->progress);
	return applier_command(&r->applier, c);
}

static void say_failure(struct receiver *r)
{
	if (r->watch && r->watch->failed)
		r->watch->failed(r->watch);
}

static void on_failure(struct stream_sink *s, const struct decoded_command *c)
{
	struct receiver *r = receiver_of(s);

	say_failure(r);
	if (applier_passed_over(&r->applier, c))
		say_failure(r);
}

/* The whole input, without effects. */
static int rehearse(const struct stream_pump *pump, struct target *t, off_t start)
{
	struct stream_pump reading = {
		.fd = pump->fd,
		.stop_at_end = pump->stop_at_end,
		.max_errors = 1,
	};
	struct rehearsal r;
	int ret = rehearsal_init(&r, t);

	if (!ret)
		ret = stream_pump_run(&reading, &r.sink);
	rehearsal_release(&r);
	if (!ret && lseek(pump->fd, start, SEEK_SET) < 0)
		ret = error_errno(errno, "seek to the stream's start");
	return ret;
}

int receive_stream(struct stream_pump *pump, struct target *t, struct receive_watch *w)
{
	struct receiver *r = calloc(1, sizeof(*r));
	off_t start = lseek(pump->fd, 0, SEEK_CUR);
	struct stat st;
	int ret = 0;

	if (!r)
		return error_nomem(sizeof(*r));
	r->sink = (struct stream_sink){NULL, on_command, on_failure};
	r->watch = w;
	r->progress = pump->progress;
	applier_init(&r->applier, t);
	/* Who tolerates errors wants as much of the stream as there is. */
	if (start >= 0 && pump->max_errors == 1 && !fstat(pump->fd, &st) && S_ISREG(st.st_mode))
		ret = rehearse(pump, t, start);
	if (!ret)
		ret = stream_pump_run(pump, &r->sink);
	free(r);
	return ret;
}
