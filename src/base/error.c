/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[ERROR_TEXT_MAX];

/* A name from outside must not break the line, or speak to the terminal. */
static void tame(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int error_set(int err, const char *fmt, ...)
{
	va_list ap;

	/* Built aside: an argument may point into the sentence that it replaces. */
	char text[ERROR_TEXT_MAX];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tame(text);
	memcpy(sentence, text, sizeof(sentence));
	return -err;
}

/* Put @front before the sentence; what does not fit falls off at the end. */
static void prepend(const char *front, const char *behind)
{
	char text[ERROR_TEXT_MAX];
	size_t used = strnlen(front, sizeof(text) - 3);

	memcpy(text, front, used);
	if (*behind) {
		text[used++] = ':';
		text[used++] = ' ';
	}
	size_t rest = strnlen(behind, sizeof(text) - 1 - used);

	memcpy(text + used, behind, rest);
	text[used + rest] = '\0';
	tame(text);
	memcpy(sentence, text, used + rest + 1);
}

int error_errno(int err, const char *fmt, ...)
{
	char front[ERROR_TEXT_MAX], reason[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	prepend(front, strerror_r(err, reason, sizeof(reason)));
	return -err;
}

int error_wrap(int ret, const char *fmt, ...)
{
	char front[ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	prepend(front, sentence);
	return ret;
}

int error_nomem(size_t size)
{
	return error_set(ENOMEM, "out of memory asking for %zu bytes", size);
}

const char *error_message(void)
{
	return sentence;
}

void error_clear(void)
{
	sentence[0] = '\0';
}

void error_save(struct error *e, int ret)
{
	e->code = ret;
	memcpy(e->text, sentence, sizeof(e->text));
}

int error_restore(const struct error *e)
{
	memcpy(sentence, e->text, sizeof(sentence));
	return e->code;
}
