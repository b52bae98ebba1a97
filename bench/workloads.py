# SPDX-License-Identifier: LGPL-2.1-or-later
"""The workloads: how each filesystem is made, and what is sent from it.

A change of what a workload makes needs a new number in its `version`, or kept images stay as they are.
"""
import dataclasses
import fcntl
import mmap
import os
import subprocess

from image import call

FICLONE = 0x40049409
MIB = 1 << 20


@dataclasses.dataclass
class Row:
    """A line of the table: one or more sends in one run."""
    label: str
    sends: list  # (flags, parent or None, subvolume)
    sink: str = "cat"
    goals: tuple = (None, None)  # kernel time / our time, warm and cold, that issue 4 asks for


def full(subvolume, *flags):
    return [(list(flags), None, subvolume)]


def against(parent, subvolume, *flags):
    return [(list(flags), parent, subvolume)]


class Workload:
    version = 1
    size = 16 << 30  # of the image, sparse
    options = "noatime"
    raw = False  # whether reading all its data is a row of its own

    def __init__(self, scale):
        self.scale = scale

    def recipe(self):
        return {"version": self.version, "scale": self.scale}

    def build(self, image, content):
        raise NotImplementedError

    def rows(self):
        raise NotImplementedError


def subvolume(image, name):
    call("btrfs", "-q", "subvolume", "create", image.path(name))


def snapshot(image, source, name):
    call("btrfs", "-q", "subvolume", "snapshot", "-r", image.path(source), image.path(name))


def clone(source, path):
    with open(source, "rb") as from_file, open(path, "wb") as to_file:
        fcntl.ioctl(to_file, FICLONE, from_file.fileno())


