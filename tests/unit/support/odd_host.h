/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A watched host whose filesystem lacks things, or takes names in its own way. */
#ifndef BTRFLY_TESTS_ODD_HOST_H
#define BTRFLY_TESTS_ODD_HOST_H

#include "support/watched_host.h"

struct odd_host {
	struct watched_host watched; /* its host is what the code under test gets */
	struct host_ops ops;
	const struct host_ops *inner;

	bool folds;	 /* names that differ in case are one, and keep their first spelling */
	bool cuts_dots;	 /* no name has a dot at its end */
	bool no_flags;	 /* rename() takes none, as far as it comes to the filesystem */
	int no_file;	 /* errno of a new regular file, 0: they can be made */
	int no_link, no_symlink, no_node;
	unsigned links_max;    /* of a file; 0: any number */
	bool symlinks_altered; /* they come out with another target */
	bool nodes_altered;    /* files are made of them */
};

void odd_host_init(struct odd_host *o);

#endif
