# SPDX-License-Identifier: LGPL-2.1-or-later
"""A btrfs filesystem in a sparse image file, made once and kept, mounted when it is needed."""
import json
import os
import re
import subprocess


def call(*command, **kwargs):
    """Run a command; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", **kwargs)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise SystemExit(f"bench: {' '.join(command)[:300]}: exit status {done.returncode}: {said}")
    return done.stdout


def drop_caches():
    subprocess.run(["sync"], check=True)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3\n")


class Image:
    def __init__(self, directory, name):
        self.name = name
        self.file = os.path.join(directory, name + ".img")
        self.note = os.path.join(directory, name + ".json")
        self.mnt = os.path.join(directory, name + ".mnt")
        self.loop = None

    def made_as(self, recipe):
        """Whether the image is there and was made by this recipe."""
        try:
            with open(self.note, encoding="utf-8") as file:
                return json.load(file) == recipe and os.path.exists(self.file)
        except (OSError, ValueError):
            return False

    def make(self, size):
        for path in (self.note, self.file):
            if os.path.exists(path):
                os.unlink(path)
        with open(self.file, "wb") as file:
            file.truncate(size)
        call("mkfs.btrfs", "-q", self.file)

    def keep(self, recipe):
        with open(self.note, "w", encoding="utf-8") as file:
            json.dump(recipe, file)

    def mount(self, options="ro"):
        os.makedirs(self.mnt, exist_ok=True)
        read_only = ["-r"] if options == "ro" else []
        self.loop = call("losetup", "-f", "--show", *read_only, self.file).strip()
        try:
            call("mount", "-t", "btrfs", "-o", options, self.loop, self.mnt)
        except SystemExit:
            self.detach()
            raise

    def unmount(self):
        if not self.loop:
            return
        call("umount", self.mnt)
        self.detach()

    def detach(self):
        call("losetup", "-d", self.loop)
        self.loop = None

    def path(self, *names):
        return os.path.join(self.mnt, *names)

    def dump_tree(self, tree):
        return call("btrfs", "inspect-internal", "dump-tree", "-t", tree, self.file).split("\n")

    def data_ranges(self):
        """(offset in the image, length) of all file data outside of trees, in the order of the disk."""
        chunks, extents = [], []
        for line in self.dump_tree("chunk"):
            if match := re.search(r"FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\)", line):
                logical = int(match[1])
            elif match := re.match(r"\s+length (\d+) owner", line):
                length = int(match[1])
            elif match := re.match(r"\s+stripe 0 devid 1 offset (\d+)", line):
                chunks.append((logical, length, int(match[1])))
        for line in self.dump_tree("extent"):
            if match := re.search(r"key \((\d+) EXTENT_ITEM (\d+)\)", line):
                found = int(match[1]), int(match[2])
            elif line.rstrip().endswith("flags DATA"):
                extents.append(found)
        ranges = []
        for logical, length in extents:
            start, _, physical = next(c for c in chunks if c[0] <= logical < c[0] + c[1])
            offset = logical - start + physical
            if ranges and sum(ranges[-1]) == offset:
                ranges[-1] = ranges[-1][0], ranges[-1][1] + length
            else:
                ranges.append((offset, length))
        return sorted(ranges)
