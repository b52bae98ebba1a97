/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* btrfly subvolume list: the subvolumes of an image, in the form of btrfs-progs. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/image.h"
#include "cli/name.h"
#include "cli/subvolume.h"

#define NAME "btrfly subvolume list"
#define USAGE                                                                                      \
	NAME " [-a|-o] [-pcguqR] [-sr] [-t|--json] [-G [+|-]GEN] [-C [+|-]GEN] [--sort=KEYS]"      \
	     " [--device DEV]... IMAGE [SUBVOL]"

enum column { ID, GEN, CGEN, PARENT, TOP_LEVEL, OTIME, PARENT_UUID, RECEIVED_UUID, UUID, PATH, COLUMNS };

static const char *const column_names[COLUMNS] = {
	"ID", "gen", "cgen", "parent", "top level", "otime", "parent_uuid", "received_uuid", "uuid", "path",
};

enum { SORT_KEYS_MAX = 4 };

struct sort_key {
	char what; /* g, o, r, p: gen, ogen, rootid, path */
	bool falling;
};

struct bounds {
	u64 min, max;
};

struct listing {
	unsigned columns; /* bits by enum column */
	bool all, only_below, snapshots, readonly, table, json;
	struct bounds gen, cgen;
	struct sort_key keys[SORT_KEYS_MAX];
	size_t key_count;
	u64 base; /* the subvolume that paths and -o and -a refer to */
	const char *base_path;
	struct entry {
		struct subvolume s;
		char *path;
	} *entries;
	size_t count, capacity;
};

/* [+|-]VALUE: at least, at most, exactly. */
static int parse_bounds(const char *word, struct bounds *b)
{
	const char *digits = word + (*word == '+' || *word == '-');
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(digits, &end, 10);
	if (errno || *digits < '0' || *digits > '9' || *end)
		return -EINVAL;
	if (*word != '-')
		b->min = max_u64(b->min, value);
	if (*word != '+')
		b->max = min_u64(b->max, value);
	return 0;
}

static int parse_keys(char *words, struct listing *l)
{
	static const char *const names[] = {"gen", "ogen", "rootid", "path"};
	char *save, *word = strtok_r(words, ",", &save);

	if (!word)
		return -EINVAL;
	for (; word; word = strtok_r(NULL, ",", &save)) {
		struct sort_key key = {.falling = *word == '-'};

		word += *word == '+' || *word == '-';
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(word, names[i]))
				key.what = word[0];
		if (!key.what || l->key_count == SORT_KEYS_MAX)
			return -EINVAL;
		l->keys[l->key_count++] = key;
	}
	return 0;
}

static int compare_numbers(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct entry *x = a, *y = b;
	const struct listing *l = arg;
	int order = 0;

	for (size_t i = 0; i < l->key_count && !order; i++) {
		switch (l->keys[i].what) {
		case 'g': order = compare_numbers(x->s.generation, y->s.generation); break;
		case 'o': order = compare_numbers(subvolume_made_in(&x->s), subvolume_made_in(&y->s)); break;
		case 'r': order = compare_numbers(x->s.id, y->s.id); break;
		default: order = strcmp(x->path, y->path); break;
		}
		if (l->keys[i].falling)
			order = -order;
	}
	return order ? order : compare_numbers(x->s.id, y->s.id);
}

static bool within(u64 value, const struct bounds *b)
{
	return value >= b->min && value <= b->max;
}

/* The path as it is shown: from the subvolume that was named where it lies below that one, with a mark
 * under -a where it lies elsewhere than right in it. */
static char *shown_path(const struct listing *l, const struct subvolume *s, const char *path)
{
	size_t base = strlen(l->base_path);
	char *marked;

	if (l->all && s->parent_id != l->base)
		return asprintf(&marked, "<FS_TREE>/%s", path) < 0 ? NULL : marked;
	if (!l->all && !l->only_below && base && !strncmp(path, l->base_path, base) && path[base] == '/')
		return strdup(path + base + 1);
	return strdup(path);
}

static int collect(const struct subvolume *s, const char *path, void *arg)
{
	struct listing *l = arg;

	if ((l->snapshots && !s->root_offset) || (l->readonly && !(s->flags & ROOT_SUBVOL_RDONLY)) ||
	    (l->only_below && s->parent_id != l->base) || !within(s->generation, &l->gen) ||
	    !within(subvolume_made_in(s), &l->cgen))
		return 0;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 64;
		struct entry *grown = reallocarray(l->entries, capacity, sizeof(*grown));

		if (!grown)
			return error_nomem(capacity * sizeof(*grown));
		l->entries = grown;
		l->capacity = capacity;
	}

	char *shown = shown_path(l, s, path);

	if (!shown)
		return error_nomem(strlen(path));
	l->entries[l->count++] = (struct entry){*s, shown};
	return 0;
}

static void print_column(const struct entry *e, enum column column)
{
	const struct subvolume *s = &e->s;
	char text[TIME_TEXT_MAX];

	switch (column) {
	case ID: printf("%" PRIu64, s->id); break;
	case GEN: printf("%" PRIu64, s->generation); break;
	case CGEN: printf("%" PRIu64, subvolume_made_in(s)); break;
	case PARENT:
	case TOP_LEVEL: printf("%" PRIu64, s->parent_id); break;
	case OTIME: fputs(subvolume_time_text(&s->otime, false, text), stdout); break;
	case PARENT_UUID: printf("%-36s", subvolume_uuid_text(s->parent_uuid, text)); break;
	case RECEIVED_UUID: printf("%-36s", subvolume_uuid_text(s->received_uuid, text)); break;
	case UUID: printf("%-36s", subvolume_uuid_text(s->uuid, text)); break;
	case PATH: path_print(stdout, e->path); break;
	case COLUMNS: break;
	}
}

