/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every unit test includes first: cmocka with the headers it wants, and checks of error sentences. */
#ifndef BTRFLY_TESTS_TEST_H
#define BTRFLY_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

/* @ret is -@err, and this thread's sentence is @sentence. */
#define assert_error(ret, err, sentence)                                                           \
	do {                                                                                       \
		int ret_ = (ret);                                                                  \
		assert_string_equal(ret_ < 0 ? error_message() : "(no error)", sentence);          \
		assert_int_equal(ret_, -(err));                                                    \
	} while (0)

/* @ret is 0; otherwise the sentence is shown. */
#define assert_ok(ret)                                                                             \
	do {                                                                                       \
		int ok_ = (ret);                                                                   \
		if (ok_)                                                                           \
			fail_msg("%d: %s", ok_, error_message());                                  \
	} while (0)

#endif
