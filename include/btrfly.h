/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public interface of libbtrfly. */
#ifndef BTRFLY_H
#define BTRFLY_H

#define BTRFLY_VERSION_MAJOR 0
#define BTRFLY_VERSION_MINOR 1

#endif