static void print_line(const struct listing *l, const struct entry *e)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		if (!(l->columns & 1u << c))
			continue;
		if (!l->table)
			printf("%s ", column_names[c]);
		print_column(e, c);
		if (c != PATH)
			fputs(!l->table ? " " : c == TOP_LEVEL ? "\t\t" : "\t", stdout);
	}
	putchar('\n');
}

static void print_table_head(const struct listing *l)
{
	for (enum column c = 0; c < COLUMNS; c++)
		if (l->columns & 1u << c)
			printf("%s\t", column_names[c]);
	putchar('\n');
	for (enum column c = 0; c < COLUMNS; c++)
		if (l->columns & 1u << c)
			printf("%.*s\t", (int)strlen(column_names[c]), "-------------");
	putchar('\n');
}

static void print_listing(struct listing *l)
{
	struct json_line j;

	if (l->count)
		qsort_r(l->entries, l->count, sizeof(*l->entries), compare, l);
	if (l->table)
		print_table_head(l);
	for (const struct entry *e = l->entries; e < l->entries + l->count; e++) {
		if (!l->json) {
			print_line(l, e);
			continue;
		}
		json_line_begin(&j, stdout);
		subvolume_json(&j, &e->s, e->path);
		json_line_end(&j);
	}
}

static int run(struct listing *l, const char *image, const struct image_devices *devices, const char *word)
{
	struct buffer path = {0};
	struct filesystem *fs = NULL;
	struct subvolume base;
	int ret = image_open(NAME, image, devices, NULL, &fs);

	if (!ret)
		ret = subvolume_find(fs, word, &base);
	if (!ret)
		ret = subvolume_path(fs, &base, &path);
	if (!ret) {
		l->base = base.id;
		l->base_path = (const char *)path.data;
		ret = subvolume_each(fs, collect, l);
	}
	if (!ret)
		print_listing(l);
	for (size_t i = 0; i < l->count; i++)
		free(l->entries[i].path);
	free(l->entries);
	buffer_release(&path);
	filesystem_free(fs);
	return ret ? command_failed(NAME) : command_printed(NAME);
}

int subvolume_list_command(int argc, char **argv)
{
	enum { OPTION_SORT = 256, OPTION_JSON, OPTION_DEVICE };
	static const struct option options[] = {
		{"sort", required_argument, NULL, OPTION_SORT},
		{"json", no_argument, NULL, OPTION_JSON},
		{"device", required_argument, NULL, OPTION_DEVICE},
		{0},
	};
	struct listing l = {
		.columns = 1u << ID | 1u << GEN | 1u << TOP_LEVEL | 1u << PATH,
		.gen = {0, UINT64_MAX},
		.cgen = {0, UINT64_MAX},
	};
	struct image_devices devices = {0};
	int status;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":aopcguqRsrtG:C:", options, NULL)) != -1;) {
		int ret = 0;

		switch (c) {
		case 'a': l.all = true; break;
		case 'o': l.only_below = true; break;
		case 'p': l.columns |= 1u << PARENT; break;
		case 'c': l.columns |= 1u << CGEN; break;
		case 'g': l.columns |= 1u << GEN; break;
		case 'u': l.columns |= 1u << UUID; break;
		case 'q': l.columns |= 1u << PARENT_UUID; break;
		case 'R': l.columns |= 1u << RECEIVED_UUID; break;
		case 's':
			l.snapshots = true;
			l.columns |= 1u << CGEN | 1u << OTIME;
			break;
		case 'r': l.readonly = true; break;
		case 't': l.table = true; break;
		case 'G': ret = parse_bounds(optarg, &l.gen); break;
		case 'C':
			l.columns |= 1u << CGEN;
			ret = parse_bounds(optarg, &l.cgen);
			break;
		case OPTION_SORT: ret = parse_keys(optarg, &l); break;
		case OPTION_JSON: l.json = true; break;
		case OPTION_DEVICE:
			if (image_devices_add(&devices, optarg)) {
				status = command_failed(NAME);
				goto out;
			}
			break;
		default: status = command_bad_option(NAME, USAGE, c, argv); goto out;
		}
		if (ret == -EINVAL)
			status = command_misused(NAME, USAGE, "wrong value '%s' of an option", optarg);
		else if (ret)
			status = command_failed(NAME);
		if (ret)
			goto out;
	}
	l.only_below &= !l.all;
	l.table &= !l.json;
	if (argc - optind < 1 || argc - optind > 2)
		status = command_misused(NAME, USAGE, "one image, and at most one subvolume, is wanted");
	else
		status = image_check_operands(NAME, USAGE, "SUBVOL", argv + optind, (size_t)(argc - optind));
	if (!status)
		status = run(&l, argv[optind], &devices, argc - optind == 2 ? argv[optind + 1] : "/");
out:
	image_devices_release(&devices);
	return status;
}
