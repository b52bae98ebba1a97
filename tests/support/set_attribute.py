#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""set_attribute.py STREAM TYPE VALUE: the stream on standard output, with the first attribute of TYPE in its first command
set to VALUE, a number of 64 bits or "uuid" for any uuid, and the command's checksum made right again."""
import struct
import sys
import uuid

HEADER = 17
COMMAND = 10


def crc32c(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


stream = bytearray(open(sys.argv[1], "rb").read())
wanted = int(sys.argv[2])
value = uuid.uuid4().bytes if sys.argv[3] == "uuid" else struct.pack("<Q", int(sys.argv[3]))
length, = struct.unpack_from("<I", stream, HEADER)
end = HEADER + COMMAND + length
at = HEADER + COMMAND
while at < end:
    kind, size = struct.unpack_from("<HH", stream, at)
    if kind == wanted:
        assert size == len(value)
        stream[at + 4:at + 4 + size] = value
        break
    at += 4 + size
else:
    sys.exit("no such attribute")
struct.pack_into("<I", stream, HEADER + 6, 0)
struct.pack_into("<I", stream, HEADER + 6, crc32c(stream[HEADER:end]))
sys.stdout.buffer.write(stream)
