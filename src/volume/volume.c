/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Invariants
 *  1. devices is sorted by devid, without duplicates; device is NULL for a missing one.
 *  2. Each stripe of a present device lies within that device.
 *  3. After volume_complete() nothing here changes any more, so any thread may map and read.
 */
#include "volume/volume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/checked.h"
#include "base/error.h"
#include "device/direct.h"
#include "format/checksum.h"
#include "volume/chunk_map.h"
#include "volume/superblock.h"

struct member {
	struct device *device;
	u64 devid;
	struct dev_item item;
	bool listed; /* in the chunk tree */
};

struct volume {
	struct volume_facts facts;
	struct member *devices;
	size_t count;
	struct chunk_map chunks;
};

/* Index of the first device whose devid is not less than @devid. */
static size_t device_index(const struct volume *v, u64 devid)
{
	size_t i = 0;

	while (i < v->count && v->devices[i].devid < devid)
		i++;
	return i;
}

static struct member *find_device(const struct volume *v, u64 devid)
{
	size_t i = device_index(v, devid);

	return i < v->count && v->devices[i].devid == devid ? &v->devices[i] : NULL;
}

static int insert_device(struct volume *v, struct device *d, const struct dev_item *item)
{
	size_t size = (v->count + 1) * sizeof(*v->devices);
	struct member *devices = realloc(v->devices, size);

	if (!devices)
		return error_nomem(size);
	v->devices = devices;

	size_t i = device_index(v, le64_get(item->devid));

	memmove(devices + i + 1, devices + i, (v->count - i) * sizeof(*devices));
	devices[i] = (struct member){.device = d, .devid = le64_get(item->devid), .item = *item};
	v->count++;
	return 0;
}

static void take_facts(struct volume_facts *f, const struct super_block *sb)
{
	f->sectorsize = le32_get(sb->sectorsize);
	f->nodesize = le32_get(sb->nodesize);
	f->csum_type = le16_get(sb->csum_type);
	f->csum_size = (u32)checksum_size(f->csum_type);
	f->generation = le64_get(sb->generation);
	f->total_bytes = le64_get(sb->total_bytes);
	f->bytes_used = le64_get(sb->bytes_used);
	f->num_devices = le64_get(sb->num_devices);
	f->compat_flags = le64_get(sb->compat_flags);
	f->compat_ro_flags = le64_get(sb->compat_ro_flags);
	f->incompat_flags = le64_get(sb->incompat_flags);
	memcpy(f->fsid, sb->fsid, UUID_SIZE);
	memcpy(f->metadata_uuid, superblock_metadata_uuid(sb), UUID_SIZE);
	memcpy(f->label, sb->label, LABEL_SIZE);
	f->label[LABEL_SIZE] = '\0';
	f->root = le64_get(sb->root);
	f->chunk_root = le64_get(sb->chunk_root);
	f->log_root = le64_get(sb->log_root);
	f->chunk_root_generation = le64_get(sb->chunk_root_generation);
	f->root_level = sb->root_level;
	f->chunk_root_level = sb->chunk_root_level;
	f->log_root_level = sb->log_root_level;
}

/* Read all superblocks, leaving the newest in @newest. */
static int read_superblocks(struct volume *v, struct device **devices, size_t count,
			    struct super_block *newest)
{
	for (size_t i = 0; i < count; i++) {
		struct super_block sb;
		char uuid[2][UUID_STR_LEN];
		int ret = superblock_read(devices[i], &sb);

		if (ret)
			return ret;
		if (i && memcmp(sb.fsid, newest->fsid, UUID_SIZE)) {
			uuid_unparse(sb.fsid, uuid[0]);
			uuid_unparse(newest->fsid, uuid[1]);
			return error_set(EINVAL, "%s belongs to filesystem %s, %s to %s",
					 devices[i]->name, uuid[0], devices[0]->name, uuid[1]);
		}

		const struct member *same = find_device(v, le64_get(sb.dev_item.devid));

		if (same)
			return error_set(EINVAL, "%s and %s are both device %" PRIu64
					 " of one filesystem", same->device->name, devices[i]->name,
					 same->devid);
		ret = insert_device(v, devices[i], &sb.dev_item);
		if (ret)
			return ret;
		if (!i || le64_get(sb.generation) > le64_get(newest->generation))
			*newest = sb;
	}
	return 0;
}

