#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""set_attribute.py STREAM TYPE VALUE: the stream on standard output, with the first 64-bit attribute of
TYPE in its first command set to VALUE, and the command's checksum made right again."""
import struct
import sys

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
wanted, value = int(sys.argv[2]), int(sys.argv[3])
length, = struct.unpack_from("<I", stream, HEADER)
end = HEADER + COMMAND + length
at = HEADER + COMMAND
while at < end:
    kind, size = struct.unpack_from("<HH", stream, at)
    if kind == wanted:
        assert size == 8
        struct.pack_into("<Q", stream, at + 4, value)
        break
    at += 4 + size
else:
    sys.exit("no such attribute")
struct.pack_into("<I", stream, HEADER + 6, 0)
struct.pack_into("<I", stream, HEADER + 6, crc32c(stream[HEADER:end]))
sys.stdout.buffer.write(stream)
