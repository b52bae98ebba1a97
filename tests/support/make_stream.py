# SPDX-License-Identifier: LGPL-2.1-or-later
"""make_stream.py COMMAND…: a send stream of version 1 on standard output.

A command is NAME:ATTRIBUTE=VALUE:…; data may have %XX for any byte, times are SECONDS.NANOSECONDS. Inode numbers and the
uuids are supplied: a subvol is number 1, a snapshot number 2 on 1.
"""
import struct
import sys
from urllib.parse import unquote_to_bytes

COMMANDS = {"subvol": 1, "snapshot": 2, "mkfile": 3, "mkdir": 4, "mknod": 5, "mkfifo": 6, "mksock": 7, "symlink": 8,
            "rename": 9, "link": 10, "unlink": 11, "rmdir": 12, "xattr": 13, "rmxattr": 14, "write": 15, "truncate": 17,
            "chmod": 18, "chown": 19, "utimes": 20, "end": 21}
# number and form: text, bytes, u64, or time
ATTRIBUTES = {"path": (15, "t"), "to": (16, "t"), "link": (17, "t"), "name": (13, "t"), "mode": (5, "o"), "uid": (6, "u"),
              "gid": (7, "u"), "size": (4, "u"), "rdev": (8, "u"), "offset": (18, "u"), "atime": (11, "s"), "mtime": (10, "s"),
              "ctime": (9, "s")}


def crc32c(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def attribute(number, value):
    return struct.pack("<HH", number, len(value)) + value


def value_of(form, text):
    if form == "t":
        return unquote_to_bytes(text)
    if form == "s":
        seconds, nanoseconds = text.split(".")
        return struct.pack("<qI", int(seconds), int(nanoseconds))
    return struct.pack("<Q", int(text, 8 if form == "o" else 10))


def command(text):
    name, *given = text.split(":")
    values = dict(g.split("=", 1) for g in given)
    body = b""
    if name == "utimes":
        values.setdefault("ctime", values["mtime"])
    if name == "write":
        values.setdefault("offset", "0")
    for key in values:
        if key == "data":
            body += attribute(14 if name == "xattr" else 19, unquote_to_bytes(values[key]))
        else:
            number, form = ATTRIBUTES[key]
            body += attribute(number, value_of(form, values[key]))
    if name in ("mkfile", "mkdir", "mknod", "mkfifo", "mksock", "symlink"):
        body += attribute(3, struct.pack("<Q", 257))
    if name in ("subvol", "snapshot"):
        this = 1 if name == "subvol" else 2
        body += attribute(1, bytes([this]) * 16) + attribute(2, struct.pack("<Q", this))
        if this == 2:
            body += attribute(20, bytes([1]) * 16) + attribute(21, struct.pack("<Q", 1))
    head = struct.pack("<IH", len(body), COMMANDS[name])
    return head + struct.pack("<I", crc32c(head + bytes(4) + body)) + body


sys.stdout.buffer.write(b"btrfs-stream\0" + struct.pack("<I", 1))
for word in sys.argv[1:]:
    sys.stdout.buffer.write(command(word))
