/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cat.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/image.h"
#include "files/file.h"
#include "files/location.h"

#define NAME "btrfly cat"
#define USAGE NAME " [--device DEV]... IMAGE PATH..."

#define STEP (1u << 20)

static const char *const refusals[] = {
	[FT_DIR] = "a directory",
	[FT_CHRDEV] = "a character device",
	[FT_BLKDEV] = "a block device",
	[FT_FIFO] = "a fifo",
	[FT_SOCK] = "a socket",
	[FT_SYMLINK] = "a symbolic link, which is not followed",
};

static int write_all(const u8 *buf, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0 && errno != EINTR)
			return error_errno(errno, "standard output");
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Everything up to the first byte that cannot be had is printed: behind a failure the steps are single
 * sectors, until one of them fails. */
static int copy_out(struct file_reader *f, u8 *buf)
{
	size_t step = STEP, got;

	for (;;) {
		int ret = file_read(f, buf, step, &got);

		if (ret && step > f->sectorsize) {
			step = f->sectorsize;
			continue;
		}
		if (!ret && got)
			ret = write_all(buf, got);
		if (ret || !got)
			return ret;
	}
}

static int cat(struct filesystem *fs, struct data_reader *data, const char *path, u8 *buf)
{
	struct location at;
	struct file_reader f;
	int ret = location_find(fs, path, &at);

	if (ret)
		return ret;
	if (at.type < ARRAY_SIZE(refusals) && refusals[at.type])
		return error_set(EINVAL, "%s: is %s", path, refusals[at.type]);
	ret = file_reader_init(&f, fs, data, &at.subvolume.tree, at.ino);
	if (ret)
		return error_wrap(ret, "%s", path);
	ret = copy_out(&f, buf);
	file_reader_release(&f);
	return ret ? error_wrap(ret, "%s", path) : 0;
}

static int run(const char *image, const struct image_devices *devices, char **paths, int count)
{
	struct filesystem *fs = NULL;
	struct data_reader *data = NULL;
	u8 *buf = malloc(STEP);
	int ret = buf ? image_open(NAME, image, devices, NULL, &fs) : error_nomem(STEP);

	if (!ret)
		ret = data_reader_new(fs, &data);
	for (int i = 0; i < count && !ret; i++)
		ret = cat(fs, data, paths[i], buf);
	free(buf);
	data_reader_free(data);
	filesystem_free(fs);
	return ret ? command_failed(NAME) : 0;
}

int cat_command(int argc, char **argv)
{
	enum { OPTION_DEVICE = 256 };
	static const struct option options[] = {
		{"device", required_argument, NULL, OPTION_DEVICE},
		{0},
	};
	struct image_devices devices = {0};
	int status;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
		if (c != OPTION_DEVICE) {
			status = command_bad_option(NAME, USAGE, c, argv);
			goto out;
		}
		if (image_devices_add(&devices, optarg)) {
			status = command_failed(NAME);
			goto out;
		}
	}
	if (argc - optind < 2)
		status = command_misused(NAME, USAGE, "an image and a path are wanted");
	else
		status = image_check_operands(NAME, USAGE, "PATH", argv + optind, (size_t)(argc - optind));
	if (!status)
		status = run(argv[optind], &devices, argv + optind + 1, argc - optind - 1);
out:
	image_devices_release(&devices);
	return status;
}
