/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seeded workload: what its parts share.
 *
 * Invariants
 *  1. Everything that is chosen comes from the generator in struct workload; for one seed and equal
 *     trees the same operations follow, whatever the clock or the inode numbers are.
 *  2. The table of entries is what lies in the tree, path for path.  It is made by a sorted scan, and
 *     each operation that succeeds keeps it true.
 *  3. An operation that the filesystem refuses is no failure: it is counted, and the next one comes.
 */
#ifndef BTRFLY_PARITY_WORKLOAD_H
#define BTRFLY_PARITY_WORKLOAD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/types.h"

/* Nothing that a sender must name gets longer; the kernel's buffers end at 4096, and it puts names of
 * its own in front of what it moves out of the way. */
#define WORKLOAD_PATH_MAX 3800
#define WORKLOAD_NAME_MAX 255
#define WORKLOAD_SECTOR 4096u

/* Inode numbers that btrfs gives to the root of a subvolume, and to the empty directory that a snapshot
 * shows where a nested one was. */
#define SUBVOLUME_INO 256
#define STUB_INO 2

enum kind {
	KIND_FILE,
	KIND_DIR,
	KIND_SUBVOLUME, /* a nested one: named and moved, never entered */
	KIND_OTHER,
};

struct entry {
	char *path; /* from the root, "" the root itself */
	enum kind kind;
	u64 ino;
};

struct workload {
	int root; /* descriptor of the directory that is worked in */
	u64 random[2];
	struct entry *entries; /* [0] is the root; scan order, then order of making */
	size_t count, room;
	u64 budget; /* bytes of file data that may still be written */
	bool far;   /* files with a far end are allowed */
	bool verbose;
	u8 *scratch; /* WORKLOAD_WRITE_MAX bytes, aligned for O_DIRECT */
};

#define WORKLOAD_WRITE_MAX (2u << 20)

/* random.c */
void random_seed(struct workload *w, u64 seed);
u64 random_below(struct workload *w, u64 n); /* [0, n); 0 for n = 0 */
bool random_chance(struct workload *w, unsigned percent);
u64 random_length(struct workload *w); /* of a file or write: from 1 byte to WORKLOAD_WRITE_MAX */
void random_bytes(struct workload *w, u8 *buf, size_t len); /* compressible, or not, or in part */
/* A name of at most @room bytes (@room > 3) into @name of WORKLOAD_NAME_MAX + 1. */
void random_name(struct workload *w, char *name, size_t room);
/* Another name with the same crc32c, as directory items and xattrs are hashed by; -1 if none is found. */
int random_twin(struct workload *w, const char *name, char *twin);

/* tree.c: the table. */
int tree_scan(struct workload *w);
void tree_release(struct workload *w);
/* No path of the table is longer than that. */
void tree_copy_path(char to[WORKLOAD_PATH_MAX + 1], const char *path);
const char *tree_at(const char *path); /* "." for the root */
struct entry *tree_pick(struct workload *w, enum kind kind); /* NULL if there is none */
struct entry *tree_pick_any(struct workload *w);             /* not the root; NULL if there is none */
/* A new path in @dir, or in any directory for NULL, into @path of WORKLOAD_PATH_MAX + 1. */
int tree_new_path(struct workload *w, const char *dir, char *path);
int tree_join(const char *dir, const char *name, char *path); /* -ENAMETOOLONG */
struct entry *tree_find(struct workload *w, const char *path);
void tree_add(struct workload *w, const char *path, enum kind kind); /* it exists already */
void tree_forget(struct workload *w, const char *path);              /* and all below */
void tree_moved(struct workload *w, const char *from, const char *to);
bool tree_below(const char *path, const char *dir); /* @path is @dir or lies in it */
/* The entry at @path is gone: from the disk (all below, too) and from the table. */
int tree_delete(struct workload *w, const char *path);

/* One operation: 0, or a negative errno. */
struct operation {
	const char *name;
	unsigned weight;
	int (*run)(struct workload *w);
};

extern const struct operation create_operations[], rename_operations[], data_operations[],
	attribute_operations[], remove_operations[]; /* each ends with an empty name */

/* Says what an operation is about to do, if anyone listens. */
void workload_note(struct workload *w, const char *what, const char *path, const char *other);

/* data.c: fill a new file, open as @fd. */
int data_fill(struct workload *w, int fd);
int data_write(struct workload *w, int fd, u64 offset, u64 len);

/* remove.c: delete the newest inodes, so that the next mount gives their numbers out again. */
int remove_newest(struct workload *w);

#endif