static int add_system_chunks(struct volume *v, const struct super_block *sb)
{
	size_t left = le32_get(sb->sys_chunk_array_size);
	const u8 *p = sb->sys_chunk_array;

	while (left) {
		const struct disk_key *key = (const void *)p;
		const struct chunk_item *item = (const void *)(key + 1);
		size_t size = sizeof(*key) + sizeof(*item);

		if (left < size)
			return error_set(EIO, "system chunk array: %zu bytes are left, too few", left);
		size += le16_get(item->num_stripes) * sizeof(struct disk_stripe);
		if (left < size)
			return error_set(EIO, "system chunk array: %u stripes do not fit %zu bytes",
					 le16_get(item->num_stripes), left);
		if (key->type != KEY_CHUNK_ITEM)
			return error_set(EIO, "system chunk array: key type %u is no chunk's",
					 key->type);

		int ret = volume_add_chunk(v, le64_get(key->offset), item, size - sizeof(*key));

		if (ret)
			return error_wrap(ret, "system chunk array");
		p += size;
		left -= size;
	}
	return 0;
}

/* Leaves the devices to the caller. */
static void release(struct volume *v)
{
	chunk_map_release(&v->chunks);
	free(v->devices);
	free(v);
}

int volume_open(struct device **devices, size_t count, struct volume **out)
{
	struct super_block newest;
	struct volume *v;
	int ret;

	if (!count)
		return error_set(EINVAL, "no device was given");
	v = calloc(1, sizeof(*v));
	if (!v)
		return error_nomem(sizeof(*v));
	ret = read_superblocks(v, devices, count, &newest);
	if (!ret) {
		take_facts(&v->facts, &newest);
		ret = add_system_chunks(v, &newest);
		if (ret)
			error_wrap(ret, "%s", devices[0]->name);
	}
	if (ret) {
		release(v);
		return ret;
	}
	*out = v;
	return 0;
}

int volume_open_paths(const char *const *paths, size_t count, struct volume **out)
{
	struct device **devices = calloc(count + 1, sizeof(struct device *));
	size_t opened = 0;
	int ret = 0;

	if (!devices)
		return error_nomem((count + 1) * sizeof(struct device *));
	while (!ret && opened < count) {
		ret = device_open(paths[opened], false, &devices[opened]);
		opened += !ret;
	}
	if (!ret)
		ret = volume_open(devices, count, out);
	while (ret && opened)
		device_close(devices[--opened]);
	free(devices);
	return ret;
}

void volume_free(struct volume *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->count; i++)
		device_close(v->devices[i].device);
	release(v);
}

const struct volume_facts *volume_facts(const struct volume *v)
{
	return &v->facts;
}

size_t volume_device_count(const struct volume *v)
{
	return v->count;
}

struct device *volume_device(const struct volume *v, size_t i, struct dev_item *item)
{
	if (item)
		*item = v->devices[i].item;
	return v->devices[i].device;
}

size_t volume_missing_count(const struct volume *v)
{
	size_t missing = 0;

	for (size_t i = 0; i < v->count; i++)
		missing += !v->devices[i].device;
	return missing;
}

int volume_add_device(struct volume *v, const void *data, size_t size)
{
	const struct dev_item *item = data;
	struct member *m;

	if (size != sizeof(*item))
		return error_set(EIO, "device item has %zu bytes instead of %zu", size,
				 sizeof(*item));
	m = find_device(v, le64_get(item->devid));
	if (m && m->listed)
		return error_set(EIO, "device %" PRIu64 " has two device items", m->devid);
	if (!m) {
		int ret = insert_device(v, NULL, item);

		if (ret)
			return ret;
		m = find_device(v, le64_get(item->devid));
	}
	if (memcmp(m->item.uuid, item->uuid, UUID_SIZE))
		return error_set(EIO, "%s is not the device %" PRIu64 " that the filesystem knows, "
				 "their uuids differ", m->device->name, m->devid);
	m->listed = true;
	return 0;
}

int volume_complete(struct volume *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->devices[i].listed)
			return error_set(EINVAL, "%s (device %" PRIu64 ") is no longer part of its "
					 "filesystem", v->devices[i].device->name,
					 v->devices[i].devid);
	return 0;
}

/* The device that holds a stripe; NULL if it is missing. */
static struct device *stripe_device(const struct volume *v, const struct chunk_stripe *s)
{
	const struct member *m = find_device(v, s->devid);

	return m && !memcmp(m->item.uuid, s->dev_uuid, UUID_SIZE) ? m->device : NULL;
}

int volume_add_chunk(struct volume *v, u64 logical, const void *item, size_t size)
{
	bool mixed = v->facts.incompat_flags & INCOMPAT_MIXED_GROUPS;
	struct chunk *c;
	int ret = chunk_decode(logical, item, size, v->facts.sectorsize, mixed, &c);

	if (ret)
		return ret;
	for (u32 i = 0; i < c->stripe_count; i++) {
		const struct chunk_stripe *s = &c->stripes[i];
		const struct device *d = stripe_device(v, s);

		if (d && !range_within(s->physical, c->stripe_length, d->size)) {
			ret = error_set(EIO,
					"chunk at logical %" PRIu64 ": %" PRIu64 " bytes at %" PRIu64
					" lie beyond the end of %s (%" PRIu64 " bytes)",
					logical, c->stripe_length, s->physical, d->name, d->size);
			free(c);
			return ret;
		}
	}
	return chunk_map_add(&v->chunks, c);
}

