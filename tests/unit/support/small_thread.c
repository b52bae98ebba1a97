/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/small_thread.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/error.h"

#define STACK_SIZE (128 << 10)
#define DESCRIPTORS 32

struct job {
	int (*f)(void *arg);
	void *arg;
	struct error error;
};

static void *run(void *arg)
{
	struct job *j = arg;
	int ret = j->f(j->arg);

	error_save(&j->error, ret);
	return NULL;
}

static int run_in_thread(struct job *j)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_SIZE) ||
	    pthread_create(&thread, &attr, run, j) || pthread_join(thread, NULL))
		return error_set(EAGAIN, "cannot run a thread");
	pthread_attr_destroy(&attr);
	return j->error.code ? error_restore(&j->error) : 0;
}

int in_small_thread(int (*f)(void *arg), void *arg)
{
	struct job j = {.f = f, .arg = arg};
	struct rlimit was, now;
	int ret;

	getrlimit(RLIMIT_NOFILE, &was);
	now = was;
	now.rlim_cur = DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &now);
	ret = run_in_thread(&j);
	getrlimit(RLIMIT_NOFILE, &now);
	setrlimit(RLIMIT_NOFILE, &was);
	if (!ret && now.rlim_cur != DESCRIPTORS)
		ret = error_set(EPERM, "the limit of %d descriptors was changed", DESCRIPTORS);
	return ret;
}
