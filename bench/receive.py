# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of receive: printing a stream, and applying it to a mounted btrfs, against btrfs-progs."""
import os
import shlex
import subprocess
import time

from image import Image, call, drop_caches

SOURCES = ("big", "small")


def stream_of(bench, image):
    """The kernel's stream of an image, made once."""
    path = os.path.join(bench.options.dir, image.name + ".stream")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(image.note):
        image.mount()
        try:
            call("btrfs", "-q", "send", "-f", path + ".part", image.path("snap"))
        finally:
            image.unmount()
        os.rename(path + ".part", path)
    return path


def side_by_side(bench, label, one):
    """A row without goals.  one(ours) makes one run; nothing is dropped or warmed by it."""
    result = {"label": label, "sink": "", "goals": (None, None)}

    def cold(ours):
        drop_caches()
        return one(ours)

    if "warm" in bench.options.caches:
        one(True)
        result["warm"] = bench.alternate(bench.options.runs, lambda: one(False), lambda: one(True))
    if "cold" in bench.options.caches and "error" not in result.get("warm", {}):
        result["cold"] = bench.alternate(bench.options.runs, lambda: cold(False), lambda: cold(True))
    return result


def dump_row(bench, stream, name):
    commands = [[program, "receive", "--dump", "-f", stream] for program in ("btrfs", bench.options.btrfly)]
    row = side_by_side(bench, f"receive --dump of {name}", lambda ours: bench.run(commands[ours], "null"))
    texts = [subprocess.run(c, capture_output=True, check=False).stdout for c in commands]
    verdict = "identical" if texts[0] == texts[1] else "DIFFERENT"
    return {**row, "bytes": os.path.getsize(stream), "verdict": f"output {verdict}"}


class Target:
    """A fresh filesystem to receive into, the old one gone."""

    def __init__(self, bench):
        self.image = Image(bench.options.dir, "receive-target")
        self.mounted = False

    def fresh(self):
        self.close()
        self.image.make(16 << 30)
        self.image.mount("noatime")
        self.mounted = True
        return self.image.mnt

    def close(self):
        if self.mounted:
            self.image.unmount()
            self.mounted = False
            os.unlink(self.image.file)


def tree(root):
    """Names, types and sizes of all that is in a received subvolume."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            stat = os.lstat(path)
            found[os.path.relpath(path, root)] = stat.st_mode, os.path.isdir(path) or stat.st_size
    return found


def mount_row(bench, stream, name):
    """Both with a sync at the end, which btrfly does by itself anyway."""
    target = Target(bench)
    trees = {}

    def one(ours):
        mnt = target.fresh()
        program = bench.options.btrfly if ours else "btrfs"
        command = shlex.join([program, "receive", "-q", "-f", stream, mnt])
        time.sleep(0.5)  # the mount has things to do in the background
        done = bench.run(["sh", "-c", f"{command} && sync -f {shlex.quote(mnt)}"], "null")
        trees[ours] = tree(os.path.join(mnt, "snap"))
        subvolume = os.path.exists(os.path.join(mnt, "snap")) and os.stat(os.path.join(mnt, "snap")).st_ino == 256
        if "error" not in done and not subvolume:
            return {"error": "no subvolume was made"}
        return done

    try:
        row = side_by_side(bench, f"receive of {name} to btrfs, with sync", one)
    finally:
        target.close()
    verdict = "trees equal" if trees[True] == trees.get(False) else "trees DIFFERENT"
    if any("error" in row.get(heat, {}) for heat in ("warm", "cold")):
        verdict = ""
    return {**row, "bytes": os.path.getsize(stream), "verdict": verdict}


def rows(bench, images):
    for name in SOURCES:
        stream = stream_of(bench, images[name])
        yield dump_row(bench, stream, name)
        yield mount_row(bench, stream, name)
