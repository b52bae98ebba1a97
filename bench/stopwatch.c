/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stopwatch: run a command with its output in a sink, and say how long it took and what it used.
 *
 *   stopwatch [-c SECONDS] [-i INPUT] [-o cat|FILE] COMMAND [ARGUMENT]...
 *
 * One line of JSON on standard output.  The clock runs from before the fork until both the command and,
 * for the sink `cat`, the reader of its pipe have ended.  A small program forks, not the big one that
 * prints the table: a new process inherits the peak of whoever forked it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t capped;
static pid_t command;

static void on_alarm(int number)
{
	capped = 1;
	kill(-command, SIGKILL);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(125, "%s", path);
	return fd;
}

static pid_t start(char **argv, int in, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		err(125, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		err(125, "dup2");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

static double seconds(struct timeval tv)
{
	return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	static char *const reader[] = {"cat", NULL};
	const char *input = "/dev/null", *sink = "/dev/null";
	unsigned cap = 0;
	int option, ends[2] = {-1, -1};

	while ((option = getopt(argc, argv, "+c:i:o:")) != -1) {
		switch (option) {
		case 'c':
			cap = strtoul(optarg, NULL, 10);
			break;
		case 'i':
			input = optarg;
			break;
		case 'o':
			sink = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		errx(2, "no command");

	int in = open_or_die(input, O_RDONLY);
	int null = open_or_die("/dev/null", O_RDWR);
	int out = null;
	pid_t cat = 0;
	if (!strcmp(sink, "cat")) {
		if (pipe2(ends, O_CLOEXEC))
			err(125, "pipe");
		out = ends[1];
		cat = start((char **)reader, ends[0], null);
		close(ends[0]);
	} else {
		out = open_or_die(sink, O_WRONLY | O_CREAT | O_TRUNC);
	}

	struct sigaction action = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &action, NULL);
	double begin = now();
	command = start(argv + optind, in, out);
	setpgid(command, command);
	alarm(cap);
	close(out);

	struct rusage usage;
	int status;
	while (wait4(command, &status, 0, &usage) < 0)
		if (errno != EINTR)
			err(125, "wait");
	alarm(0);
	if (cat)
		waitpid(cat, NULL, 0);
	printf("{\"seconds\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, \"capped\": %s, "
	       "\"status\": %d}\n",
	       now() - begin, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
	       capped ? "true" : "false", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
