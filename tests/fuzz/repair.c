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

/* As in receive/checkpoint.c: the magic, then the boot's id, filled up with zeros. */
void repair_journal(u8 *data, size_t size)
{
	static const char magic[16] = "btrfly-partial-1";
	char boot[48] = "";
	int fd;

	if (size < sizeof(magic) + sizeof(boot) || memcmp(data, magic, sizeof(magic)))
		return;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, boot, sizeof(boot) - 1) > 0)
		memcpy(data + sizeof(magic), boot, sizeof(boot));
	close(fd);
}
