/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BTRFLY_BASE_UTF8_H
#define BTRFLY_BASE_UTF8_H

#include "base/types.h"

/* The length of the UTF-8 sequence at @p, of whose @len bytes there is at least one; 0 if there is none
 * (RFC 3629: shortest form, no surrogates, up to U+10FFFF). */
size_t utf8_length(const u8 *p, size_t len);

#endif
