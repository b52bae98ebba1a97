/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes from outside made fit for one line of text: white space and the backslash as in C
 * ("\n", "\ "), everything else that is not printable ASCII as three octal digits.  The form is
 * that of btrfs-progs, so that a dump is the same line for line.
 */
#ifndef BTRFLY_BASE_ESCAPE_H
#define BTRFLY_BASE_ESCAPE_H

#include "base/types.h"

#define ESCAPE_LONGEST 4 /* characters that one byte becomes at most */

/*
 * Write @len bytes, escaped, and a NUL into @out of @size bytes; what does not fit is left out
 * whole.  Returns the length of the text in @out.
 */
size_t escape_text(char *out, size_t size, const char *text, size_t len);

#endif
