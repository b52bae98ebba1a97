/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/name.h"

#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/utf8.h"

/* Bytes from @p on that a terminal shows as text, 0 if the first does not begin a character that it does. */
static size_t printable(const u8 *p, size_t len)
{
	size_t n = utf8_length(p, len);

	if (n == 1 && (*p < ' ' || *p == 0x7f || *p == '\\'))
		return 0;
	/* U+0080 to U+009F are control characters again. */
	if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return n;
}

void name_print(FILE *to, const char *name, size_t len)
{
	char escaped[ESCAPE_LONGEST + 2];

	if (!isatty(fileno(to))) {
		fwrite(name, 1, len, to);
		return;
	}
	for (size_t i = 0, n; i < len; i += n) {
		n = printable((const u8 *)name + i, len - i);
		if (n) {
			fwrite(name + i, 1, n, to);
			continue;
		}
		n = 1;
		fwrite(escaped, 1, escape_text(escaped, sizeof(escaped), name + i, n), to);
	}
}

void path_print(FILE *to, const char *path)
{
	name_print(to, path, strlen(path));
}
