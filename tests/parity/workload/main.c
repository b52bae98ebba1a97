/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* workload: change a directory by random operations, the same ones for the same seed and tree. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

static const struct operation *const tables[] = {create_operations, rename_operations, data_operations,
						 attribute_operations, remove_operations};

#define OPERATIONS_MAX 64

struct tally {
	const struct operation *operation;
	unsigned done, refused;
	int last_error;
};

static void print_path(const char *path)
{
	if (!*path)
		fputs("(root)", stderr);
	for (size_t i = 0; path[i]; i++) {
		if (i == 70) {
			fprintf(stderr, "…(%zu)", strlen(path));
			break;
		}
		if (isgraph((unsigned char)path[i]))
			fputc(path[i], stderr);
		else
			fprintf(stderr, "\\x%02x", (unsigned char)path[i]);
	}
}

void workload_note(struct workload *w, const char *what, const char *path, const char *other)
{
	if (!w->verbose)
		return;
	fprintf(stderr, "%s ", what);
	print_path(path);
	if (other) {
		fputs(" → ", stderr);
		print_path(other);
	}
	fputc('\n', stderr);
}

/* Names of operations to leave out. */
struct without {
	const char *name[8];
	unsigned count;
};

static bool left_out(const struct without *without, const char *name)
{
	for (unsigned i = 0; i < without->count; i++)
		if (!strcmp(without->name[i], name))
			return true;
	return false;
}

static void run(struct workload *w, unsigned long ops, const struct without *without)
{
	struct tally tally[OPERATIONS_MAX];
	unsigned count = 0, weight = 0;

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct operation *o = tables[t]; o->name && count < OPERATIONS_MAX; o++) {
			tally[count++] = (struct tally){.operation = o};
			weight += o->weight;
		}
	for (unsigned long i = 0; i < ops; i++) {
		unsigned draw = random_below(w, weight);
		struct tally *t = tally;

		while (draw >= t->operation->weight)
			draw -= t++->operation->weight;
		if (left_out(without, t->operation->name))
			continue;
		if (w->verbose)
			fprintf(stderr, "%lu %s\n", i, t->operation->name);
		int ret = t->operation->run(w);

		if (ret) {
			t->refused++;
			t->last_error = -ret;
			if (w->verbose)
				fprintf(stderr, "  refused: %s\n", strerror(-ret));
		} else {
			t->done++;
		}
	}
	for (unsigned i = 0; i < count && w->verbose; i++)
		fprintf(stderr, "%-18s %5u done %5u refused  %s\n", tally[i].operation->name,
			tally[i].done, tally[i].refused,
			tally[i].last_error ? strerror(tally[i].last_error) : "");
}

static void usage(void)
{
	fputs("usage: workload --seed N [--ops K] [--max-bytes N] [--far] [--without NAME]... [-v] DIR\n"
	      "       workload --drop-newest DIR\n"
	      "  --ops K          operations to try, 300; fewer are the same ones, from the first on\n"
	      "  --max-bytes N    of file data to write, 24 MiB\n"
	      "  --far            sizes up to a terabyte, with nothing in them\n"
	      "  --without NAME   leave one kind of operation out\n"
	      "  --drop-newest    delete the newest quarter: after a remount their inode numbers come again\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	enum { SEED = 256, OPS, MAX_BYTES, FAR, WITHOUT, DROP_NEWEST };
	static const struct option options[] = {
		{"seed", required_argument, NULL, SEED},
		{"ops", required_argument, NULL, OPS},
		{"max-bytes", required_argument, NULL, MAX_BYTES},
		{"far", no_argument, NULL, FAR},
		{"without", required_argument, NULL, WITHOUT},
		{"drop-newest", no_argument, NULL, DROP_NEWEST},
		{0},
	};
	struct workload w = {.budget = 24u << 20};
	unsigned long ops = 300;
	u64 seed = 0;
	bool drop = false, seeded = false;
	struct without without = {0};

	for (int c; (c = getopt_long(argc, argv, "v", options, NULL)) != -1;) {
		switch (c) {
		case SEED:
			seed = strtoull(optarg, NULL, 0);
			seeded = true;
			break;
		case OPS:
			ops = strtoul(optarg, NULL, 0);
			break;
		case MAX_BYTES:
			w.budget = strtoull(optarg, NULL, 0);
			break;
		case FAR:
			w.far = true;
			break;
		case WITHOUT:
			if (without.count < ARRAY_SIZE(without.name))
				without.name[without.count++] = optarg;
			break;
		case DROP_NEWEST:
			drop = true;
			break;
		case 'v':
			w.verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || seeded == drop)
		usage();
	umask(0);
	random_seed(&w, seed);
	w.scratch = aligned_alloc(WORKLOAD_SECTOR, WORKLOAD_WRITE_MAX);
	w.root = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = w.root < 0 ? -errno : tree_scan(&w);

	if (!ret && drop)
		ret = remove_newest(&w);
	else if (!ret)
		run(&w, ops, &without);
	if (ret)
		fprintf(stderr, "workload: %s: %s\n", argv[optind], strerror(-ret));
	tree_release(&w);
	free(w.scratch);
	return ret ? 1 : 0;
}
