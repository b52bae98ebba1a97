/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plain directory cannot hold itself: which received tree is which subvolume of the sender.
 * One small file DIR/.btrfly/UUID for each, written whole or not at all; the next incremental stream
 * finds its parent by it.  Its content is strings with a NUL behind each: "btrfly-received-1", the
 * transid, the name of the tree in DIR, and the paths of what could not be made in it.
 */
#ifndef BTRFLY_RECEIVE_RECORD_H
#define BTRFLY_RECEIVE_RECORD_H

#include "base/buffer.h"
#include "receive/host.h"
#include "receive/path_table.h"

#define RECORD_DIRECTORY ".btrfly"

struct record {
	u8 uuid[16];
	u64 ctransid;
	char name[256];
	struct path_table missing;
};

/* @dir is the open DIR.  0; -ENOENT if there is none, or another error with a sentence. */
int record_read(struct record *r, struct host *host, int dir, const u8 *uuid);
int record_write(const struct record *r, struct host *host, int dir);
void record_release(struct record *r);

/* Open DIR/.btrfly, making it if @make is set.  A descriptor or a negative errno with a sentence. */
int record_directory(struct host *host, int dir, bool make);

/* A whole file in DIR/.btrfly, which @dir is here.  It is written under another name first, so that no
 * reader and no crash meets half of it. */
int record_read_file(struct host *host, int dir, const char *name, struct buffer *b);
int record_replace(struct host *host, int dir, const char *name, const struct buffer *b, bool durable);

#endif
