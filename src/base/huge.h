/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory in one huge page.  It is new each time: for bytes whose pages are handed on to the kernel, which
 * may keep them for as long as it likes.  Pages of the usual size would cost more there than a copy.
 */
#ifndef BTRFLY_BASE_HUGE_H
#define BTRFLY_BASE_HUGE_H

#include "base/types.h"

#define HUGE_PAGE (2u << 20)

/* HUGE_PAGE bytes at a multiple of it, or NULL where the system has no huge page to give. */
void *huge_page_map(void);

/* What has been handed on stays as it is. */
void huge_page_unmap(void *page);

#endif
