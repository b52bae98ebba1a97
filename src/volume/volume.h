/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A volume: the devices of one filesystem, its superblock, and the map from logical
 * addresses to places on the devices.
 */
#ifndef BTRFLY_VOLUME_VOLUME_H
#define BTRFLY_VOLUME_VOLUME_H

#include "device/device.h"
#include "format/super.h"

struct volume; /* volume/volume.c keeps the fields; the facts below are read through functions */

#define VOLUME_COPIES_MAX 4

/* A run of logical addresses and where each of its copies lies. */
struct mapping {
	u64 length; /* bytes from the address asked for that are contiguous in every copy */
	u64 type;   /* BLOCK_GROUP_… */
	unsigned copies;
	struct {
		struct device *device; /* NULL: the device is missing */
		u64 devid;
		u64 physical;
	} copy[VOLUME_COPIES_MAX];
};

/* The facts of the superblock that the floors above need, checked. */
struct volume_facts {
	u32 sectorsize;
	u32 nodesize;
	u16 csum_type; /* enum checksum_type */
	u32 csum_size;
	u64 generation;
	u64 total_bytes, bytes_used, num_devices;
	u64 compat_flags, compat_ro_flags, incompat_flags;
	u8 fsid[UUID_SIZE];
	u8 metadata_uuid[UUID_SIZE]; /* what tree blocks carry as their fsid */
	char label[LABEL_SIZE + 1];
	u64 root, chunk_root, log_root;
	u64 chunk_root_generation;
	u8 root_level, chunk_root_level, log_root_level;
};

/*
 * Read and check the superblocks of @devices (one filesystem, any order) and the system chunk array.
 * On success the volume owns the devices and closes them; on failure the caller still does.
 * The chunk tree is loaded by the floor above, which calls volume_add_device() and volume_add_chunk()
 * for each item and volume_complete() behind the last; until then the volume is one thread's.
 */
int volume_open(struct device **devices, size_t count, struct volume **out);

/* The same with the devices opened first, for reading. */
int volume_open_paths(const char *const *paths, size_t count, struct volume **out);
void volume_free(struct volume *v); /* NULL is fine */

const struct volume_facts *volume_facts(const struct volume *v);

/* The devices by rising devid, missing ones too, with their device items: NULL for a missing one.
 * @item may be NULL. */
size_t volume_device_count(const struct volume *v);
struct device *volume_device(const struct volume *v, size_t i, struct dev_item *item);

/* Number of devices that were not given; their names are not known, their items are. */
size_t volume_missing_count(const struct volume *v);

/* Add one DEV_ITEM: it must fit the superblock of its device, and one without a device is missing. */
int volume_add_device(struct volume *v, const void *item, size_t size);

/* The chunk tree has been read: a device that was given and is not in it is refused. */
int volume_complete(struct volume *v);

/* Add one chunk; @item of @size bytes is checked whole.  A chunk that is already there must be equal. */
int volume_add_chunk(struct volume *v, u64 logical, const void *item, size_t size);

/* Where @logical lies; -EIO with a sentence if no chunk holds it. */
int volume_map(const struct volume *v, u64 logical, struct mapping *out);

/* Number of copies at @logical, or a negative errno. */
int volume_copies(const struct volume *v, u64 logical);

/* Read [logical, logical + len) from copy @copy (0 is tried first by everybody).  Not verified.
 * Any thread. */
int volume_read(struct volume *v, u64 logical, void *buf, size_t len, unsigned copy);

/* The same into @count buffers one behind the other, each at most a stripe's length away from the next
 * boundary: what is contiguous on a device is read at once.  The vector may be changed. */
int volume_readv(struct volume *v, u64 logical, struct iovec *iov, int count, unsigned copy);

/* From now on bring what is announced from block devices into memory of the volume's own, at most @bytes, where
 * that can be had.  One thread's, before others read. */
void volume_read_ahead(struct volume *v, size_t bytes);

/* Have the first copy of [logical, logical + len) brought in.  Never fails. */
void volume_prefetch(const struct volume *v, u64 logical, u64 len);

/* For messages: "logical 1310720 on /dev/sdb at 5505024"; returns @buf of VOLUME_WHERE_MAX bytes. */
#define VOLUME_WHERE_MAX 512
const char *volume_where(const struct volume *v, u64 logical, unsigned copy, char *buf);

#endif
