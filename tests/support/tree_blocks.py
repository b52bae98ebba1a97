#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tree blocks of an image: find them, change a field, seal them again with a right checksum.

  tree_blocks.py IMAGE TREE LEVEL FIELD VALUE [COPY]

Every block of TREE at LEVEL that is sealed gets VALUE into FIELD (csum: no seal afterwards; item: the data
offset of the first item), with COPY only that one of each block's copies, counted from 0 by address on disk.
"""
import struct
import sys

HEADER = 101
FIELDS = {"fsid": (32, "<B"), "bytenr": (48, "<Q"), "generation": (80, "<Q"), "owner": (88, "<Q"),
          "nritems": (96, "<I"), "level": (100, "<B"), "csum": (0, "<I"), "item": (HEADER + 17, "<I")}


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def seal(block):
    struct.pack_into("<I", block, 0, crc32c(block[32:]))


class Image:
    """An image with crc32c checksums, and where its tree blocks are."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        sb = self.data[65536:65536 + 4096]
        if sb[64:72] != b"_BHRfS_M":
            sys.exit(f"{path}: no btrfs")
        if struct.unpack_from("<H", sb, 196)[0] != 0:
            sys.exit(f"{path}: other checksums than crc32c")
        self.fsid = sb[32:48]
        self.nodesize = struct.unpack_from("<I", sb, 148)[0]
        self.blocks = [at for at in range(0, len(self.data) - self.nodesize, 4096)
                       if self.data[at + 32:at + 48] == self.fsid and at != 65536
                       and struct.unpack_from("<I", self.data, at)[0]
                       == crc32c(self.data[at + 32:at + self.nodesize])]

    def block(self, at):
        return bytearray(self.data[at:at + self.nodesize])


def change(path, tree, level, field, value, copy):
    """How many blocks were changed."""
    image, seen, changed = Image(path), {}, 0
    with open(path, "r+b") as f:
        for at in image.blocks:
            block = image.block(at)
            address, owner = struct.unpack_from("<Q", block, 48) + struct.unpack_from("<Q", block, 88)
            if owner != tree or block[100] != level:
                continue
            number = seen[address] = seen.get(address, -1) + 1
            if copy is not None and number != copy:
                continue
            offset, form = FIELDS[field]
            struct.pack_into(form, block, offset, value)
            if field != "csum":
                seal(block)
            f.seek(at)
            f.write(block)
            changed += 1
    return changed


def main():
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    path, tree, level, field, value = sys.argv[1:6]
    copy = int(sys.argv[6]) if len(sys.argv) == 7 else None
    if not change(path, int(tree), int(level), field, int(value), copy):
        sys.exit(f"{path}: no such block of tree {tree}")


if __name__ == "__main__":
    main()
