/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream received with --resume where an earlier run left something that is not what it seems: records,
 * journals, partial trees and names of any content, symlinks among them.  An input is
 *
 *   how        one byte, as of fuzz-receive (reception.c)
 *   cut        one byte: so many 256ths of the stream are received first, in the same way
 *   length     two bytes
 *   stream     so many bytes
 *   changes    all the rest: what is then done to what lies in "dir", see change()
 *
 * Then the whole stream is received with --resume.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "receive/state_dir.h"
#include "receive/tree_remove.h"
#include "reception.h"
#include "repair.h"
#include "sandbox.h"
#include "stream/decode.h"

#define CHANGES_MAX 15
#define PARTIAL_SUFFIX ".btrfly-partial"
#define JOURNAL_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct input {
	const u8 *data;
	size_t len;
};

static struct host host;

/* What the input calls its last subvolume: names that changes can use. */
struct subject {
	char uuid[UUID_STR_LEN], parent[UUID_STR_LEN];
	char name[NAME_MAX + 1];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sandbox_init();
	host_init(&host);
	return 0;
}

/* Up to @len bytes. */
static struct input take(struct input *in, size_t len)
{
	struct input out = {in->data, min_u64(len, in->len)};

	in->data += out.len;
	in->len -= out.len;
	return out;
}

static u8 take_u8(struct input *in)
{
	struct input one = take(in, 1);

	return one.len ? *one.data : 0;
}

static u16 take_u16(struct input *in)
{
	u8 low = take_u8(in);

	return (u16)(low | take_u8(in) << 8);
}

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

static void find_subject(struct subject *s, const u8 *stream, size_t len)
{
	struct stream_decoder d;

	*s = (struct subject){0};
	stream_decoder_init(&d);
	for (size_t at = 0, used; at < len && !d.lost; at += used) {
		const struct decoded_command *c = &d.command;

		if (stream_decoder_feed(&d, stream + at, len - at, &used) != STREAM_COMMAND)
			continue;
		if (c->type != STREAM_C_SUBVOL && c->type != STREAM_C_SNAPSHOT)
			continue;
		uuid_unparse_lower(c->uuid, s->uuid);
		uuid_unparse_lower(c->clone_uuid, s->parent);
		snprintf(s->name, sizeof(s->name), "%.*s", (int)c->path.len, c->path.data);
	}
	stream_decoder_release(&d);
}

/* Some name; false if it cannot be one. */
static bool take_name(struct input *in, const struct subject *s, char name[NAME_MAX + 1])
{
	static const char *const suffixes[] = {"", ".journal", ".new", ".journal.new"};
	const u8 count = ARRAY_SIZE(suffixes);
	u8 which = take_u8(in);
	struct input raw;

	if (which < count) {
		snprintf(name, NAME_MAX + 1, "%s%s", s->uuid, suffixes[which]);
	} else if (which < 2 * count) {
		snprintf(name, NAME_MAX + 1, "%s%s", s->parent, suffixes[which - count]);
	} else if (which == 2 * count) {
		snprintf(name, NAME_MAX + 1, "%s", s->name);
	} else if (which == 2 * count + 1) {
		snprintf(name, NAME_MAX + 1, ".%.200s" PARTIAL_SUFFIX, s->name);
	} else if (which == 2 * count + 2) {
		snprintf(name, NAME_MAX + 1, "%s", STATE_DIRECTORY);
	} else {
		raw = take(in, which & 31);
		snprintf(name, NAME_MAX + 1, "%.*s", (int)raw.len, (const char *)raw.data);
	}
	return is_name(name);
}

/* Directories of the sandbox alone: what a change has put in their place is not followed. */
static int open_place(unsigned which, const struct subject *s)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char partial[NAME_MAX + 1];
	int dir = open("dir", flags), fd;

	if (which == 2)
		return dir;
	snprintf(partial, sizeof(partial), ".%.200s" PARTIAL_SUFFIX, s->name);
	if (which < 2)
		mkdirat(dir, STATE_DIRECTORY, 0755);
	fd = openat(dir, which < 2 ? STATE_DIRECTORY : partial, flags);
	close(dir);
	return fd;
}

