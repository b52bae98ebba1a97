/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * every_call [OPTIONS] BASE STREAM [PARENT-STREAM…]
 *
 * Receive STREAM in BASE/dir again and again, and let it come to grief at its first, second, third … call of the system.
 * Then receive it once more with --resume.  Every time the end has to be what a receive without hindrance makes: the same
 * tree, nothing left over, nothing else touched.  An error has to be said.
 *
 *   --name NAME      what to call this combination
 *   --mounted        BASE lies on a mounted btrfs, and subvolumes are made
 *   --user UID       an ordinary user receives (where root runs this)
 *   --every M        not at every call, but at one of M
 *   --seed N         of what is chosen at random
 *   --report N       show N of the cases that end badly, not 20
 *   --case K MODE    only at call K, in that mode, with more said
 *
 * Modes: eio, enospc, eintr   the call fails
 *        short                a write writes half
 *        kill, half           the process is killed in front of the call, or behind half of a write
 *        refused              killed, received without --resume, which has to be refused, and gone on with
 *        twice                killed, gone on with and killed again or failing somewhere, and gone on with
 *
 * The last line has "N of N cases" in it, and the exit status is 0 if nothing went wrong, otherwise 1.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gcrypt.h>

#include "place.h"

enum mode { EIO_, ENOSPC_, EINTR_, SHORT, KILL, HALF, REFUSED, TWICE, MODES };

static const struct {
	const char *name;
	enum fault_kind fault;
} modes[MODES] = {
	[EIO_] = {"eio", FAULT_EIO},	 [ENOSPC_] = {"enospc", FAULT_ENOSPC}, [EINTR_] = {"eintr", FAULT_EINTR},
	[SHORT] = {"short", FAULT_SHORT}, [KILL] = {"kill", FAULT_KILL},       [HALF] = {"half", FAULT_KILL_HALF},
	[REFUSED] = {"refused", FAULT_KILL}, [TWICE] = {"twice", FAULT_KILL},
};

struct test {
	const char *name, *stream;
	char **parents;
	struct place place;
	struct outcome *o;
	u64 every, seed, report;
	bool verbose;
	u64 calls; /* of a receive without hindrance */
	u8 *call;  /* which they were */

	/* Results. */
	u64 cases, good, gone_through, said, killed;
};

static u64 mix(u64 v)
{
	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9;
	v = (v ^ (v >> 27)) * 0x94d049bb133111eb;
	return v ^ (v >> 31);
}

static enum ending attempt(struct test *t, bool resume, enum fault_kind kind, u64 at)
{
	const struct attempt a = {
		.dir = t->place.dir,
		.stream = t->stream,
		.mounted = t->place.mounted,
		.resume = resume,
		.user = t->place.user,
		.fault = {kind, at},
	};
	static const char *const endings[] = {"went through", "failed", "killed", "ended badly"};
	enum ending e = attempt_make(&a, t->o);

	if (t->verbose)
		printf("  %s%s behind %llu calls%s%s\n", resume ? "resumed: " : "", endings[e],
		       (unsigned long long)t->o->log.calls, t->o->message[0] ? ": " : "", t->o->message);
	return e;
}

/* ---- What is wrong: NULL for nothing, or the caller's to free ---------------------------------------- */

static char *wrong(const char *what, const char *detail)
{
	char *text;

	if (asprintf(&text, "%s%s%s", what, *detail ? ": " : "", detail) < 0)
		exit(2);
	return text;
}

static char *check_end(struct test *t, const char *when)
{
	char *differs = place_check(&t->place), *text = *differs ? wrong(when, "not as it has to be") : NULL;

	if (text) {
		char *longer = NULL;

		if (asprintf(&longer, "%s\n%.*s", text, 2000, differs) < 0)
			exit(2);
		free(text);
		text = longer;
	}
	free(differs);
	return text;
}

/* Without --resume nothing that is left is passed over in silence. */
static char *try_without_resume(struct test *t)
{
	switch (attempt(t, false, FAULT_NONE, 0)) {
	case ENDED_WELL: return check_end(t, "received anew");
	case ENDED_SAYING: break;
	default: return wrong("received anew", t->o->message);
	}
	if (strstr(t->o->message, "--resume") || strstr(t->o->message, "is there already"))
		return NULL;
	return wrong("refused, and --resume not spoken of", t->o->message);
}

static char *go_on(struct test *t)
{
	if (attempt(t, true, FAULT_NONE, 0) != ENDED_WELL)
		return wrong("gone on with --resume", t->o->message);
	return check_end(t, "gone on with --resume");
}

/* Somewhere in what is left. */
static char *go_on_and_fail(struct test *t, u64 at)
{
	u64 random = mix(t->seed ^ mix(at)), rest = t->calls > at ? t->calls - at : 0;
	enum fault_kind kind = random >> 63 ? FAULT_KILL : FAULT_EIO;

	if (attempt(t, true, kind, 1 + random % (rest + 40)) != ENDED_BADLY)
		return NULL;
	return wrong("gone on with --resume, to come to grief again", t->o->message);
}

static char *make_case(struct test *t, u64 at, enum mode mode)
{
	enum ending e = attempt(t, false, modes[mode].fault, at);
	char *bad = NULL;

	t->gone_through += e == ENDED_WELL;
	t->said += e == ENDED_SAYING;
	t->killed += e == ENDED_KILLED;
	if (e == ENDED_WELL)
		return check_end(t, "it went through");
	if (e == ENDED_BADLY)
		return wrong("it ended badly", t->o->message);
	if (mode == REFUSED)
		bad = try_without_resume(t);
	if (mode == TWICE)
		bad = go_on_and_fail(t, at);
	return bad ? bad : go_on(t);
}

