/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON objects of one line each, written as they are made; nothing is kept but whether a comma
 * is due.  Errors stay in the FILE: look at ferror() behind a line.
 */
#ifndef BTRFLY_BASE_JSON_H
#define BTRFLY_BASE_JSON_H

#include <stdio.h>

#include "base/types.h"

struct json_line {
	FILE *out;
	bool started; /* a member was written, the next one needs a comma */
};

void json_line_begin(struct json_line *j, FILE *out); /* { */
void json_line_end(struct json_line *j);              /* } and a new line */

void json_line_u64(struct json_line *j, const char *key, u64 value);
void json_line_bool(struct json_line *j, const char *key, bool value);
void json_line_string(struct json_line *j, const char *key, const char *value);

/*
 * Bytes that are text most of the time (names, paths, attribute values).  What is no UTF-8 is
 * replaced in the string, and then a second member "KEY_hex" holds the bytes as they are.
 */
void json_line_bytes(struct json_line *j, const char *key, const void *data, size_t len);

/* A member that is a list: of objects, between whose begin and end members are written as ever, or of strings. */
void json_line_list_begin(struct json_line *j, const char *key);
void json_line_list_end(struct json_line *j);
void json_line_item_begin(struct json_line *j);
void json_line_item_end(struct json_line *j);
void json_line_item_string(struct json_line *j, const char *value);

/* As 2026-11-23T06:44:58.123456789Z; a time beyond the calendar as its number of seconds. */
void json_line_time(struct json_line *j, const char *key, s64 sec, u32 nsec);

/* 16 bytes in the usual form with four dashes. */
void json_line_uuid(struct json_line *j, const char *key, const u8 *uuid);

#endif
