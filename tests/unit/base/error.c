/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

static void test_sentences_read_from_the_outside_in(void **state)
{
	int ret = error_set(EIO, "checksum mismatch at %d", 7);

	assert_error(error_wrap(ret, "inode %d", 5), EIO, "inode 5: checksum mismatch at 7");
	assert_error(error_errno(ENOENT, "open x"), ENOENT, "open x: No such file or directory");
}

/* A name from a stream or a disk must not forge a second line, or drive the terminal. */
static void test_a_sentence_is_one_line(void **state)
{
	assert_error(error_set(EIO, "'%s'", "a\nb\033[2J\177\303\244"), EIO, "'a?b?[2J?\303\244'");
	assert_error(error_wrap(-EIO, "in '%s'", "\t"), EIO, "in '?': 'a?b?[2J?\303\244'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences_read_from_the_outside_in),
		cmocka_unit_test(test_a_sentence_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
