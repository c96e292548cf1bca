#!/usr/bin/env python3
"""Fills in the table of what straykey promises, with one command.

    cargo build --release
    python3 benches/compare/table.py --history ../git.git --history ../redis.git --tree ../linux

Whole processes, the complete product with all its detectors, peers with their default rules and without
network checks. Two programs run in turn, after one pair that is not counted; a ratio is that of the
medians of processor time (user and system), unless it says wall. The rates of the prefilter come from
`cargo bench --bench engine`. Raw runs go to benches/record/<date>-<machine>/. Standard library only.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import run

MIB = 1 << 20


class Table:
    """Rows of the table, and the runs behind them."""

    def __init__(self):
        self.rows, self.raw, self.refused = [], {}, {}

    def row(self, job, must, aim, got, name, runs):
        self.rows.append((job, must, aim, got))
        self.raw[name] = runs
        print(f"{job}: {got} (must {must}, aim {aim})", flush=True)

    def text(self, about, rounds):
        lines = [f"# What straykey promises, measured {time.strftime('%Y-%m-%d')}", "",
                 f"{about['cpu']}, {about['cores']} cores, {about['system']}; {rounds} rounds, interleaved; "
                 "medians and ratios of medians.", "",
                 "| job | must | aim | measured |", "| --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        lines += ["", *(f"{peer} was not run: {why}" for peer, why in sorted(self.refused.items()))]
        return "\n".join(lines).rstrip() + "\n"


def cpu(runs, name):
    return statistics.median(one["cpu_s"] for one in runs[name])


def against(table, args, programs, mode, target, peer, job, must, aim, more_is_better):
    """A pair of programs on one target."""
    if peer not in programs:
        table.row(job, must, aim, "not run", f"{peer}-{mode}-{target.name}", None)
        return
    try:
        runs = run.compare(peer, programs, mode, target, args.rounds, args.scratch)
    except run.CannotRun as error:
        table.refused[f"{peer} on {target.name}"] = str(error)
        return
    ours, theirs = cpu(runs, "straykey"), cpu(runs, peer)
    ratio = theirs / ours if more_is_better else ours / theirs
    table.row(job, must, aim, f"{ratio:.2f}x ({ours:.2f} s, {theirs:.2f} s)", f"{peer}-{mode}-{target.name}", runs)


def process(command):
    """Wall and processor seconds of a run of ours."""
    before = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - before
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime}


def peak_of(command):
    """Peak of memory of a run of ours that no file backs, in bytes. Looking for it takes a part of a core."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    peak, ended = [0], threading.Event()

    def watch():
        status = Path(f"/proc/{child.pid}/status")
        while not ended.wait(0.005):
            try:
                found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
            except OSError:
                return
            peak[0] = max(peak[0], int(found[1]) * 1024 if found else 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    child.wait()
    ended.set()
    watcher.join()
    return peak[0]


def memory_and_threads(table, args, straykey, mode, target):
    """Peak of anonymous memory, and what a second thread brings."""
    words = [word.format(repo=target, report=args.scratch / "ours.json") for word in run.MODES[mode]["straykey"]]
    runs = {1: [], 2: []}
    for number in range(args.rounds + 1):
        for threads in runs:
            one = process([str(straykey), *words, "--threads", str(threads)])
            if number > 0:
                runs[threads].append(one)
    wall = {threads: statistics.median(one["wall_s"] for one in list_of) for threads, list_of in runs.items()}
    name = f"threads-{mode}-{target.name}"
    table.row(f"second thread, {mode} of {target.name}, wall", ">= 1.8x", "1.95x", f"{wall[1] / wall[2]:.2f}x", name, runs)
    peaks = [peak_of([str(straykey), *words, "--threads", "2"]) for _ in range(args.rounds)]
    if max(peaks):
        table.row(f"memory beyond mapped files, {mode} of {target.name}", "<= 150 MiB", "100 MiB",
                  f"{max(peaks) / MIB:.0f} MiB", f"memory-{mode}-{target.name}", {"anonymous_peak_bytes": peaks})


def start_up(table, args, straykey):
    """Whole processes with next to nothing to do."""
    empty, staged = args.scratch / "empty", args.scratch / "staged"
    empty.mkdir()
    staged.mkdir()
    git = ["git", "-C", str(staged)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (staged / "one.py").write_text("answer = 42\n" * 50)
    subprocess.run([*git, "add", "one.py"], check=True)
    for mode, target, job in (("empty", empty, "empty folder"), ("staged", staged, "one staged file")):
        words = [word.format(repo=target, report=args.scratch / "ours.json") for word in run.MODES[mode]["straykey"]]
        runs = [process([str(straykey), *words]) for _ in range(41)][1:]
        wall = 1000 * statistics.median(one["wall_s"] for one in runs)
        busy = 1000 * statistics.median(one["cpu_s"] for one in runs)
        table.row(f"{job}, whole process, wall", "<= 10 ms", "5 ms", f"{wall:.1f} ms ({busy:.1f} ms CPU)", job, runs)


def prefilter(table):
    """Rates of the kernels, as criterion measured them."""
    goals = {"scalar": ("2", "2.5"), "avx2": ("3", "3.6"), "avx512": ("5", "6.5")}
    done = subprocess.run(["cargo", "bench", "--bench", "engine", "--", "prefilter/"], cwd=run.ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        table.refused["prefilter"] = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return
    for found in sorted((run.ROOT / "target/criterion/prefilter").glob("*/new/benchmark.json")):
        about = json.loads(found.read_text())
        text, _, kernel = about["function_id"].rpartition("/")
        if kernel not in goals:
            continue
        estimate = json.loads((found.parent / "estimates.json").read_text())["median"]["point_estimate"]
        size = about["throughput"]["Bytes"]
        must, aim = goals[kernel]
        table.row(f"prefilter, {kernel}, {text}", f">= {must} GB/s", f"{aim} GB/s", f"{size / estimate:.2f} GB/s",
                  f"prefilter-{kernel}-{text}", {"nanoseconds": estimate, "bytes": size})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=Path, action="append", default=[], help="full clone; repeatable")
    parser.add_argument("--tree", type=Path, action="append", default=[], help="folder of files; repeatable")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--straykey", type=Path, default=run.ROOT / "target/release/straykey")
    parser.add_argument("--peers-folder", type=Path, help="keep installed peers here")
    parser.add_argument("--machine", default="", help="name of the machine for the record's folder")
    parser.add_argument("--record", type=Path, default=run.ROOT / "benches/record")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds: at least 1")
    if not args.straykey.exists():
        parser.error(f"{args.straykey}: build it first: cargo build --release")
    for path in [*args.history, *args.tree]:
        if not path.exists():
            parser.error(f"{path}: no such folder")
    return args


def main():
    args = arguments()
    about = run.machine()
    label = re.sub(r"[^a-z0-9]+", "-", (args.machine or f"{about['cpu']}-{about['cores']}").lower()).strip("-")
    folder = args.record / f"{time.strftime('%Y-%m-%d')}-{label}"
    args.scratch = Path(tempfile.mkdtemp(prefix="straykey-table-"))
    table, programs = Table(), {"straykey": args.straykey.resolve()}
    table.refused["gitleaks"] = "no package registry carries its program; betterleaks is its successor"
    try:
        home = (args.peers_folder or args.scratch / "peers").resolve()
        for peer in [*run.PYTHON_PEERS, *run.YARDSTICKS]:
            try:
                programs[peer] = run.install(peer, home)
            except (run.CannotRun, OSError) as error:
                table.refused[peer] = str(error)
        for path in map(Path.resolve, args.history):
            job = f"history of {path.name} vs"
            against(table, args, programs, "history", path, "kingfisher", f"{job} kingfisher", ">= 8x less", "15x", True)
            against(table, args, programs, "history", path, "betterleaks", f"{job} betterleaks", ">= 8x less", "15x", True)
            against(table, args, programs, "history", path, "git", f"{job} git cat-file", "<= 1.0x", "0.5x", False)
        for path in map(Path.resolve, args.tree):
            job = f"tree of {path.name} vs"
            against(table, args, programs, "tree", path, "ripgrep", f"{job} ripgrep, one literal", "<= 2.5x", "1.5x", False)
            against(table, args, programs, "tree", path, "kingfisher", f"{job} kingfisher", ">= 6x less", "9x", True)
        start_up(table, args, programs["straykey"])
        for mode, paths in (("history", args.history), ("tree", args.tree)):
            for path in map(Path.resolve, paths):
                memory_and_threads(table, args, programs["straykey"], mode, path)
        prefilter(table)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text(table.text(about, args.rounds))
        raw = {"machine": about, "rounds": args.rounds, "runs": table.raw,
               "versions": {name: run.version(program) for name, program in programs.items()}}
        (folder / "table.json").write_text(json.dumps(raw, indent=1) + "\n")
        print(table.text(about, args.rounds))
    finally:
        shutil.rmtree(args.scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
