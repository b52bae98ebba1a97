/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One receive, in a process of its own that may come to grief. */
#ifndef BTRFLY_TESTS_ATTEMPT_H
#define BTRFLY_TESTS_ATTEMPT_H

#include "fault.h"

struct attempt {
	const char *dir, *stream;
	bool mounted;
	bool resume;
	uid_t user; /* who receives, if root runs the test */
	struct fault fault;
};

enum ending {
	ENDED_WELL,
	ENDED_SAYING, /* an error */
	ENDED_KILLED, /* as it was to be */
	ENDED_BADLY,  /* in any other way: @message says which */
};

struct outcome {
	enum ending ending;
	char message[1024];
	struct fault_log log;
};

/* Shared memory, for any number of attempts one behind the other. */
struct outcome *outcome_new(void);

enum ending attempt_make(const struct attempt *a, struct outcome *o);

#endif
