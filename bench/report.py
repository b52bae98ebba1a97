# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables: on the terminal, as JSON, and in docs/performance.md."""
import datetime
import os
import re

from measure import median

BEGIN, END = "<!-- bench/run --update writes from here -->", "<!-- to here -->"


def machine(options):
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) // 1024
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "kernel": os.uname().release, "cpu": model[1] if model else os.uname().machine,
            "cores": os.cpu_count(), "memory_mib": memory, "runs": options.runs,
            "scale": options.scale, "cap": options.cap, "file_sink": options.out_dir}


def seconds(runs):
    middle = median(runs)
    if middle is None:
        return "-"
    text = f"{middle:.3f}" if middle < 10 else f"{middle:.1f}"
    return ("> " if any(run.get("capped") for run in runs) else "") + text


def ratio(both):
    kernel_cut, ours_cut = (any(run.get("capped") for run in both[side]) for side in ("kernel", "ours"))
    if ours_cut:
        return "not known" if kernel_cut else "too small to say"
    value = median(both["kernel"]) / median(both["ours"])
    more = "> " if kernel_cut else ""
    return more + (f"{value:.2f}" if value < 10 else f"{value:.1f}")


def figures(both):
    """kernel, ours, ratio"""
    if not both:
        return ["", "", ""]
    if "error" in both:
        return ["", "", "failed: " + both["error"]]
    return [seconds(both["kernel"]), seconds(both["ours"]), ratio(both)]


def peak(row):
    runs = [run for heat in ("warm", "cold") for run in row.get(heat, {}).get("ours", [])]
    return f"{max(run['peak_kib'] for run in runs) / 1024:.0f}" if runs else ""


def cpu(row):
    """Processor time of the warm runs, kernel and ours."""
    both = row.get("warm", {})
    if "error" in both or not both or "user" not in both["kernel"][0]:
        return ""
    return " · ".join(f"{min(r['user'] + r['system'] for r in both[side]):.2f}" for side in ("kernel", "ours"))


def table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        return "| " + " | ".join(str(c).ljust(w) for c, w in zip(cells, widths)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(line, rows)])


def goals(row):
    return " · ".join("-" if g is None else f"{g}" for g in row["goals"]) if any(row["goals"]) else ""


def sends(rows):
    head = ["workload", "to", "warm: kernel s", "ours s", "ratio", "cold: kernel s", "ours s", "ratio",
            "goal", "CPU s, kernel · ours", "peak MiB", "stream MiB", "streams"]
    return table(head, [[row["label"], row["sink"], *figures(row.get("warm")), *figures(row.get("cold")),
                         goals(row), cpu(row), peak(row), f"{row['bytes'] / 2**20:.1f}", row["verdict"]]
                        for row in rows])


def speed(size, runs):
    return f"{size / 2**20 / median(runs):.0f}"


def limits(results):
    """What the machine can do, and our share of it."""
    rows = []
    for raw in results["raw"]:
        ours = [row for row in results["rows"] if row["workload"] == raw["label"] and row["sink"] == "cat"
                and row.get("cold", {}).get("ours")]
        share = f"{100 * median(raw['cold']) / median(ours[0]['cold']['ours']):.0f} %" if ours else ""
        rows.append([f"read the data of {raw['label']}", f"{raw['bytes'] / 2**20:.0f}",
                     speed(raw["bytes"], raw["warm"]), speed(raw["bytes"], raw["cold"]), share])
    for pipe in results["pipe"]:
        rows.append([f"pipe to cat, {pipe['label']}", f"{pipe['bytes'] / 2**20:.0f}",
                     speed(pipe["bytes"], pipe["warm"]), "", ""])
    head = ["limit", "MiB", "warm MiB/s", "cold MiB/s", "of it in our cold send"]
    return table(head, rows) if rows else ""


def text(results):
    m = results["machine"]
    quick = "" if m["scale"] == 1 else f", workloads at 1/{m['scale']} of their size"
    return "\n\n".join(filter(None, [
        f"{m['date']}, Linux {m['kernel']}, {m['cpu']}, {m['cores']} cores, {m['memory_mib']} MiB of memory; "
        f"medians of {m['runs']} alternating runs{quick}; kernel runs cut at {m['cap']} s.",
        sends(results["rows"]) if results["rows"] else "", limits(results)]))


def update(path, results):
    """Put the tables between the markers."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise SystemExit(f"bench: {path}: no lines '{BEGIN}' and '{END}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{text(results)}\n{END}{after}")
