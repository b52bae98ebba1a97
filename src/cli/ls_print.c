/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "cli/kind.h"
#include "cli/ls.h"
#include "cli/name.h"

static const char *mode_text(u32 mode, char *buf)
{
	static const struct {
		u32 bit;
		size_t place;
		char executable, other;
	} special[] = {{S_ISUID, 3, 's', 'S'}, {S_ISGID, 6, 's', 'S'}, {S_ISVTX, 9, 't', 'T'}};

	buf[0] = kind_letter(mode);
	for (size_t i = 0; i < 9; i++)
		buf[i + 1] = mode & 0400u >> i ? "rwx"[i % 3] : '-';
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (mode & special[i].bit)
			buf[special[i].place] =
				buf[special[i].place] == 'x' ? special[i].executable : special[i].other;
	buf[10] = '\0';
	return buf;
}

static bool is_device(const struct inode *i)
{
	return S_ISCHR(i->mode) || S_ISBLK(i->mode);
}

static int digits(u64 n)
{
	return snprintf(NULL, 0, "%" PRIu64, n);
}

static void widen(int *width, int wanted)
{
	if (wanted > *width)
		*width = wanted;
}

void ls_print_short(const struct ls_row *rows, size_t count)
{
	for (const struct ls_row *r = rows; r < rows + count; r++) {
		name_print(stdout, r->name, r->name_len);
		putchar('\n');
	}
}

void ls_print_long(const struct ls_row *rows, size_t count)
{
	int links = 0, uid = 0, gid = 0, size = 0, major = 0, minor = 0;
	char mode[11], when[32];

	for (const struct ls_row *r = rows; r < rows + count; r++) {
		const struct inode *i = &r->inode;

		widen(&links, digits(i->nlink));
		widen(&uid, digits(i->uid));
		widen(&gid, digits(i->gid));
		if (is_device(i)) {
			widen(&major, digits(inode_major(i->rdev)));
			widen(&minor, digits(inode_minor(i->rdev)));
			widen(&size, major + 2 + minor);
		} else {
			widen(&size, digits(i->size));
		}
	}
	for (const struct ls_row *r = rows; r < rows + count; r++) {
		const struct inode *i = &r->inode;
		time_t sec = i->mtime.sec;
		struct tm tm;

		printf("%s %*u %*u %*u ", mode_text(i->mode, mode), links, i->nlink, uid, i->uid, gid, i->gid);
		if (is_device(i))
			printf("%*u, %*u ", size - 2 - minor, inode_major(i->rdev), minor,
			       inode_minor(i->rdev));
		else
			printf("%*" PRIu64 " ", size, i->size);
		if (localtime_r(&sec, &tm) && strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm))
			printf("%s ", when);
		else
			printf("%" PRId64 " ", i->mtime.sec);
		name_print(stdout, r->name, r->name_len);
		if (r->target) {
			fputs(" -> ", stdout);
			path_print(stdout, r->target);
		}
		putchar('\n');
	}
}

void ls_print_json(const struct ls_row *rows, size_t count)
{
	struct json_line j;
	char mode[8];

	for (const struct ls_row *r = rows; r < rows + count; r++) {
		const struct inode *i = &r->inode;

		snprintf(mode, sizeof(mode), "%04o", i->mode & 07777);
		json_line_begin(&j, stdout);
		json_line_bytes(&j, "name", r->name, r->name_len);
		json_line_string(&j, "type", kind_name(i->mode));
		json_line_u64(&j, "inode", i->ino);
		json_line_string(&j, "mode", mode);
		json_line_u64(&j, "nlink", i->nlink);
		json_line_u64(&j, "uid", i->uid);
		json_line_u64(&j, "gid", i->gid);
		json_line_u64(&j, "size", i->size);
		json_line_time(&j, "mtime", i->mtime.sec, i->mtime.nsec);
		if (is_device(i)) {
			json_line_u64(&j, "major", inode_major(i->rdev));
			json_line_u64(&j, "minor", inode_minor(i->rdev));
		}
		if (r->target)
			json_line_string(&j, "target", r->target);
		if (r->subvolume)
			json_line_u64(&j, "subvolume", r->subvolume);
		json_line_end(&j);
	}
}
