/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors are values with a sentence.
 *
 * Every function that can fail returns 0 or a negative errno.  The sentence that
 * goes with the failure is kept per thread: it is written by error_set() where the
 * fact is known, and callers put what they were doing in front of it with
 * error_wrap().  The result reads from the outside in:
 *
 *   send snaps/today: inode 4711: data at logical 1310720 on /dev/sdb: checksum mismatch
 *
 * Sentences are lower case, have no full stop, print the values involved, and
 * write intervals as [a, b).
 */
#ifndef BTRFLY_BASE_ERROR_H
#define BTRFLY_BASE_ERROR_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#define ERROR_TEXT_MAX 2048

/* A sentence on its way from one thread to another. */
struct error {
	int code; /* negative errno, 0 for none */
	char text[ERROR_TEXT_MAX];
};

/* Replace this thread's sentence.  @err is a positive errno; returns -@err. */
int error_set(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Like error_set(), with ": " and strerror(@err) behind the sentence. */
int error_errno(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Put "fmt: " before this thread's sentence.  Returns @ret, which must be negative. */
int error_wrap(int ret, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Out of memory while asking for @size bytes; returns -ENOMEM. */
int error_nomem(size_t size) __attribute__((cold));

/* This thread's sentence, valid until its next failure; "" if there was none. */
const char *error_message(void);
void error_clear(void);

/* Take this thread's sentence (with its code @ret) away, and put it into another thread's place. */
void error_save(struct error *e, int ret);
int error_restore(const struct error *e); /* returns e->code */

#endif