def write_fragmented(path, length, piece, content):
    """Every piece an extent of its own, in random order on the disk."""
    offsets = list(range(0, length, piece))
    content.random.shuffle(offsets)
    memory = mmap.mmap(-1, piece)  # aligned as O_DIRECT wants it
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o644)
    try:
        os.ftruncate(fd, length)
        for offset in offsets:
            memory[:] = content.noise(piece)
            os.pwrite(fd, memory, offset)
    finally:
        os.close(fd)


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def small_tree(root, count, content):
    """`count` files of 0.5 to 16 KiB, about 25 in a directory, three levels; returns their paths."""
    rng = content.random
    directories = []
    for a in range(max(1, count // 2500)):
        for b in range(10):
            for c in range(10):
                directories.append(f"{root}/part-{a:03d}/section{b}/{content.noise(4).hex()}.{c}")
                os.makedirs(directories[-1])
    paths = []
    for i in range(count):
        path = f"{rng.choice(directories)}/{content.noise(rng.randint(2, 9)).hex()}-{i}.txt"
        content.write(path, content.small_size(), content.noise)
        paths.append(path)
        if i % 50 == 0:
            os.symlink(os.path.basename(path), path + ".link")
        if i % 100 == 0:
            os.link(path, path + ".hard")
        if i % 20 == 0:
            os.chmod(path, 0o755)
        if i % 200 == 0:
            os.setxattr(path, "user.origin", b"https://example.org/" + str(i).encode())
    return paths


class BigFiles(Workload):
    """4 GiB in files of 64 MiB to 1 GiB that do not compress."""
    name = "big"
    raw = True

    def build(self, image, content):
        subvolume(image, "work")
        for i, mib in enumerate([1024, 512, 512] + [256] * 4 + [128] * 4 + [64] * 8):
            content.write(image.path("work", f"file-{i}.bin"), mib * MIB // self.scale, content.noise)
        snapshot(image, "work", "snap")

    def rows(self):
        return [Row("big files", full("snap"), "cat", (3, 2)),
                Row("big files", full("snap"), "file", (3, None)),
                Row("big files", full("snap"), "null")]


class SmallFiles(Workload):
    """60,000 files of 0.5 to 16 KiB."""
    name = "small"
    raw = True

    def build(self, image, content):
        subvolume(image, "work")
        small_tree(image.path("work"), 60000 // self.scale, content)
        snapshot(image, "work", "snap")

    def rows(self):
        return [Row("small files", full("snap"), "cat", (8, 3))]


class Zstd(Workload):
    """3 GiB of words in files of 1 to 64 MiB, compressed by the kernel."""
    name = "zstd"
    options = "noatime,compress=zstd"
    raw = True

    def build(self, image, content):
        subvolume(image, "work")
        left = 3072 * MIB // self.scale
        i = 0
        while left:
            n = min(left, int(2 ** content.random.uniform(20, 26)))
            content.write(image.path("work", f"words-{i:04d}"), n, content.text)
            left -= n
            i += 1
        snapshot(image, "work", "snap")

    def rows(self):
        return [Row("zstd decoded", full("snap"), "cat", (3, 2)),
                Row("zstd encoded", full("snap", "--proto", "2", "--compressed-data"), "cat", (4, 2))]


class Scattered(Workload):
    """20,000 blocks of 4 KiB overwritten at random in 4 GiB."""
    name = "scattered"

    def build(self, image, content):
        subvolume(image, "work")
        length = 256 * MIB // self.scale
        for i in range(16):
            content.write(image.path("work", f"disk-{i:02d}"), length, content.noise)
        snapshot(image, "work", "old")
        for _ in range(20000 // self.scale):
            path = image.path("work", f"disk-{content.random.randrange(16):02d}")
            overwrite(path, content.random.randrange(length // 4096) * 4096, content.noise(4096))
        snapshot(image, "work", "new")

    def rows(self):
        return [Row("scattered 4 KiB writes, -p", against("old", "new"), "cat", (5, 2))]


class Renames(Workload):
    """20,000 renames and moves, of files for the most part, in a tree of 30,000."""
    name = "renames"

    def build(self, image, content):
        rng = content.random
        subvolume(image, "work")
        root = image.path("work")
        directories = []
        for i in range(600 // self.scale):
            directories.append(f"d{i // 20}/e{i}")
            os.makedirs(os.path.join(root, directories[-1]))
        files = []
        for i in range(30000 // self.scale):
            files.append((rng.choice(directories), f"file-{i}"))
            content.write(os.path.join(root, *files[-1]), rng.randint(0, 1024), content.noise)
        snapshot(image, "work", "old")
        for i in range(20000 // self.scale):
            if i % 50 == 49:  # a directory, into another parent or just another name
                at = rng.randrange(len(directories))
                new = f"d{rng.randrange((len(directories) + 19) // 20)}/moved-{i}"
                os.rename(os.path.join(root, directories[at]), os.path.join(root, new))
                files = [(new if d == directories[at] else d, n) for d, n in files]
                directories[at] = new
                continue
            at = rng.randrange(len(files))
            old = files[at]
            files[at] = old[0] if i % 3 == 0 else rng.choice(directories), f"renamed-{i}"
            os.rename(os.path.join(root, *old), os.path.join(root, *files[at]))
        snapshot(image, "work", "new")

    def rows(self):
        return [Row("20,000 renames, -p", against("old", "new"))]


class Reflinks(Workload):
    """400 copies of a 64 MiB file of 4,096 extents, and 30 snapshots with small changes between them."""
    name = "reflinks"

    def build(self, image, content):
        rng = content.random
        subvolume(image, "work")
        first = image.path("work", "copy-000")
        length, copies = 64 * MIB, 400 // self.scale
        write_fragmented(first, length, 16 << 10, content)
        for i in range(1, copies):
            clone(first, image.path("work", f"copy-{i:03d}"))
        for i in range(30):
            for _ in range(20):
                path = image.path("work", f"copy-{rng.randrange(copies):03d}")
                overwrite(path, rng.randrange(length >> 14) << 14, content.noise(16 << 10))
            snapshot(image, "work", f"snap{i:02d}")

    def rows(self):
        return [Row("reflink-heavy", full("snap29"), "cat", (50, 20)),
                Row("reflink-heavy, -p", against("snap28", "snap29"), "cat", (50, 20))]


class Snapshots(Workload):
    """200 snapshots of a tree of 2,000 small files, some 20 changes between two."""
    name = "snapshots"
    count = 200

    def build(self, image, content):
        rng = content.random
        subvolume(image, "work")
        paths = small_tree(image.path("work"), 2000, content)
        for i in range(self.count):
            for _ in range(10):
                content.write(rng.choice(paths), content.small_size(), content.noise)
            for j in range(5):
                paths.append(f"{os.path.dirname(rng.choice(paths))}/new-{i}-{j}")
                content.write(paths[-1], content.small_size(), content.noise)
                os.unlink(paths.pop(rng.randrange(len(paths))))
            snapshot(image, "work", f"snap{i:03d}")

    def rows(self):
        last = self.count - 1
        chain = [send for i in range(last - 50, last)
                 for send in against(f"snap{i:03d}", f"snap{i + 1:03d}")]
        return [Row("many snapshots, the last", full(f"snap{last:03d}")),
                Row("many snapshots, 50 times -p of the one before", chain)]


class ManyReferences(Workload):
    """One extent of 16 KiB in 5,000 files."""
    name = "references"

    def build(self, image, content):
        subvolume(image, "work")
        first = image.path("work", "file-0000")
        content.write(first, 16 << 10, content.noise)
        for i in range(1, 5000 // self.scale):
            clone(first, image.path("work", f"file-{i:04d}"))
        snapshot(image, "work", "snap")

    def rows(self):
        return [Row("an extent with 5,000 references", full("snap"))]


class SharedExtents(Workload):
    """100,000 extents of 4 KiB, each in two files."""
    name = "shared"

    def build(self, image, content):
        subvolume(image, "work")
        for i in range(4):
            path = image.path("work", f"file-{i}")
            write_fragmented(path, 100000 // 4 // self.scale * 4096, 4096, content)
            clone(path, path + ".copy")
        snapshot(image, "work", "snap")

    def rows(self):
        return [Row("100,000 shared extents", full("snap"))]


ALL = [BigFiles, SmallFiles, Zstd, Scattered, Renames, Reflinks, Snapshots, ManyReferences, SharedExtents]


def prepare(workload, image, content):
    """Make the image unless it is there; returns whether it had to be made."""
    if image.made_as(workload.recipe()):
        return False
    image.make(workload.size)
    image.mount(workload.options)
    try:
        workload.build(image, content)
        subprocess.run(["sync", "-f", image.mnt], check=True)
    finally:
        image.unmount()
    image.keep(workload.recipe())
    return True
