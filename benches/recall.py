#!/usr/bin/env python3
"""Compares what straykey and its peers find in the histories of real repositories.

Prints, for each repository and tool, how many distinct values it reports, and every value that a peer reports and
straykey does not: where it stands, its first four characters and its length. Standard library only; peers
come from their package registries in the versions of compare/run.py. Nothing is validated: no value leaves the machine.

    python3 benches/recall.py --reports target/recall ../repository.git ...

A report that is there already is read again instead of made anew. The reports hold the values.
"""
import argparse
import base64
import collections
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benches" / "compare"))
import run as compare  # noqa: E402

PEERS = ["betterleaks", "kingfisher"]
# The whole history, default rules, no network; findings do not fail a run.
COMMANDS = {
    "straykey": ["scan", "{repo}", "--history-only", "--no-config", "--show-secrets", "--quiet", "--exit-zero",
                 "--format", "jsonl", "--output", "{report}"],
    "betterleaks": ["git", "{repo}", "--no-banner", "--exit-code", "0", "--output", "{report}"],
    "kingfisher": ["scan", "{repo}", "--no-validate", "--no-update-check", "--git-history", "full",
                   "--format", "json", "--output", "{report}"],
}
# straykey exits with 3 when objects are missing: what it could read is in the report.
WORKED = {"straykey": {0, 3}, "betterleaks": {0}, "kingfisher": {0, 200, 205}}

Place = collections.namedtuple("Place", "path first last rule sure")


class Found(dict):
    """The places of each value."""

    def add(self, value, place):
        value = value.strip()
        if value:
            self.setdefault(value, []).append(place)


def read_straykey(report):
    found = Found()
    for line in report.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "occurrence" not in record["schema"]:
            continue
        value = record.get("secret")
        if value is None:
            value = base64.b64decode(record["secret_base64"]).decode(errors="replace")
        paths = [record["path"], *(other["path"] for other in record["other_paths"])]
        for path in paths:
            found.add(value, Place(path, record["line"], record["end_line"], record["detector"],
                                   record["confidence"]))
    return found


def read_betterleaks(report):
    found = Found()
    for record in json.loads(report.read_text(encoding="utf-8"))["findings"]:
        at = record["location"]
        found.add(record["match"]["value"], Place(at["path"], at["start_line"], at["end_line"], record["rule_id"],
                                                  record["confidence"]))
    return found


def read_kingfisher(report):
    found = Found()
    text = report.read_text(encoding="utf-8").strip()
    for record in json.loads(text)["findings"] if text else []:
        at = record["finding"]
        lines = at["snippet"].count("\n")
        found.add(at["snippet"], Place(at["path"], at["line"], at["line"] + lines, record["rule"]["id"],
                                       at["confidence"]))
    return found


READERS = {"straykey": read_straykey, "betterleaks": read_betterleaks, "kingfisher": read_kingfisher}


def scan(tool, program, repo, report):
    """Runs `tool` over `repo` unless its report is there; a remark when it did not reach the end."""
    if report.exists():
        return None
    words = [word.format(repo=repo, report=report) for word in COMMANDS[tool]]
    done = subprocess.run([str(program), *words], stdin=subprocess.DEVNULL, capture_output=True)
    if not report.exists():
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise compare.CannotRun(f"{tool}: exit code {done.returncode}: {said[-1][:200]}")
    return None if done.returncode in WORKED[tool] else f"{tool} stopped early (exit code {done.returncode})"


def plain(value):
    """A value without the blanks and ends of lines, escaped or not, that tools cut differently."""
    return re.sub(r"\s|\\[nrt]", "", value)


class Index:
    """Answers whether a tool has a value: the same, one that holds it or is held by it, or one on its lines."""

    def __init__(self, found):
        self.values = {plain(value) for value in found}
        self.text = "\0".join(sorted(self.values))
        self.lines = {(place.path, line) for places in found.values() for place in places
                      for line in range(place.first, place.last + 1)}

    def has(self, value, places):
        value = plain(value)
        if value in self.values or value in self.text:
            return True
        if any(len(other) >= 6 and other in value for other in self.values):
            return True
        return any((place.path, line) in self.lines for place in places
                   for line in range(place.first, place.last + 1))


def shown(value, clear):
    return repr(value[:300]) if clear else f"{value[:4]!r} of {len(value)}"


def programs(arguments):
    folder = Path(arguments.peers) if arguments.peers else ROOT / "target" / "peers"
    chosen = {"straykey": Path(arguments.straykey)}
    for peer in PEERS:
        try:
            chosen[peer] = compare.install(peer, folder)
        except compare.CannotRun as error:
            print(f"{peer} takes no part: {error}", file=sys.stderr)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+", help="git directories")
    parser.add_argument("--straykey", default=ROOT / "target" / "release" / "straykey", help="its program")
    parser.add_argument("--peers", help="folder in which the peers are or are to be installed")
    parser.add_argument("--reports", required=True, help="folder for the reports, which hold the values")
    parser.add_argument("--show-secrets", action="store_true", help="prints the values in clear")
    parser.add_argument("--reverse", action="store_true", help="lists what straykey alone reports instead")
    arguments = parser.parse_args()
    chosen = programs(arguments)
    reports = Path(arguments.reports)
    reports.mkdir(parents=True, exist_ok=True)
    total = collections.Counter()
    named = collections.Counter()
    for repo in map(Path, arguments.repositories):
        name = repo.name.removesuffix(".git") or repo.parent.name
        named[name] += 1
        if named[name] > 1:
            name = f"{name}-{named[name]}"
        found = {}
        for tool, program in chosen.items():
            report = reports / f"{name}.{tool}.json"
            try:
                remark = scan(tool, program, repo.resolve(), report.resolve())
            except compare.CannotRun as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            if remark:
                print(f"{name}: {remark}", file=sys.stderr)
            found[tool] = READERS[tool](report)
        if "straykey" not in found:
            continue
        indexes = {tool: Index(values) for tool, values in found.items()}
        counts = {tool: len(values) for tool, values in found.items()}
        counts["medium"] = sum(any(place.sure != "low" for place in places) for places in found["straykey"].values())
        for peer in [tool for tool in found if tool != "straykey"]:
            shared = sum(indexes["straykey"].has(*item) for item in found[peer].items())
            counts[f"{peer} too"] = shared
        total.update(counts)
        print(f"\n{name}: " + ", ".join(f"{what} {count}" for what, count in counts.items()))
        listed(found, indexes, arguments)
    print("\nall: " + ", ".join(f"{what} {count}" for what, count in total.items()))


def listed(found, indexes, arguments):
    if arguments.reverse:
        peers = [tool for tool in found if tool != "straykey"]
        asked = {"straykey": found["straykey"]}
        others = [indexes[peer] for peer in peers]
    else:
        asked = {tool: values for tool, values in found.items() if tool != "straykey"}
        others = [indexes["straykey"]]
    for tool, values in asked.items():
        for value, places in sorted(values.items(), key=lambda item: item[1][0][:2]):
            if not any(index.has(value, places) for index in others):
                place = places[0]
                print(f"  {tool} {place.rule} {place.path}:{place.first} {shown(value, arguments.show_secrets)}")


if __name__ == "__main__":
    main()
