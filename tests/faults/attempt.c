/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "receive/directory.h"
#include "receive/mounted.h"
#include "receive/receive.h"

#define SECONDS_MAX 60 /* of one attempt; what takes longer hangs */

struct outcome *outcome_new(void)
{
	void *p = mmap(NULL, sizeof(struct outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int become(uid_t user)
{
	if (!user || geteuid())
		return 0;
	return setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user) ?
		       error_errno(errno, "become user %u", (unsigned)user) :
		       0;
}

static unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static int receive(const struct attempt *a, struct outcome *o)
{
	static struct faulty_host host;
	struct receive_options options = {.resume = a->resume, .host = &host.watched.host};
	struct stream_pump pump = {.fd = open(a->stream, O_RDONLY | O_CLOEXEC), .max_errors = 1};
	int dir = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned descriptors = open_descriptors();
	struct target *t;
	int ret;

	if (dir < 0 || pump.fd < 0)
		return error_errno(errno, "open %s", dir < 0 ? a->dir : a->stream);
	faulty_host_init(&host, &a->fault, &o->log);
	ret = a->mounted ? mounted_target_new(&t, dir, &options) : directory_target_new(&t, dir, &options);
	if (ret)
		return ret;
	ret = receive_stream(&pump, t, NULL);
	if (ret)
		snprintf(o->message, sizeof(o->message), "%s", error_message());
	t->ops->free(t);
	if (open_descriptors() == descriptors - 1) /* it closed DIR */
		return ret;
	snprintf(o->message, sizeof(o->message), "%u descriptors were left open", open_descriptors() + 1 - descriptors);
	o->ending = ENDED_BADLY;
	return ret;
}

static void __attribute__((noreturn)) run(const struct attempt *a, struct outcome *o)
{
	int ret;

	alarm(SECONDS_MAX);
	umask(022);
	ret = become(a->user);
	if (!ret)
		ret = receive(a, o);
	if (ret && !o->message[0])
		snprintf(o->message, sizeof(o->message), "%s", error_message());
	_exit(ret ? 1 : 0);
}

/* What is wrong with the message of an error that is @status, or NULL. */
static const char *fault_of(const char *message)
{
	if (!message[0])
		return "no error was said";
	return strchr(message, ':') || strchr(message, '\'') ? NULL : "the error does not say where";
}

enum ending attempt_make(const struct attempt *a, struct outcome *o)
{
	pid_t child;
	int status;

	*o = (struct outcome){.ending = ENDED_WELL};
	fflush(NULL);
	child = fork();
	if (!child)
		run(a, o);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("every_call: fork");
		exit(2);
	}
	if (o->ending == ENDED_BADLY)
		return o->ending;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return o->ending;
	o->ending = ENDED_BADLY;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		const char *wrong = fault_of(o->message);

		if (!wrong)
			return o->ending = ENDED_SAYING;
		snprintf(o->message, sizeof(o->message), "%s", wrong);
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && o->log.calls == a->fault.at) {
		o->ending = ENDED_KILLED;
	} else if (WIFSIGNALED(status)) {
		snprintf(o->message, sizeof(o->message), "signal %d", WTERMSIG(status));
	} else {
		snprintf(o->message, sizeof(o->message), "exit status %d", WEXITSTATUS(status));
	}
	return o->ending;
}
