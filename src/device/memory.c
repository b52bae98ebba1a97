/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device over the caller's memory. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "device/device.h"

struct memory_device {
	struct device device;
	u8 *data; /* the caller's */
};

static u8 *place(struct device *d, u64 offset)
{
	return CONTAINER_OF(d, struct memory_device, device)->data + offset;
}

static int memory_read(struct device *d, u64 offset, void *buf, size_t len)
{
	memcpy(buf, place(d, offset), len);
	return 0;
}

static int memory_write(struct device *d, u64 offset, const void *buf, size_t len)
{
	memcpy(place(d, offset), buf, len);
	return 0;
}

static int memory_flush(struct device *d)
{
	return 0;
}

static int memory_discard(struct device *d, u64 offset, u64 len)
{
	memset(place(d, offset), 0, len);
	return 0;
}

static void memory_close(struct device *d)
{
	free(d->name);
	free(CONTAINER_OF(d, struct memory_device, device));
}

static const struct device_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.flush = memory_flush,
	.discard = memory_discard,
	.close = memory_close,
};

int device_open_memory(const char *name, void *data, size_t len, struct device **out)
{
	struct memory_device *m = calloc(1, sizeof(*m));

	if (!m)
		return error_nomem(sizeof(*m));
	m->device = (struct device){
		.ops = &memory_ops,
		.name = strdup(name),
		.size = len,
		.fd = -1,
		.writable = true,
	};
	m->data = data;
	if (!m->device.name) {
		free(m);
		return error_nomem(strlen(name) + 1);
	}
	*out = &m->device;
	return 0;
}