static void write_file(int dir, const char *name, int flags, off_t offset, struct input bytes)
{
	int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		return;
	if (bytes.len && pwrite(fd, bytes.data, bytes.len, offset) < 0)
		must(errno == EFBIG || errno == EINVAL || errno == ESPIPE, "pwrite");
	close(fd);
}

static void cut_file(int dir, const char *name, off_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (ftruncate(fd, size))
		must(errno == EINVAL, "ftruncate");
	close(fd);
}

static void make_symlink(int dir, const char *name, struct input target)
{
	static const char *const outside[] = {"../outside", "../../outside", "../outside/file",
					      "../../outside/file"};
	char text[256];

	if (target.len == 1)
		snprintf(text, sizeof(text), "%s", outside[*target.data % ARRAY_SIZE(outside)]);
	else
		snprintf(text, sizeof(text), "%.*s", (int)target.len, (const char *)target.data);
	unlinkat(dir, name, 0);
	must(!symlinkat(text, dir, name) || errno == ENOENT || errno == EEXIST || errno == EACCES, "symlink");
}

/*
 * One change: a byte whose low three bits are what is done, and the next two where (0 and 1 in .btrfly, 2 in
 * "dir", 3 in the partial tree); a name; an offset of two bytes; a length of one byte, and so many bytes.
 */
static void change(struct input *in, const struct subject *s)
{
	char name[NAME_MAX + 1], other[NAME_MAX + 1];
	u8 what = take_u8(in);
	bool named = take_name(in, s, name);
	u16 offset = take_u16(in);
	struct input bytes = take(in, take_u8(in));
	int dir = named ? open_place(what >> 3 & 3, s) : -1;

	if (dir < 0)
		return;
	switch (what & 7) {
	case 0: write_file(dir, name, O_CREAT | O_TRUNC, 0, bytes); break;
	case 1: write_file(dir, name, 0, offset, bytes); break;
	case 2: write_file(dir, name, O_CREAT | O_APPEND, 0, bytes); break;
	case 3: cut_file(dir, name, offset); break;
	case 4: make_symlink(dir, name, bytes); break;
	case 5: mkdirat(dir, name, offset & 0777); break;
	case 6: tree_remove(&host, dir, name); break; /* fails where a change has made @dir read-only */
	case 7:
		if (take_name(&bytes, s, other) && renameat(dir, name, dir, other))
			must(errno != EIO, "rename");
		break;
	}
	close(dir);
}

static void repair_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size && st.st_size <= JOURNAL_MAX) {
		u8 *data = malloc((size_t)st.st_size);
		ssize_t n = pread(fd, data, (size_t)st.st_size, 0);

		must(n == st.st_size, "read a journal");
		repair_journal(data, (size_t)n);
		must(pwrite(fd, data, (size_t)n, 0) == n, "write a journal");
		free(data);
	}
	close(fd);
}

static void repair_state(const struct subject *s)
{
	int dir = open_place(0, s);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (is_name(e->d_name))
			repair_file(dir, e->d_name);
	closedir(d);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};
	u8 how = take_u8(&in), cut = take_u8(&in);
	struct reception r = reception_of(how, cut);
	struct input given = take(&in, take_u16(&in));
	u8 *stream = malloc(given.len + 1);
	struct subject s;

	memcpy(stream, given.data, given.len);
	repair_stream(stream, given.len);
	find_subject(&s, stream, given.len);
	sandbox_begin();
	reception_run(&r, stream, given.len * cut / 256);
	for (int i = 0; i < CHANGES_MAX && in.len; i++)
		change(&in, &s);
	repair_state(&s);
	r.options.resume = true;
	reception_run(&r, stream, given.len);
	sandbox_end();
	free(stream);
	return 0;
}
