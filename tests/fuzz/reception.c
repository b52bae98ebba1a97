/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reception.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "receive/directory.h"
#include "receive/receive.h"
#include "sandbox.h"

/* What a pipe holds without anyone reading it. */
#define PIPE_SIZE 65536

enum {
	HOW_SPARSE = 1,
	HOW_STRICT = 2,
	HOW_RESUME = 4,
	HOW_FILE = 8,
	HOW_FIRST_ERROR = 16,
	HOW_ONE_STREAM = 32,
	HOW_DECOMPRESS = 64,
};

/* The low bits of where it is cut hardly matter there. */
enum { CUT_UNTRUSTED = 1, CUT_FORCE_PARENT = 2 };

struct reception reception_of(u8 how, u8 cut)
{
	return (struct reception){
		.options = {
			.sparse = how & HOW_SPARSE,
			.strict = how & HOW_STRICT,
			.resume = how & HOW_RESUME,
			.force_decompress = how & HOW_DECOMPRESS,
			.untrusted = cut & CUT_UNTRUSTED,
			.force_parent = cut & CUT_FORCE_PARENT,
		},
		.from_pipe = !(how & HOW_FILE),
		.max_errors = how & HOW_FIRST_ERROR ? 1 : 0,
		.one_stream = how & HOW_ONE_STREAM,
	};
}

static int pipe_of(const u8 *stream, size_t size)
{
	int ends[2];

	must(!pipe2(ends, O_CLOEXEC), "pipe");
	must(write(ends[1], stream, size) == (ssize_t)size, "write to the pipe");
	close(ends[1]);
	return ends[0];
}

static int file_of(const u8 *stream, size_t size)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, stream, size) == (ssize_t)size, "write to the file");
	must(!lseek(fd, 0, SEEK_SET), "seek");
	return fd;
}

void reception_run(const struct reception *r, const u8 *stream, size_t size)
{
	struct stream_pump pump = {.stop_at_end = r->one_stream, .max_errors = r->max_errors};
	int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct receive_watch watch = {0};
	struct target *t;
	char text[1024];

	must(dir >= 0, "open dir");
	must(!directory_target_new(&t, dir, &r->options), "target");
	pump.fd = r->from_pipe && size <= PIPE_SIZE ? pipe_of(stream, size) : file_of(stream, size);
	receive_stream(&pump, t, &watch);
	t->ops->where(t);
	skipped_text(&t->skipped, text, sizeof(text));
	t->ops->free(t);
	close(pump.fd);
}
