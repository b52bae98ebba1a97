/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is chosen at random: numbers, lengths, bytes, names. */
#include <stdio.h>
#include <string.h>

#include "workload.h"

static u64 splitmix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* xorshift128+ */
static u64 next(struct workload *w)
{
	u64 a = w->random[0], b = w->random[1];

	w->random[0] = b;
	a ^= a << 23;
	a ^= a >> 17;
	a ^= b ^ (b >> 26);
	w->random[1] = a;
	return a + b;
}

void random_seed(struct workload *w, u64 seed)
{
	w->random[0] = splitmix(&seed);
	w->random[1] = splitmix(&seed) | 1;
}

u64 random_below(struct workload *w, u64 n)
{
	return n ? next(w) % n : 0;
}

bool random_chance(struct workload *w, unsigned percent)
{
	return random_below(w, 100) < percent;
}

u64 random_length(struct workload *w)
{
	static const u64 limits[] = {64, 2048, 2048, 4200, 65536, 65536, 300000, WORKLOAD_WRITE_MAX};
	u64 len = 1 + random_below(w, limits[random_below(w, ARRAY_SIZE(limits))]);

	if (len > WORKLOAD_SECTOR && random_chance(w, 50))
		len &= ~(u64)(WORKLOAD_SECTOR - 1);
	return len;
}

void random_bytes(struct workload *w, u8 *buf, size_t len)
{
	enum { TEXT, NOISE, ZEROS, MIXED } style = random_below(w, 10) < 4 ? TEXT : random_below(w, 4);
	u8 pattern[48];
	size_t period = 5 + random_below(w, sizeof(pattern) - 4);

	for (size_t i = 0; i < period; i++)
		pattern[i] = 'a' + random_below(w, 26);
	for (size_t at = 0; at < len; at += 4096) {
		size_t n = len - at < 4096 ? len - at : 4096;
		unsigned block = style == MIXED ? random_below(w, 3) : style;

		if (block == ZEROS) {
			memset(buf + at, 0, n);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			buf[at + i] = block == TEXT ? pattern[(at + i) % period] : (u8)(next(w) >> 24);
		if (block == TEXT)
			buf[at + random_below(w, n)] = (u8)next(w);
	}
}

static void any_bytes(struct workload *w, char *name, size_t len, const char *alphabet)
{
	for (size_t i = 0; i < len; i++) {
		u8 c = 1 + random_below(w, 255);

		name[i] = alphabet ? alphabet[c % strlen(alphabet)] : (c == '/' ? 'x' : (char)c);
	}
	name[len] = '\0';
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		name[0] = 'd';
}

void random_name(struct workload *w, char *name, size_t room)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	static const char odd[] = " \n\t\\\"'*?%$\xc3\xa4\x01-";

	if (room > WORKLOAD_NAME_MAX)
		room = WORKLOAD_NAME_MAX;
	switch (random_below(w, 20)) {
	case 0:
	case 1: /* as long as it gets */
		any_bytes(w, name, room - random_below(w, 3), plain);
		return;
	case 2: /* not UTF-8 */
		any_bytes(w, name, 1 + random_below(w, room < 40 ? room : 40), NULL);
		return;
	case 3:
		any_bytes(w, name, 1 + random_below(w, room < 12 ? room : 12), odd);
		return;
	case 4: /* what a sender calls things that are in its way */
		if (room >= 24) {
			snprintf(name, 24, "o%u-%u-0", 257 + (unsigned)random_below(w, 200),
				 6 + (unsigned)random_below(w, 20));
			return;
		}
		/* fall through */
	default:
		any_bytes(w, name, 1 + random_below(w, room < 10 ? room : 10), plain);
	}
}

/* The table of crc32c (Castagnoli, reflected) and, by its top byte, the way back. */
static void crc_tables(u32 table[256], u8 by_top[256])
{
	for (unsigned i = 0; i < 256; i++) {
		u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ (c & 1 ? 0x82f63b78u : 0);
		table[i] = c;
		by_top[c >> 24] = (u8)i;
	}
}

static u32 crc_update(const u32 table[256], u32 crc, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		crc = (crc >> 8) ^ table[(crc ^ (u8)data[i]) & 0xff];
	return crc;
}

/*
 * crc is linear, so of a name of the same length with another beginning, the last four bytes can be
 * computed that lead to the same value.  They may be bytes that no name holds: then try another beginning.
 */
int random_twin(struct workload *w, const char *name, char *twin)
{
	u32 table[256];
	u8 by_top[256], index[4];
	size_t len = strlen(name);

	if (len < 8 || len > WORKLOAD_NAME_MAX)
		return -1;
	crc_tables(table, by_top);
	u32 want = crc_update(table, ~1u, name, len);

	for (unsigned attempt = 0; attempt < 200; attempt++) {
		u32 back = want;

		memcpy(twin, name, len + 1);
		for (size_t i = len - 8; i < len - 4; i++)
			twin[i] = 'A' + random_below(w, 26);
		u32 have = crc_update(table, ~1u, twin, len - 4);

		for (int i = 3; i >= 0; i--) {
			index[i] = by_top[back >> 24];
			back = (back ^ table[index[i]]) << 8;
		}
		bool usable = true;

		for (int i = 0; i < 4; i++) {
			u8 byte = (u8)have ^ index[i];

			usable = usable && byte && byte != '/';
			twin[len - 4 + i] = (char)byte;
			have = (have >> 8) ^ table[index[i]];
		}
		if (usable && strcmp(twin, name))
			return 0;
	}
	return -1;
}
