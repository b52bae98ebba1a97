/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "device/mounted.h"
#include "volume/output.h"

int image_devices_add(struct image_devices *d, const char *path)
{
	size_t size = (d->count + 1) * sizeof(*d->path);
	const char **grown;

	if (!*path)
		return error_set(EINVAL, "--device DEV is an empty word");
	grown = realloc(d->path, size);
	if (!grown)
		return error_nomem(size);
	d->path = grown;
	d->path[d->count++] = path;
	return 0;
}

int image_check_operands(const char *command, const char *usage, const char *what, char **words, size_t count)
{
	int status = command_check_words(command, usage, "IMAGE", words, 1);

	return status ? status : command_check_words(command, usage, what, words + 1, count - 1);
}

void image_devices_release(struct image_devices *d)
{
	free(d->path);
	*d = (struct image_devices){0};
}

static void warn_if_mounted(const char *command, const struct volume *v)
{
	for (size_t i = 0; i < volume_device_count(v); i++) {
		const struct device *d = volume_device(v, i, NULL);

		if (!d || !device_is_mounted(d))
			continue;
		fprintf(stderr, "%s: warning: %s is mounted: what is not yet committed is not seen, and what the "
				"kernel writes meanwhile may make this fail\n", command, d->name);
		return;
	}
}

/* A crash or an image of a mounted device: the kernel would replay the log at the next mount. */
static void warn_of_log(const char *command, const char *image, const struct volume_facts *f)
{
	if (f->log_root)
		fprintf(stderr, "%s: warning: %s has a log tree: what programs had synced since the last commit "
				"(fsync) is in it, and is not seen until the filesystem has been mounted once\n",
			command, image);
}

int image_check_stdout(const struct volume *v)
{
	return volume_check_output_fd(v, STDOUT_FILENO, "standard output");
}

int image_open(const char *command, const char *image, const struct image_devices *more,
	       const struct filesystem_options *options, struct filesystem **out)
{
	struct image_devices all = {0};
	int ret = image_devices_add(&all, image);

	*out = NULL;

	for (size_t i = 0; i < more->count && !ret; i++)
		ret = image_devices_add(&all, more->path[i]);
	if (!ret)
		ret = filesystem_open(all.path, all.count, options, out);
	if (!ret)
		ret = image_check_stdout((*out)->volume);
	if (ret) {
		filesystem_free(*out);
		*out = NULL;
	} else {
		warn_if_mounted(command, (*out)->volume);
		warn_of_log(command, image, (*out)->facts);
	}
	image_devices_release(&all);
	return ret;
}
