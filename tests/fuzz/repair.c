/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "repair.h"

#include <string.h>

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
