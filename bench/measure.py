# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running both sides in turn and timing them; comparing their streams."""
import json
import os
import shlex
import statistics
import subprocess
import tempfile
import threading

from image import drop_caches

PIECE = 1 << 20


def chain(commands):
    """One command for several."""
    if len(commands) == 1:
        return commands[0]
    return ["sh", "-c", " && ".join(shlex.join(c) for c in commands)]


def kernel_sends(row, image):
    return chain([["btrfs", "-q", "send", *flags, *(["-p", image.path(parent)] if parent else []),
                   image.path(subvolume)] for flags, parent, subvolume in row.sends])


def our_sends(row, image, btrfly):
    return chain([[btrfly, "send", "-q", *flags, *(["-p", parent] if parent else []), image.file, subvolume]
                  for flags, parent, subvolume in row.sends])


def median(runs):
    return statistics.median(run["seconds"] for run in runs) if runs else None


class Bench:
    def __init__(self, options):
        self.options = options
        self.sink = os.path.join(options.out_dir, "btrfly-bench-sink")

    def tool(self, name):
        return os.path.join(self.options.build, "bench", name)

    def run(self, command, sink="null", stdin=None, cap=0):
        """One timed run; `error` in the result says why it failed."""
        where = {"cat": "cat", "null": "/dev/null", "file": self.sink}[sink]
        more = (["-i", stdin] if stdin else []) + (["-c", str(cap)] if cap else [])
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run([self.tool("stopwatch"), "-o", where, *more, *command], text=True,
                                  stdout=subprocess.PIPE, stderr=said, check=False)
            said.seek(0)
            words = said.read().strip()
        if sink == "file":
            os.unlink(self.sink)
            subprocess.run(["sync"], check=True)  # nothing of it is written back during the next run
        if done.returncode:
            return {"error": words or f"stopwatch: exit status {done.returncode}"}
        result = json.loads(done.stdout)
        if result["status"] and not result["capped"]:
            result["error"] = words.split("\n")[0] or f"exit status {result['status']}"
        return result

    def alternate(self, runs, kernel, ours):
        """`runs` of each, in turn, fewer if the kernel's take longer than the cap together."""
        both = {"kernel": [], "ours": []}
        spent = 0
        while len(both["ours"]) < runs and (not both["ours"] or spent < self.options.cap):
            for side, one in (("kernel", kernel), ("ours", ours)):
                result = one()
                if "error" in result:
                    return {"error": f"{side}: {result['error']}"}
                both[side].append(result)
            spent += both["kernel"][-1]["seconds"]
        return both

    def row(self, row, image, compared):
        """All figures of one row; the image is mounted before and after."""
        options = self.options
        kernel, ours = kernel_sends(row, image), our_sends(row, image, options.btrfly)
        key = json.dumps(row.sends)
        if key not in compared:
            compared[key] = compare(kernel, ours, options.cap)  # and so everything is warm
        result = {"label": row.label, "sink": row.sink, "goals": row.goals, **compared[key]}
        if "warm" in options.caches:
            if result["capped"]:
                result["warm"] = {"kernel": [{"seconds": options.cap, "capped": True}],
                                  "ours": [self.run(ours, row.sink, cap=options.cap)]}
            else:
                result["warm"] = self.alternate(options.runs,
                                                lambda: self.run(kernel, row.sink, cap=options.cap),
                                                lambda: self.run(ours, row.sink, cap=options.cap))
        if "cold" in options.caches:
            def cold(command, mounted, cap=0):
                image.unmount()
                drop_caches()
                if mounted:
                    image.mount()
                done = self.run(command, row.sink, cap=cap)
                if not mounted:
                    image.mount()
                return done

            result["cold"] = self.alternate(options.runs, lambda: cold(kernel, True, options.cap),
                                            lambda: cold(ours, False, options.cap))
        return result

    def raw_read(self, image):
        """Read what the extents of all files lie in, and nothing else."""
        ranges = image.data_ranges()
        with tempfile.NamedTemporaryFile("w") as list_of:
            list_of.writelines(f"{offset} {length}\n" for offset, length in ranges)
            list_of.flush()
            command = [self.tool("slurp"), image.file]
            result = {"label": image.name, "bytes": sum(r[1] for r in ranges), "warm": [], "cold": []}
            for _ in range(self.options.runs):
                drop_caches()
                result["cold"].append(self.run(command, stdin=list_of.name))
                result["warm"].append(self.run(command, stdin=list_of.name))
        return result

    def pipe(self):
        """What a pipe into cat takes at best: written, with a longer pipe, and given whole pages."""
        mib = 8192 // self.options.scale
        results = []
        for label, flags in (("write()", []), ("write(), pipe of 1 MiB", ["-p", str(1 << 20)]),
                             ("vmsplice(), pipe of 1 MiB", ["-v", "-p", str(1 << 20)])):
            command = [self.tool("push"), *flags, str(mib)]
            results.append({"label": label, "bytes": mib << 20,
                            "warm": [self.run(command, "cat") for _ in range(self.options.runs)]})
        return results


def compare(kernel, ours, cap):
    """Both streams side by side, neither stored.  When the kernel is cut at the cap, what came so far
    counts."""
    with tempfile.TemporaryFile("w+") as said, \
         subprocess.Popen(kernel, stdout=subprocess.PIPE, stderr=said, start_new_session=True) as a, \
         subprocess.Popen(ours, stdout=subprocess.PIPE, stderr=said) as b:
        cut = threading.Event()

        def stop():
            cut.set()
            os.killpg(a.pid, 9)

        timer = threading.Timer(cap, stop)
        timer.start()
        same = 0
        verdict = None
        while verdict is None:
            left, right = a.stdout.read(PIECE), b.stdout.read(PIECE)
            if left == right and left:
                same += len(left)
            elif left == right:
                verdict = "identical"
            elif cut.is_set() and right.startswith(left):
                same += len(left)
                verdict = f"identical for the {same} bytes that came before the cap"
            else:
                same += next((i for i, (x, y) in enumerate(zip(left, right)) if x != y),
                             min(len(left), len(right)))
                verdict = f"DIFFERENT at byte {same}"
        timer.cancel()
        a.stdout.close()
        b.stdout.close()
        a.wait()
        b.wait()
        if verdict != "identical" and not cut.is_set():
            said.seek(0)
            verdict += f" ({said.read().strip().splitlines()[-1:]})"
        return {"verdict": verdict, "bytes": same, "capped": cut.is_set()}