/* ---- All of them ------------------------------------------------------------------------------------ */

static const char *call_name(const struct test *t, u64 at)
{
	return at <= t->calls ? host_call_name(t->call[at - 1]) : "";
}

static void report(struct test *t, u64 at, enum mode mode, const char *bad)
{
	u64 failures = t->cases - t->good;

	if (failures <= t->report)
		printf("  %s: --case %llu %s: %s: %s\n", t->name, (unsigned long long)at, modes[mode].name, call_name(t, at),
		       bad);
	if (failures == t->report)
		printf("  %s: more are not shown\n", t->name);
	fflush(stdout);
}

static void start(struct test *t)
{
	place_make(&t->place, t->parents, t->stream, t->o);
	t->calls = t->o->log.calls;
	if (t->calls > FAULT_CALLS_MAX) {
		fprintf(stderr, "every_call: %s: %llu calls, more than %d\n", t->stream, (unsigned long long)t->calls,
			FAULT_CALLS_MAX);
		exit(2);
	}
	memcpy(t->call, t->o->log.call, t->calls);
}

static void one(struct test *t, u64 at, enum mode mode)
{
	char *bad = make_case(t, at, mode);

	t->cases++;
	t->good += !bad;
	place_clear(&t->place);
	if (!bad)
		return;
	report(t, at, mode, bad);
	free(bad);
	/* Whatever it was, the next one has nothing to do with it. */
	place_remove(&t->place);
	start(t);
}

static bool is_chosen(const struct test *t, u64 at, enum mode mode)
{
	return fault_fits(modes[mode].fault, t->call[at - 1]) && (at + mix(mode + 1)) % t->every == t->seed % t->every;
}

static void all(struct test *t)
{
	for (u64 at = 1; at <= t->calls; at++)
		for (enum mode mode = 0; mode < MODES; mode++)
			if (is_chosen(t, at, mode))
				one(t, at, mode);
}

static enum mode mode_of(const char *name)
{
	for (enum mode m = 0; m < MODES; m++)
		if (!strcmp(modes[m].name, name))
			return m;
	fprintf(stderr, "every_call: no mode '%s'\n", name);
	exit(2);
}

static int usage(void)
{
	fprintf(stderr, "usage: every_call [--name NAME] [--mounted] [--user UID] [--every M] [--seed N] [--report N] [--case K MODE] "
			"BASE STREAM [PARENT-STREAM…]\n");
	return 2;
}

static void result(const struct test *t)
{
	printf("%s: %llu of %llu cases end well: %llu calls; %llu went through all the same, %llu errors were said, %llu were "
	       "killed\n",
	       t->name, (unsigned long long)t->good, (unsigned long long)t->cases, (unsigned long long)t->calls,
	       (unsigned long long)t->gone_through, (unsigned long long)t->said, (unsigned long long)t->killed);
}

struct chosen {
	u64 at; /* 0: all of them */
	const char *mode;
};

/* Whether they are right. */
static bool parse(struct test *t, struct chosen *one_case, int argc, char **argv)
{
	static const struct option options[] = {
		{"name", required_argument, NULL, 'n'}, {"mounted", no_argument, NULL, 'm'},
		{"user", required_argument, NULL, 'u'}, {"every", required_argument, NULL, 'e'},
		{"seed", required_argument, NULL, 's'}, {"case", required_argument, NULL, 'c'},
		{"report", required_argument, NULL, 'r'}, {0},
	};

	for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		switch (c) {
		case 'n': t->name = optarg; break;
		case 'm': t->place.mounted = true; break;
		case 'u': t->place.user = (uid_t)strtoul(optarg, NULL, 10); break;
		case 'e': t->every = max_u64(1, strtoull(optarg, NULL, 10)); break;
		case 'r': t->report = strtoull(optarg, NULL, 10); break;
		case 's': t->seed = strtoull(optarg, NULL, 10); break;
		case 'c':
			one_case->at = strtoull(optarg, NULL, 10);
			one_case->mode = optind < argc ? argv[optind++] : "";
			if (!one_case->at)
				return false;
			break;
		default: return false;
		}
	}
	if (argc - optind < 2)
		return false;
	t->place.base = argv[optind];
	t->stream = argv[optind + 1];
	t->parents = argv + optind + 2;
	snprintf(t->place.dir, sizeof(t->place.dir), "%s/dir", t->place.base);
	snprintf(t->place.beside, sizeof(t->place.beside), "%s/beside", t->place.base);
	return true;
}

int main(int argc, char **argv)
{
	static u8 calls[FAULT_CALLS_MAX];
	struct test t = {.name = "every call", .every = 1, .report = 20, .o = outcome_new(), .call = calls};
	struct chosen one_case = {0};

	if (!parse(&t, &one_case, argc, argv))
		return usage();
	if (!t.o) {
		perror("every_call: shared memory");
		return 2;
	}
	gcry_check_version(NULL);
	start(&t);
	t.verbose = one_case.at;
	if (one_case.at)
		one(&t, one_case.at, mode_of(one_case.mode));
	else
		all(&t);
	place_remove(&t.place);
	result(&t);
	return t.good == t.cases ? 0 : 1;
}
