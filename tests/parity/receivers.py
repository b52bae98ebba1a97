# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both receivers on the streams of a run, and the trees held against their source.

btrfs receive applies them to a btrfs mount; btrfly receive does so to a directory on that mount, and to
one on a tmpfs.
"""
import os
import subprocess


class Receivers:
    def __init__(self, run, call, failure):
        self.run, self.call, self.failure = run, call, failure
        self.target = os.path.join(run.dir, "target")
        self.mnt = os.path.join(run.dir, "received")
        self.tmpfs = os.path.join(run.dir, "tmpfs")

    def __enter__(self):
        with open(self.target, "wb") as image:
            image.truncate(1 << 30)
        # Two xattrs that hash alike share a leaf, which must not be smaller than their source's.
        self.call("mkfs.btrfs", "-q", "-n", self.run.config.split("/")[0], self.target)
        os.mkdir(self.mnt)
        os.mkdir(self.tmpfs)
        self.call("mount", "-o", "loop,noatime", self.target, self.mnt)
        self.call("mount", "-t", "tmpfs", "tmpfs", self.tmpfs)
        return self

    def __exit__(self, *_):
        for mounted in (self.mnt, self.tmpfs):
            if os.path.ismount(mounted) and subprocess.call(["umount", mounted]):
                subprocess.call(["umount", "-l", mounted])

    def compare(self, subvolume, directory, *options):
        """The received tree against its source, which is mounted."""
        received = os.path.join(directory, os.path.basename(subvolume))
        diff = subprocess.run([self.run.options.treediff, *options, self.run.path(subvolume), received],
                              capture_output=True)
        # The time of the top directory is not the source's: every new inode is made in there under
        # another name, and the kernel may have sent the time before.
        lines = [line for line in diff.stdout.splitlines() if line[1:4] != b". d"]
        if lines or diff.stderr:
            said = b"\n".join([*lines, diff.stderr])[:1500].decode(errors="backslashreplace")
            raise self.failure(f"{received} is not its source:\n{said}")

    def chain(self, receive, directory, *options):
        """Stream upon stream, each compared."""
        os.mkdir(directory)
        for stream, subvolume in self.run.chain():
            self.call(*receive, "-f", stream, directory)
            self.compare(subvolume, directory, *options)

    def check(self):
        btrfly = [self.run.options.btrfly, "receive", "-q"]
        self.chain(["btrfs", "-q", "receive"], os.path.join(self.mnt, "btrfs"))
        self.chain(btrfly, os.path.join(self.mnt, "btrfly"))
        # A tmpfs has no xattrs but those of user., trusted. and security.
        self.chain(btrfly, os.path.join(self.tmpfs, "btrfly"), "--without=xattr")