static bool find_mapping(const struct volume *v, u64 logical, struct mapping *out)
{
	const struct chunk *c = chunk_map_find(&v->chunks, logical);

	if (!c)
		return false;

	struct chunk_place place = chunk_locate(c, logical - c->logical);

	out->length = place.length;
	out->type = c->type;
	out->copies = c->profile->copies;
	for (unsigned i = 0; i < out->copies; i++) {
		const struct chunk_stripe *s = &c->stripes[place.stripe + i];

		out->copy[i].device = stripe_device(v, s);
		out->copy[i].devid = s->devid;
		out->copy[i].physical = s->physical + place.physical;
	}
	return true;
}

int volume_map(const struct volume *v, u64 logical, struct mapping *out)
{
	if (!find_mapping(v, logical, out))
		return error_set(EIO, "logical %" PRIu64 " lies in no chunk", logical);
	return 0;
}

int volume_copies(const struct volume *v, u64 logical)
{
	struct mapping m;
	int ret = volume_map(v, logical, &m);

	return ret ? ret : (int)m.copies;
}

/* Where copy @copy of @logical lies, as something to read from. */
static int map_copy(const struct volume *v, u64 logical, unsigned copy, struct mapping *m)
{
	int ret = volume_map(v, logical, m);

	if (ret)
		return ret;
	if (copy >= m->copies)
		return error_set(EIO, "logical %" PRIu64 " has no copy %u", logical, copy);
	if (!m->copy[copy].device)
		return error_set(EIO, "device %" PRIu64 " of the filesystem was not given",
				 m->copy[copy].devid);
	return 0;
}

int volume_read(struct volume *v, u64 logical, void *buf, size_t len, unsigned copy)
{
	u8 *p = buf;

	while (len) {
		struct mapping m;
		int ret = map_copy(v, logical, copy, &m);

		if (ret)
			return ret;

		size_t part = min_u64(len, m.length);

		ret = device_read(m.copy[copy].device, m.copy[copy].physical, p, part);
		if (ret)
			return ret;
		p += part;
		logical += part;
		len -= part;
	}
	return 0;
}

int volume_readv(struct volume *v, u64 logical, struct iovec *iov, int count, unsigned copy)
{
	while (count) {
		struct mapping m;
		u64 len = 0;
		int n, ret = map_copy(v, logical, copy, &m);

		if (ret)
			return ret;
		for (n = 0; n < count && iov[n].iov_len <= m.length - len; n++)
			len += iov[n].iov_len;
		if (n) {
			ret = device_readv(m.copy[copy].device, m.copy[copy].physical, iov, n);
		} else {
			/* This buffer lies across the end of what is contiguous. */
			len = iov->iov_len;
			ret = volume_read(v, logical, iov->iov_base, len, copy);
			n = 1;
		}
		if (ret)
			return ret;
		logical += len;
		iov += n;
		count -= n;
	}
	return 0;
}

void volume_read_ahead(struct volume *v, size_t bytes)
{
	const size_t given = v->count - volume_missing_count(v);

	/* An image file stays with the page cache: it is what makes its second reader fast. */
	for (size_t i = 0; i < v->count; i++)
		if (v->devices[i].device && v->devices[i].device->is_block)
			v->devices[i].device = device_direct(v->devices[i].device, bytes / given);
}

void volume_prefetch(const struct volume *v, u64 logical, u64 len)
{
	struct mapping m;

	while (len && find_mapping(v, logical, &m)) {
		u64 part = min_u64(len, m.length);

		if (m.copies && m.copy[0].device)
			device_prefetch(m.copy[0].device, m.copy[0].physical, part);
		logical += part;
		len -= part;
	}
}

const char *volume_where(const struct volume *v, u64 logical, unsigned copy, char *buf)
{
	struct mapping m;

	if (!find_mapping(v, logical, &m) || copy >= m.copies)
		snprintf(buf, VOLUME_WHERE_MAX, "logical %" PRIu64, logical);
	else if (!m.copy[copy].device)
		snprintf(buf, VOLUME_WHERE_MAX, "logical %" PRIu64 " on device %" PRIu64, logical,
			 m.copy[copy].devid);
	else
		snprintf(buf, VOLUME_WHERE_MAX, "logical %" PRIu64 " on %s at %" PRIu64, logical,
			 m.copy[copy].device->name, m.copy[copy].physical);
	return buf;
}
