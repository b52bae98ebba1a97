/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "repair.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format/checksum.h"
#include "format/stream.h"

void repair_stream(u8 *data, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct stream_command)) {
		if (size - at >= sizeof(struct stream_header) &&
		    !memcmp(data + at, STREAM_MAGIC, sizeof(STREAM_MAGIC))) {
			at += sizeof(struct stream_header);
			continue;
		}

		u8 *command = data + at;
		size_t len = sizeof(struct stream_command) + get_le32(command);

		if (len > size - at)
			break;
		put_le32(command + 6, 0);
		put_le32(command + 6, crc32c_raw(0, command, len));
		at += len;
	}
}

#define HEADER_SIZE 9
#define TRAILER_SIZE 4
#define ENTRY_OF_BEGIN 1
#define ENTRY_OF_ADVANCE 4
#define BOOT_AT 24 /* in the content of a begin */
#define BOOT_SIZE 64
#define NOTES_AT 16 /* in the content of an advance */

static void put_boot(u8 *boot)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[BOOT_SIZE] = "";

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		text[strcspn(text, "\n")] = '\0';
		memcpy(boot, text, sizeof(text));
	}
	close(fd);
}

/* As in receive/entry.h: length, type and their checksum, the content, a checksum of all. */
static void repair_entries(u8 *data, size_t size, bool within)
{
	for (size_t at = 0; size - at >= HEADER_SIZE + TRAILER_SIZE;) {
		u8 *p = data + at;
		size_t len = get_le32(p);

		if (len > size - at - HEADER_SIZE - TRAILER_SIZE)
			return;
		if (p[4] == ENTRY_OF_BEGIN && len >= BOOT_AT + BOOT_SIZE)
			put_boot(p + HEADER_SIZE + BOOT_AT);
		if (p[4] == ENTRY_OF_ADVANCE && len >= NOTES_AT && !within)
			repair_entries(p + HEADER_SIZE + NOTES_AT, len - NOTES_AT, true);
		put_le32(p + 5, ~crc32c_raw(~0u, p, 5));
		put_le32(p + HEADER_SIZE + len, ~crc32c_raw(~0u, p, HEADER_SIZE + len));
		at += HEADER_SIZE + len + TRAILER_SIZE;
	}
}

void repair_journal(u8 *data, size_t size)
{
	static const char journal[] = "btrfly-journal-1", record[] = "btrfly-received-2";
	const size_t journal_len = sizeof(journal) - 1, record_len = sizeof(record);

	if (size > journal_len && !memcmp(data, journal, journal_len))
		repair_entries(data + journal_len, size - journal_len, false);
	else if (size > record_len && !memcmp(data, record, record_len))
		repair_entries(data + record_len, size - record_len, false);
}
