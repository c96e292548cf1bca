#!/usr/bin/env python3
"""Measures the whole scanner on labelled lines, as they are and with words put back.

    cargo build --release
    python3 corpus/train/measure.py --labelled DIR [--negative FOLDER …] [--record]

DIR is a CredData development split (labels.csv, data/, clean/, score.py; the archive is unpacked into
a temporary folder when data/ is not there). Prints precision, recall and F1 for each way to count and each least confidence, then for
each category, and fails when a figure is more than half a point under `corpus/accuracy.json`;
`--record` writes that file. "words" reads each file with the letters of true values replaced by words of
the same length, as people choose them: what the labelled set hides by its random values.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import train

LEVELS = ("low", "medium", "high", "certain")
COUNTS = ("official", "strict", "secrets", "secrets_strict", "value")
RECORD = train.ROOT / "corpus/accuracy.json"


def unpacked(folder, scratch):
    """The folder that holds data/."""
    if (folder / "data").is_dir():
        return folder
    with tarfile.open(folder / "files.tar.xz") as archive:
        archive.extractall(scratch, filter="data")
    for name in ("labels.csv", "score.py"):
        (scratch / name).write_bytes((folder / name).read_bytes())
    return scratch


def with_words(folder, words, scratch):
    """A copy of the labelled files in which true values are of words."""
    for path, rows in train.read_labels(folder).items():
        text = (folder / path).read_bytes().decode("utf-8", "surrogateescape")
        changed, _ = train.variant(text, rows, words, 7)
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(changed.encode("utf-8", "surrogateescape"))
    for name in ("labels.csv", "score.py"):
        (scratch / name).write_bytes((folder / name).read_bytes())
    return scratch


def findings(binary, folder):
    """What a scan of data/ and clean/ says, in the scorer's form."""
    found = []
    for part in ("data", "clean"):
        if not (folder / part).is_dir():
            continue
        command = [binary, "scan", "--no-history", "--no-config", "--show-secrets", "--exit-zero", "-q",
                   "-f", "jsonl", part]
        lines = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True).stdout
        for line in lines.splitlines():
            one = json.loads(line)
            found.append({
                "path": one["path"], "line": one["line"], "end_line": one["end_line"],
                "secret": one["secret"], "rule": one["detector"], "confidence": one["confidence"],
            })
    return found


def score(folder, found, scratch):
    listed, result = scratch / "findings.jsonl", scratch / "score.json"
    listed.write_text("".join(json.dumps(one) + "\n" for one in found))
    subprocess.run([sys.executable, folder / "score.py", "--root", folder, "--findings", listed, "--json", result],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(result.read_text())


def rounded(value):
    return None if value is None else round(value, 3)


def measure(binary, folder, scratch):
    found = findings(binary, folder)
    table = {}
    for at, level in enumerate(LEVELS):
        result = score(folder, [one for one in found if LEVELS.index(one["confidence"]) >= at], scratch)
        table[level] = {name: [rounded(result[name][key]) for key in ("P", "R", "F1")] for name in COUNTS}
        table[level]["clean lines"] = result["clean"]["lines"]
        if level == "low":
            table["categories"] = {
                name: [rounded(values[key]) for key in ("P", "R", "F1")] + [values["true"]]
                for name, values in result["categories"].items() if values["true"] >= 10
            }
    return table


def show(name, table):
    print(f"## {name}\n\n| least confidence | " + " | ".join(COUNTS) + " | clean lines |")
    print("| --- |" + " --- |" * len(COUNTS) + " ---: |")
    for level in LEVELS:
        cells = [" / ".join("–" if v is None else f"{v:.3f}" for v in table[level][count]) for count in COUNTS]
        print(f"| {level} | " + " | ".join(cells) + f" | {table[level]['clean lines']} |")
    print("\n| category | true | precision / recall / F1 |\n| --- | ---: | --- |")
    for category, values in table["categories"].items():
        cells = " / ".join("–" if v is None else f"{v:.3f}" for v in values[:3])
        print(f"| {category} | {values[3]} | {cells} |")
    print()


def worse(table, known):
    """Figures that fell under those on record."""
    for name, levels in known.items():
        for level in LEVELS:
            for count in COUNTS:
                old, new = levels[level][count][2], table[name][level][count][2]
                if old is not None and (new or 0) < old - 0.005:
                    yield f"{name}, {level}, {count}: F1 {new} under {old}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labelled", type=pathlib.Path, required=True)
    parser.add_argument("--negative", type=pathlib.Path, action="append", default=[], help="where words come from")
    parser.add_argument("--binary", type=pathlib.Path, default=train.ROOT / "target/release/straykey")
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for part in ("plain", "words"):
            (scratch / part).mkdir()
        folder = unpacked(args.labelled.resolve(), scratch / "plain")
        words = train.words_by_length(args.negative)
        changed = with_words(folder, words, scratch / "words")
        table = {
            "random": measure(args.binary.resolve(), folder, scratch),
            "words": measure(args.binary.resolve(), changed, scratch),
        }
    for name, values in table.items():
        show(name, values)
    if args.record:
        RECORD.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
        return
    fallen = list(worse(table, json.loads(RECORD.read_text())))
    for line in fallen:
        print(line)
    sys.exit(bool(fallen))


if __name__ == "__main__":
    main()
