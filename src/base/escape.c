/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/escape.h"

#include <string.h>

size_t escape_text(char *out, size_t size, const char *text, size_t len)
{
	static const char named[] = "\a\b\e\f\n\r\t\v \\";
	static const char letters[] = "abefnrtv \\";
	size_t used = 0;

	for (size_t i = 0; i < len && used + ESCAPE_LONGEST < size; i++) {
		u8 c = (u8)text[i];
		const char *name = c ? strchr(named, c) : NULL;

		if (name) {
			out[used++] = '\\';
			out[used++] = letters[name - named];
		} else if (c > ' ' && c < 0x7f) {
			out[used++] = (char)c;
		} else {
			out[used++] = '\\';
			out[used++] = (char)('0' + (c >> 6));
			out[used++] = (char)('0' + (c >> 3 & 7));
			out[used++] = (char)('0' + (c & 7));
		}
	}
	out[used] = '\0';
	return used;
}
