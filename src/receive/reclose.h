/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_RECEIVE_RECLOSE_H
#define BTRFLY_RECEIVE_RECLOSE_H

#include "receive/host.h"
#include "receive/opened.h"

/* Give a file or directory that was opened up the mode back that it had, beneath the directory @root.  What is not there
 * any more needs none. */
void reclose(struct host *h, int root, const struct opened_mode *m);

#endif
