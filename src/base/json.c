/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

#include "base/utf8.h"

void json_line_begin(struct json_line *j, FILE *out)
{
	*j = (struct json_line){.out = out};
	fputc('{', out);
}

void json_line_end(struct json_line *j)
{
	fputs("}\n", j->out);
}

/* Keys are ours and need no escape. */
static void key_out(struct json_line *j, const char *key)
{
	fprintf(j->out, "%s\"%s\":", j->started ? "," : "", key);
	j->started = true;
}

void json_line_list_begin(struct json_line *j, const char *key)
{
	key_out(j, key);
	fputc('[', j->out);
	j->started = false;
}

void json_line_list_end(struct json_line *j)
{
	fputc(']', j->out);
	j->started = true;
}

void json_line_item_begin(struct json_line *j)
{
	fputs(j->started ? ",{" : "{", j->out);
	j->started = false;
}

void json_line_item_end(struct json_line *j)
{
	fputc('}', j->out);
	j->started = true;
}

/* Returns whether all of it was UTF-8. */
static bool text_out(FILE *out, const u8 *p, size_t len)
{
	bool valid = true;

	fputc('"', out);
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_length(p + i, len - i);
		if (!n) {
			fputs("\\ufffd", out);
			valid = false;
			n = 1;
		} else if (n == 1 && (p[i] == '"' || p[i] == '\\')) {
			fprintf(out, "\\%c", p[i]);
		} else if (n == 1 && (p[i] < ' ' || p[i] == 0x7f)) {
			fprintf(out, "\\u%04x", p[i]);
		} else {
			fwrite(p + i, 1, n, out);
		}
	}
	fputc('"', out);
	return valid;
}

void json_line_u64(struct json_line *j, const char *key, u64 value)
{
	key_out(j, key);
	fprintf(j->out, "%llu", (unsigned long long)value);
}

void json_line_bool(struct json_line *j, const char *key, bool value)
{
	key_out(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_line_item_string(struct json_line *j, const char *value)
{
	if (j->started)
		fputc(',', j->out);
	j->started = true;
	text_out(j->out, (const u8 *)value, strlen(value));
}

void json_line_bytes(struct json_line *j, const char *key, const void *data, size_t len)
{
	const u8 *p = data;

	key_out(j, key);
	if (text_out(j->out, p, len))
		return;
	fprintf(j->out, ",\"%s_hex\":\"", key);
	for (size_t i = 0; i < len; i++)
		fprintf(j->out, "%02x", p[i]);
	fputc('"', j->out);
}

void json_line_string(struct json_line *j, const char *key, const char *value)
{
	json_line_bytes(j, key, value, strlen(value));
}

void json_line_time(struct json_line *j, const char *key, s64 sec, u32 nsec)
{
	time_t t = sec;
	char text[64];
	struct tm tm;

	key_out(j, key);
	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%FT%T", &tm))
		fprintf(j->out, "\"%s.%09uZ\"", text, nsec);
	else
		fprintf(j->out, "\"%lld.%09u\"", (long long)sec, nsec);
}

void json_line_uuid(struct json_line *j, const char *key, const u8 *uuid)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(uuid, text);
	key_out(j, key);
	fprintf(j->out, "\"%s\"", text);
}
